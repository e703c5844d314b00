//! Estimation of the probabilities of the class `same` without labels, by expectation and
//! maximisation on the counts of distinct patterns.
//!
//! The probabilities among strangers are fixed by pairs drawn at random, so that "same name" cannot be
//! learnt as the class of matches; those of the household classes stay as set, since blocks show only the
//! relatives who share something. How many relatives a record has follows from how many records
//! share a dwelling beyond those of one person. Which pairs a block brings
//! together depends on their levels alone, so the posterior of a pair in a block is that of a pair
//! anywhere, and pairs that no block reaches are few among true matches.

mod count;
mod housing;

use rayon::prelude::*;
use serde::Serialize;
use thiserror::Error;

use crate::blocking::Blocks;
use crate::field::{FIELDS, Field, LEVELS, Pattern};
use crate::model::Model;
use crate::population::Population;
use crate::score::{Evidence, Scorer};
use crate::settings::{Prior, Probabilities, Settings};

use count::{Counts, DRAWN_PAIRS, PARTS};
use housing::Housing;

/// Pairs' worth of belief in the set probabilities, against what is counted.
const BELIEF: f64 = 50.0;
/// Matches below which nothing can be learnt.
const FEWEST_MATCHES: f64 = 100.0;
/// The most of the expected matches that may lie in pairs between 1 : 9 and 9 : 1.
const MOST_DOUBTFUL: f64 = 0.25;
const ROUNDS: usize = 30;
const SETTLED: f64 = 1e-4;
/// Fewest records of a class that a record is taken to have: no class is ever ruled out.
const FEWEST: f64 = 0.005;

/// Why nothing could be estimated.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// The records hold too few matches.
    #[error(
        "too few matches to learn from: about {expected:.0}, expected at least {FEWEST_MATCHES}"
    )]
    TooFew {
        /// Expected number of matching pairs.
        expected: f64,
    },
    /// Too many pairs are neither clearly one person nor clearly two.
    #[error("the classes do not separate: {:.0} % of the matches are doubtful", share * 100.0)]
    NotSeparated {
        /// Share of the expected matches that is in doubtful pairs.
        share: f64,
    },
    /// Agreement would speak against a match.
    #[error("agreement on {} would speak against a match", field.label())]
    Reversed {
        /// The field.
        field: Field,
    },
}

/// What an estimation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Distinct patterns among the compared pairs.
    pub patterns: usize,
    /// Rounds until the probabilities settled.
    pub rounds: usize,
    /// Expected number of matching pairs among those compared.
    pub expected_matches: f64,
    /// Share of them that lies in doubtful pairs.
    pub doubtful_share: f64,
}

type Levels = [[f64; LEVELS]; FIELDS];

/// What was counted, from which the probabilities follow.
#[derive(Debug)]
pub(crate) struct Estimation {
    /// The settings before anything was learnt.
    set: Settings,
    /// The same with the strangers' probabilities as drawn.
    start: Settings,
    counts: Counts,
    housing: Housing,
}

impl Estimation {
    pub(crate) fn of(population: &Population, model: &Model, blocks: &Blocks) -> Self {
        Self {
            set: model.settings.clone(),
            start: with_strangers(&model.settings, &count::drawn(population, model)),
            counts: Counts::of(population, model, blocks),
            housing: Housing::of(population, &model.settings),
        }
    }

    /// The settings that the records show.
    pub(crate) fn settings(&self) -> Result<(Settings, Estimate), EstimateError> {
        let (mut settings, rounds) = self.settle(None);
        let (matched, doubtful) = self.expect(&settings, None);
        // The records themselves show what pairs without an anchor are worth, and whether there are households.
        settings.thresholds.anchored_links = false;
        settings.thresholds.household_rules &= !self.housing.is_of_single_people(&matched);
        let expected = matched.total;
        if expected < FEWEST_MATCHES {
            return Err(EstimateError::TooFew { expected });
        }
        let share = doubtful / expected;
        if share > MOST_DOUBTFUL {
            return Err(EstimateError::NotSeparated { share });
        }
        check_direction(&settings)?;
        let report = Estimate {
            patterns: self.counts.len(),
            rounds,
            expected_matches: expected,
            doubtful_share: share,
        };
        Ok((settings, report))
    }

    /// The settings that would have been found without each part of the pairs.
    pub(crate) fn without_each_part(&self) -> Vec<Settings> {
        let parts: Vec<usize> = (0..PARTS).collect();
        let settled = parts.par_iter().map(|part| self.settle(Some(*part)).0);
        settled.collect()
    }

    fn settle(&self, left_out: Option<usize>) -> (Settings, usize) {
        let mut settings = self.start.clone();
        for round in 1..=ROUNDS {
            let (matched, _) = self.expect(&settings, left_out);
            let mut next = with_matches(&settings, &self.set, &matched);
            next.prior = prior(&self.housing, &self.set, &matched);
            let change = largest_change(&settings, &next);
            settings = next;
            if change < SETTLED {
                return (settings, round);
            }
        }
        (settings, ROUNDS)
    }

    /// Expected matches, and how many of them are in doubtful pairs.
    fn expect(&self, settings: &Settings, left_out: Option<usize>) -> (Matched, f64) {
        let model = Model::new(settings.clone());
        let scorer = Scorer::new(&model, self.housing.records);
        let (mut matched, mut doubtful) = (Matched::default(), 0.0);
        for (pattern, count) in self.counts.without(left_out) {
            let evidence = Evidence {
                pattern,
                ..Evidence::default()
            };
            let share = 1.0 - scorer.score(&evidence).false_share();
            matched.add(pattern, share * count);
            if (0.1..=0.9).contains(&share) {
                doubtful += share * count;
            }
        }
        (matched, doubtful)
    }
}

/// Expected matches, in all and by field and level.
#[derive(Debug, Default)]
struct Matched {
    total: f64,
    within: f64,
    levels: Levels,
}

impl Matched {
    fn plus(mut self, other: &Self) -> Self {
        self.total += other.total;
        self.within += other.within;
        for (levels, others) in self.levels.iter_mut().zip(&other.levels) {
            for (level, other) in levels.iter_mut().zip(others) {
                *level += other;
            }
        }
        self
    }

    fn add(&mut self, pattern: Pattern, weight: f64) {
        self.total += weight;
        if pattern.is_same_system() {
            self.within += weight;
        }
        for (field, levels) in Field::ALL.iter().zip(&mut self.levels) {
            if let Some(level) = levels.get_mut(usize::from(pattern.level(*field))) {
                *level += weight;
            }
        }
    }
}

/// Expected records by class.
fn prior(housing: &Housing, set: &Settings, matched: &Matched) -> Prior {
    let per_record = |pairs: f64| (2.0 * pairs / housing.records.max(1) as f64).max(FEWEST);
    let relatives = housing.relatives(set, matched);
    Prior {
        matches_across_systems: per_record(matched.total - matched.within),
        matches_within_system: per_record(matched.within),
        relatives,
        twins: set.prior.twins * relatives / set.prior.relatives,
        minimum_population: set.prior.minimum_population,
    }
}

fn with_matches(settings: &Settings, set: &Settings, matched: &Matched) -> Settings {
    replaced(settings, &matched.levels, |field, label, share, total| {
        let belief = set.level(field, label).map_or(0.0, |level| level.same);
        let old = settings.level(field, label)?;
        let same = (share + BELIEF * belief) / (total + BELIEF);
        Some(Probabilities { same, ..old })
    })
}

fn with_strangers(set: &Settings, drawn: &Matched) -> Settings {
    // Rare agreements need more pairs than are drawn: there the set value keeps its say.
    let belief = DRAWN_PAIRS as f64 / 10.0;
    replaced(set, &drawn.levels, |field, label, share, total| {
        let old = set.level(field, label)?;
        let stranger = (share + belief * old.stranger) / (total + belief);
        Some(Probabilities { stranger, ..old })
    })
}

fn replaced(
    settings: &Settings,
    levels: &Levels,
    new: impl Fn(Field, &str, f64, f64) -> Option<Probabilities>,
) -> Settings {
    let mut next = settings.clone();
    for (field, counts) in Field::ALL.iter().zip(levels) {
        let total: f64 = counts.iter().skip(1).sum();
        let Some(table) = next.fields.get_mut(field.label()) else {
            continue;
        };
        for (label, count) in field.levels().iter().zip(counts.iter().skip(1)) {
            if let (Some(place), Some(found)) =
                (table.get_mut(*label), new(*field, label, *count, total))
            {
                *place = found;
            }
        }
    }
    next
}

fn largest_change(before: &Settings, after: &Settings) -> f64 {
    let levels = Field::ALL
        .iter()
        .flat_map(|field| field.levels().iter().map(move |label| (*field, *label)));
    let changes = levels.filter_map(|(field, label)| {
        Some((before.level(field, label)?.same - after.level(field, label)?.same).abs())
    });
    changes.fold(0.0, f64::max)
}

fn check_direction(settings: &Settings) -> Result<(), EstimateError> {
    for field in [
        Field::FirstName,
        Field::LastName,
        Field::BirthDate,
        Field::Ssn,
    ] {
        let first = field
            .levels()
            .first()
            .and_then(|label| settings.level(field, label));
        if first.is_some_and(|level| level.same <= level.stranger) {
            return Err(EstimateError::Reversed { field });
        }
    }
    Ok(())
}
