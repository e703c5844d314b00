//! What a score is worth, without labels: the scores are a mixture of matches and of others, and how the others are
//! spread shows itself.
//!
//! When a record has a sure match in another system, its second-best candidate there is somebody else: a brother, a twin,
//! a stranger of the same name. How high such second-best candidates score tells how high the best candidate of a record
//! scores that has no match there. (Proteomics calls such candidates decoys: Elias and Gygi 2007; how many of the best are
//! false follows from where hardly any is true: Storey 2002.) The household is thus in the estimate, though no encoding
//! tells who lives with whom. Families that one system does not know at all have no member there, so the rate comes out
//! too high rather than too low.

use crate::estimate::EstimateError;

use super::rival::{Candidates, Rivals};

/// A score that hardly anybody reaches who is not the person: all of a name, a birth date and one thing more.
const SURE: f64 = 220.0;
/// Two candidates of one system that are so alike are one person twice.
const SAME: f64 = 180.0;
/// Between these scores hardly any best candidate is the person, and many relatives are.
const FALSE_BAND: std::ops::Range<f64> = 50.0..90.0;
/// Fewest records with a sure match from which anything is learnt.
const FEWEST_SURE: f64 = 100.0;
/// The most of the expected matches that may lie between 1 : 9 and 9 : 1.
const MOST_DOUBTFUL: f64 = 0.25;
const DOUBTFUL: std::ops::RangeInclusive<f64> = 0.1..=0.9;

/// Scores are counted in steps of this width.
const STEP: f64 = 10.0;
const LOWEST: f64 = -50.0;
const STEPS: usize = 100;
/// Parts of the records that are left out in turn.
pub(super) const PARTS: u32 = 8;
/// Bits for each position beyond what was learnt: keeps the order of the scores.
const BEYOND: f64 = 0.001;
/// Shares of false pairs that are believed at most and at least.
const BELIEVED: std::ops::RangeInclusive<f64> = 1e-6..=0.999;

/// Counts by step of the score.
type Histogram = [f64; STEPS];

/// What was counted over the records of one part.
#[derive(Debug, Clone, Copy)]
struct Counts {
    /// Pairs across two systems of which each record is the other's best candidate.
    across: Histogram,
    /// The same within one system.
    within: Histogram,
    /// Candidates beside a sure match whose own best candidate is the record: what would be such a pair if the match
    /// were not there.
    second: Histogram,
    /// Records with a sure match.
    sure: f64,
}

const NOTHING: Counts = Counts {
    across: [0.0; STEPS],
    within: [0.0; STEPS],
    second: [0.0; STEPS],
    sure: 0.0,
};

impl Counts {
    /// Counts one record's candidates; `is_same` tells whether two of them are one person twice.
    fn add(
        &mut self,
        rivals: &Rivals,
        candidates: &Candidates<'_>,
        is_same: impl Fn(u32, u32) -> bool,
    ) {
        let mut from_best = candidates.iter();
        let Some(best) = from_best.next() else { return };
        let is_mutual = rivals.best_for(best.pair) == 2;
        if is_mutual && candidates.record < best.other {
            let histogram = if candidates.is_within {
                &mut self.within
            } else {
                &mut self.across
            };
            count(histogram, best.score);
        }
        if is_mutual && !candidates.is_within && best.score >= SURE {
            self.sure += 1.0;
            let second =
                from_best.find(|second| second.score < SURE && !is_same(best.other, second.other));
            if let Some(second) = second.filter(|second| rivals.best_for(second.pair) == 1) {
                count(&mut self.second, second.score);
            }
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        for (sum, more) in [
            (&mut self.across, &other.across),
            (&mut self.within, &other.within),
            (&mut self.second, &other.second),
        ] {
            sum.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
        }
        self.sure += other.sure;
        self
    }
}

fn count(histogram: &mut Histogram, score: f64) {
    let step = ((score - LOWEST) / STEP).clamp(0.0, (STEPS - 1) as f64) as usize;
    if let Some(place) = histogram.get_mut(step) {
        *place += 1.0;
    }
}

/// How many lie where hardly any is a match.
fn band(histogram: &Histogram) -> f64 {
    let steps = histogram.iter().enumerate();
    let inside = steps.filter(|(step, _)| FALSE_BAND.contains(&middle(*step)));
    inside.map(|(_, count)| count).sum()
}

fn middle(step: usize) -> f64 {
    LOWEST + (step as f64 + 0.5) * STEP
}

/// The log2 odds of a score, as steps to interpolate between.
#[derive(Debug, Clone, Default)]
struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// From the best candidates and how false ones are spread. Odds never fall as the score rises (pool adjacent
    /// violators: Ayer et al. 1955).
    fn of(best: &Histogram, counts: &Counts) -> Self {
        let share = band(best) / band(&counts.second).max(1.0);
        let mut blocks: Vec<Block> = Vec::with_capacity(STEPS);
        let steps = best.iter().zip(&counts.second).enumerate();
        let is_told = |step: usize, all: f64| all > 0.0 && middle(step) >= FALSE_BAND.start;
        for (step, (all, second)) in steps.filter(|(step, (all, _))| is_told(*step, **all)) {
            blocks.push(Block {
                weighed: middle(step) * all,
                all: *all,
                wrong: second * share,
            });
            Block::pool(&mut blocks);
        }
        // Where no false candidate was seen, half a one may still be.
        let mut most = f64::NEG_INFINITY;
        let above = |from: usize| -> f64 { blocks.iter().skip(from).map(|block| block.all).sum() };
        let steps = blocks.iter().enumerate().map(|(place, block)| {
            let least = 0.5 * share / above(place).max(1.0);
            let wrong = (block.wrong / block.all).max(least);
            let wrong = wrong.clamp(*BELIEVED.start(), *BELIEVED.end());
            most = log_odds(wrong).max(most);
            (block.weighed / block.all, most)
        });
        // Whatever is below the band is nobody.
        let nobody = (FALSE_BAND.start, log_odds(*BELIEVED.end()));
        Self(std::iter::once(nobody).chain(steps).collect())
    }

    fn bits(&self, score: f64) -> f64 {
        let above = self.0.partition_point(|step| step.0 < score);
        let low = above.checked_sub(1).and_then(|place| self.0.get(place));
        let bits = match (low, self.0.get(above)) {
            (Some(low), Some(high)) => {
                low.1 + (high.1 - low.1) * (score - low.0) / (high.0 - low.0)
            }
            (Some(edge), None) | (None, Some(edge)) => edge.1,
            (None, None) => 0.0,
        };
        bits + BEYOND * score
    }
}

fn log_odds(wrong: f64) -> f64 {
    ((1.0 - wrong) / wrong).log2()
}

/// Neighbouring steps that share one rate.
#[derive(Debug, Clone, Copy)]
struct Block {
    weighed: f64,
    all: f64,
    wrong: f64,
}

impl Block {
    fn pool(blocks: &mut Vec<Self>) {
        while let [.., below, last] = blocks.as_mut_slice() {
            if last.wrong * below.all < below.wrong * last.all {
                return;
            }
            below.weighed += last.weighed;
            below.all += last.all;
            below.wrong += last.wrong;
            blocks.pop();
        }
    }
}

/// What scores are worth among these encodings.
#[derive(Debug, Clone, Default)]
pub(super) struct Odds {
    across: Curve,
    within: Curve,
}

impl Odds {
    fn of(counts: &Counts) -> Self {
        Self {
            across: Curve::of(&counts.across, counts),
            within: Curve::of(&counts.within, counts),
        }
    }

    /// log2 of the odds that a pair of this score is one person, within one system or across two.
    pub(super) fn bits(&self, score: f64, is_within: bool) -> f64 {
        if is_within {
            self.within.bits(score)
        } else {
            self.across.bits(score)
        }
    }
}

/// What was learnt, in all and without each part of the records.
#[derive(Debug)]
pub(super) struct Learnt {
    pub(super) odds: Odds,
    pub(super) without_parts: Vec<Odds>,
}

/// Learns from all candidates; `score` compares any two records.
///
/// # Errors
/// [`EstimateError`] when there are too few sure matches, or most matches are doubtful.
pub(super) fn learn(
    rivals: &Rivals,
    score: impl Fn(u32, u32) -> f64,
) -> Result<Learnt, EstimateError> {
    let mut parts = [NOTHING; PARTS as usize];
    for candidates in rivals.groups() {
        if let Some(part) = parts.get_mut((candidates.record % PARTS) as usize) {
            part.add(rivals, &candidates, |one, two| score(one, two) >= SAME);
        }
    }
    let sum = |without: Option<usize>| {
        let kept = parts.iter().enumerate();
        let kept = kept.filter(|(part, _)| Some(*part) != without);
        kept.fold(NOTHING, |sum, (_, part)| sum.plus(part))
    };
    let counts = sum(None);
    if counts.sure < FEWEST_SURE {
        let expected = counts.sure;
        return Err(EstimateError::TooFew { expected });
    }
    let odds = Odds::of(&counts);
    let share = doubtful_share(&odds, &counts);
    if share > MOST_DOUBTFUL {
        return Err(EstimateError::NotSeparated { share });
    }
    let without_parts = (0..parts.len()).map(|part| Odds::of(&sum(Some(part))));
    Ok(Learnt {
        odds,
        without_parts: without_parts.collect(),
    })
}

/// The share of the expected matches across systems of which nobody could say.
fn doubtful_share(odds: &Odds, counts: &Counts) -> f64 {
    let (mut all, mut doubtful) = (0.0, 0.0);
    for (step, best) in counts.across.iter().enumerate() {
        let share = 1.0 / (1.0 + (-odds.bits(middle(step), false)).exp2());
        all += share * best;
        if DOUBTFUL.contains(&share) {
            doubtful += share * best;
        }
    }
    if all > 0.0 { doubtful / all } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: &[(f64, f64)]) -> Histogram {
        let mut histogram = [0.0; STEPS];
        for (score, times) in counts {
            (0..*times as u32).for_each(|_| count(&mut histogram, *score));
        }
        histogram
    }

    #[test]
    fn odds_follow_from_the_second_best_beside_sure_matches() {
        let best = histogram(&[(65.0, 1000.0), (155.0, 1000.0), (305.0, 1000.0)]);
        let second = histogram(&[(65.0, 500.0), (155.0, 50.0)]);
        let counts = Counts {
            across: best,
            second,
            sure: 1000.0,
            ..NOTHING
        };
        let odds = Odds::of(&counts);
        // Twice as many false best candidates as second-best ones: 100 of the 1000 at 155 are false.
        assert!((odds.bits(155.0, false) - 9_f64.log2()).abs() < 0.2);
        assert!(odds.bits(305.0, false) > 8.0);
        assert!(odds.bits(65.0, false) < -9.0);
    }

    #[test]
    fn odds_never_fall_as_the_score_rises() {
        let best = histogram(&[
            (65.0, 100.0),
            (105.0, 40.0),
            (145.0, 90.0),
            (185.0, 80.0),
            (305.0, 9.0),
        ]);
        let second = histogram(&[(65.0, 100.0), (105.0, 5.0), (145.0, 30.0), (185.0, 2.0)]);
        let counts = Counts {
            across: best,
            second,
            sure: 300.0,
            ..NOTHING
        };
        let odds = Odds::of(&counts);
        let bits: Vec<f64> = (0..40)
            .map(|step| odds.bits(f64::from(step) * 10.0, false))
            .collect();
        assert!(bits.is_sorted(), "{bits:?}");
    }
}
