//! How many false links to expect: from the scores alone, no labels needed.

use rayon::prelude::*;

use crate::model::Model;
use crate::result::Pair;
use crate::score::{Scorer, false_share};
use crate::settings::Settings;

use serde::{Deserialize, Serialize};

/// Quantile of the normal distribution for an interval of 95 %.
const NORMAL_95: f64 = 1.96;
/// By so much, as a factor either way, the model's own expectation is off at 95 %: measured on generated populations of
/// several difficulties (`docs/MATCHING.md`).
const MODEL_FACTOR: f64 = 1.6;
/// The most of the false links that conflicts between clusters are believed to catch; on generated populations
/// this comes nearest to what is found (`docs/MATCHING.md`).
const MOST_CAUGHT: f64 = 0.75;
/// Links of so many bits, one in sixteen million of which is false, add nothing to a rate.
const CERTAIN: f64 = 24.0;

/// An expected share of false links, with an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FalseMatchRate {
    /// The share of the links that join two people, as the model expects it.
    pub expected: f64,
    /// Lower end of the interval of 95 %.
    pub low: f64,
    /// Upper end of the interval of 95 %.
    pub high: f64,
}

/// How often a false link is refused because clusters conflict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Conflicts(f64);

impl Conflicts {
    /// Nothing is known of conflicts.
    pub(crate) const NONE: Self = Self(0.0);

    /// The share of the false links that conflicts catch, from pairs of which each is false with the probability
    /// that its score tells. True links are refused as well: they are why the share has a bound.
    pub(crate) fn of<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Self {
        let (mut wrong, mut refused) = (0.0, 0.0);
        for pair in pairs {
            wrong += false_share(pair.bits);
            refused += f64::from(u8::from(pair.is_refused));
        }
        Self((refused / (wrong + 1.0)).min(MOST_CAUGHT))
    }

    /// The probability that a pair is false that was not refused.
    fn false_share(self, bits: f64) -> f64 {
        let wrong = false_share(bits) * (1.0 - self.0);
        wrong / (wrong + 1.0 - false_share(bits))
    }
}

/// The share of false links to be expected at each score and above.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    /// Scores, the highest first, and the rate among the pairs down to it.
    steps: Vec<(f64, f64)>,
}

impl Rates {
    /// Rates of the pairs that a score alone decides and no cluster refuses; of these the highest score comes first.
    pub(crate) fn of(pairs: &[Pair], conflicts: Conflicts) -> Self {
        let (mut expected, mut seen) = (0.0, 0.0);
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for pair in pairs.iter().filter(|pair| pair.is_open && !pair.is_refused) {
            seen += 1.0;
            expected += conflicts.false_share(pair.bits);
            match steps.last_mut().filter(|step| step.0 == pair.bits) {
                Some(step) => step.1 = expected / seen,
                None => steps.push((pair.bits, expected / seen)),
            }
        }
        Self { steps }
    }

    /// The lowest score at which the rate among all links is still within the target; none when even the highest
    /// score is not.
    pub(crate) fn threshold(&self, target: f64) -> Option<f64> {
        let within = self.steps.partition_point(|(_, rate)| *rate <= target);
        self.steps.get(within.checked_sub(1)?).map(|step| step.0)
    }

    /// The rate among the pairs of this score and above.
    pub(crate) fn at(&self, bits: f64) -> f64 {
        let above = self.steps.partition_point(|(score, _)| *score >= bits);
        let step = above.checked_sub(1).and_then(|place| self.steps.get(place));
        step.map_or_else(|| false_share(bits), |step| step.1)
    }
}

/// The expected rate among links, with an interval from three sources: chance in the number of false links, what the
/// estimate would have been without each part of the pairs in turn (jackknife), and the model's own error.
pub(crate) fn false_match_rate(
    links: &[Pair],
    without_parts: &[Settings],
    records: usize,
    expected: f64,
) -> FalseMatchRate {
    let is_doubtful = |pair: &&Pair| pair.bits < CERTAIN;
    let doubtful: Vec<&Pair> = links.iter().filter(is_doubtful).collect();
    let shares: Vec<f64> = without_parts
        .par_iter()
        .map(|settings| {
            let model = Model::new(settings.clone());
            let scorer = Scorer::new(&model, records);
            let shares = doubtful
                .iter()
                .map(|pair| scorer.score(&pair.evidence).false_share());
            shares.sum::<f64>() / links.len().max(1) as f64
        })
        .collect();
    interval(expected, links.len(), &shares)
}

/// An expected rate among so many links with its interval; `shares` are the rates without each part of the pairs.
pub(crate) fn interval(expected: f64, links: usize, shares: &[f64]) -> FalseMatchRate {
    let others = || shares.iter().map(|share| share.max(f64::MIN_POSITIVE).ln());
    let parts = shares.len().max(1) as f64;
    let mean = others().sum::<f64>() / parts;
    let spread: f64 = others().map(|other| (other - mean).powi(2)).sum();
    let jackknife = spread * (parts - 1.0) / parts;
    let chance = 1.0 / (expected * links as f64).max(1.0);
    let model = (MODEL_FACTOR.ln() / NORMAL_95).powi(2);
    let factor = (NORMAL_95 * (jackknife + chance + model).sqrt()).exp();
    FalseMatchRate {
        expected,
        low: expected / factor,
        high: (expected * factor).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(bits: &[f64]) -> Rates {
        let pairs: Vec<Pair> = bits.iter().map(|bits| Pair::open(*bits)).collect();
        Rates::of(&pairs, Conflicts::NONE)
    }

    #[test]
    fn threshold_is_the_lowest_score_within_the_target() {
        let rates = rates(&[10.0, 10.0, 3.0, 0.0]);
        assert_eq!(rates.threshold(0.001), Some(10.0));
        assert_eq!(rates.threshold(0.05), Some(3.0));
        assert_eq!(rates.threshold(0.5), Some(0.0));
        assert_eq!(rates.threshold(0.0), None);
    }

    #[test]
    fn rate_never_falls_as_the_score_does() {
        let rates = rates(&[12.0, 9.0, 9.0, 4.0, 1.0, -2.0]);
        let found: Vec<f64> = [12.0, 9.0, 4.0, 2.5, 1.0, -2.0]
            .map(|bits| rates.at(bits))
            .into();
        assert!(found.is_sorted(), "{found:?}");
        assert!(
            rates.at(20.0) < 1e-5,
            "above all scores the score itself tells"
        );
    }
}
