//! Estimation of the probabilities of the class `same` without labels, by expectation and
//! maximisation on the counts of distinct patterns.
//!
//! The probabilities among strangers are fixed by pairs drawn at random, so that "same name" cannot be
//! learnt as the class of matches; those of the household classes stay as set, since blocks show only the
//! relatives who share something. How many relatives a record has follows from how many records
//! share a dwelling beyond those of one person. Which pairs a block brings
//! together depends on their levels alone, so the posterior of a pair in a block is that of a pair
//! anywhere, and pairs that no block reaches are few among true matches.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::Serialize;
use thiserror::Error;

use crate::blocking::Blocks;
use crate::compare::Comparer;
use crate::field::{AddressLevel, FIELDS, Field, LEVELS, Pattern};
use crate::mix;
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::score::{Evidence, Scorer};
use crate::settings::{Prior, Probabilities, Settings};

/// Pairs drawn at random to see what strangers have in common.
const DRAWN_PAIRS: u64 = 400_000;
/// Pairs' worth of belief in the set probabilities, against what is counted.
const BELIEF: f64 = 50.0;
/// Matches below which nothing can be learnt.
const FEWEST_MATCHES: f64 = 100.0;
/// The most of the expected matches that may lie in pairs between 1 : 9 and 9 : 1.
const MOST_DOUBTFUL: f64 = 0.25;
/// Share of the records that must have an address before dwellings tell how many relatives there are.
const FEWEST_HOUSED: f64 = 0.2;
const ROUNDS: usize = 30;
const SETTLED: f64 = 1e-4;

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

type Counts = HashMap<Pattern, f64>;
type Levels = [[f64; LEVELS]; FIELDS];

/// Estimates settings from a population.
pub(crate) fn estimate(
    population: &Population,
    model: &Model,
    blocks: &Blocks,
) -> Result<(Settings, Estimate), EstimateError> {
    let drawn = draw(population, model);
    let mut settings = with_strangers(&model.settings, &drawn);
    let counts = count(population, model, blocks);
    let mut rounds = 0;
    loop {
        rounds += 1;
        let current = Model::new(settings.clone());
        let (matched, _) = expect(&current, population.len(), &counts);
        let mut next = with_matches(&settings, &model.settings, &matched);
        next.prior = prior(population, &model.settings, &matched);
        let change = largest_change(&settings, &next);
        settings = next;
        if change < SETTLED || rounds == ROUNDS {
            break;
        }
    }
    let (matched, doubtful) = expect(&Model::new(settings.clone()), population.len(), &counts);
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
        patterns: counts.len(),
        rounds,
        expected_matches: expected,
        doubtful_share: share,
    };
    Ok((settings, report))
}

/// Expected matches, in all and by field and level.
#[derive(Default)]
struct Matched {
    total: f64,
    within: f64,
    levels: Levels,
}

impl Matched {
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

fn expect(model: &Model, population: usize, counts: &Counts) -> (Matched, f64) {
    let scorer = Scorer::new(model, population);
    let mut patterns: Vec<(&Pattern, &f64)> = counts.iter().collect();
    // One order of adding up, so that the same records give the same estimate.
    patterns.sort_unstable_by_key(|(pattern, _)| **pattern);
    let (mut matched, mut doubtful) = (Matched::default(), 0.0);
    for (pattern, count) in patterns {
        let evidence = Evidence {
            pattern: *pattern,
            ..Evidence::default()
        };
        let odds = scorer.score(&evidence).bits.exp2();
        let share = if odds.is_finite() {
            odds / (1.0 + odds)
        } else {
            1.0
        };
        matched.add(*pattern, share * count);
        if (0.1..=0.9).contains(&share) {
            doubtful += share * count;
        }
    }
    (matched, doubtful)
}

/// Fewest records of a class that a record is taken to have: no class is ever ruled out.
const FEWEST: f64 = 0.005;

/// Expected records by class. Dwellings of more records than one household's are left out.
fn prior(population: &Population, set: &Settings, matched: &Matched) -> Prior {
    let records = population.len().max(1) as f64;
    let per_record = |pairs: f64| (2.0 * pairs / records).max(FEWEST);
    let ordinary = set.frequency.ordinary_holders;
    let dwellings = || {
        population
            .frequencies
            .dwellings
            .counts()
            .filter(|count| *count <= ordinary)
    };
    let housed: f64 = dwellings().map(f64::from).sum();
    let sharing: f64 = dwellings()
        .map(f64::from)
        .map(|count| count * (count - 1.0) / 2.0)
        .sum();
    let level = AddressLevel::Dwelling;
    let same = matched
        .levels
        .get(Field::Address as usize)
        .and_then(|row| row.get(level as usize));
    let others = (sharing - same.copied().unwrap_or(0.0)).max(0.0);
    let relatives = if housed < records * FEWEST_HOUSED {
        set.prior.relatives
    } else {
        let together = set
            .level(Field::Address, "dwelling")
            .map_or(1.0, |level| level.relative);
        (2.0 * others / housed / together).max(FEWEST * 10.0)
    };
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

/// Levels of pairs drawn at random; the draw depends on nothing but the number of records.
fn draw(population: &Population, model: &Model) -> Matched {
    let comparer = Comparer::new(population, model);
    let scorer = Scorer::new(model, population.len());
    let end = u64::from(population.end()).max(1);
    let mut drawn = Matched::default();
    for number in 0..DRAWN_PAIRS {
        let a = (mix::word(number * 2) % end) as Slot;
        let b = (mix::word(number * 2 + 1) % end) as Slot;
        let (Some(one), Some(other)) = (population.person(a), population.person(b)) else {
            continue;
        };
        if a != b {
            // In a small table some drawn pairs are no strangers: they count by the chance that
            // they are.
            let evidence = comparer.compare(one, other);
            drawn.add(evidence.pattern, scorer.stranger_share(&evidence));
        }
    }
    drawn
}

fn count(population: &Population, model: &Model, blocks: &Blocks) -> Counts {
    let comparer = Comparer::new(population, model);
    let slots: Vec<Slot> = (0..population.end()).collect();
    let count_task = |slots: &[Slot]| {
        let (mut counts, mut partners) = (Counts::new(), Vec::new());
        for slot in slots {
            blocks.partners(population, *slot, &mut partners);
            for other in &partners {
                if let (Some(one), Some(other)) =
                    (population.person(*slot), population.person(*other))
                {
                    *counts
                        .entry(comparer.compare(one, other).pattern)
                        .or_insert(0.0) += 1.0;
                }
            }
        }
        counts
    };
    slots
        .par_chunks(16_384)
        .map(count_task)
        .reduce(Counts::new, |mut all, some| {
            for (pattern, count) in some {
                *all.entry(pattern).or_insert(0.0) += count;
            }
            all
        })
}
