//! Pairs that show how decisions come about: a sure one, those at the thresholds, and those that were kept apart.

use std::collections::BTreeMap;

use crate::account::{FieldAccount, fields};
use crate::decide::{Decision, Note};
use crate::record::RecordKey;
use crate::result::{LinkResult, Pair};
use crate::score::Scorer;

use super::scores::Scores;

/// Where in the order of their scores, the lowest first, a clear link stands.
const CLEAR: f64 = 0.9;

/// A pair with everything that the page says about it.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    /// The records, for those who may see their values.
    pub(super) keys: (RecordKey, RecordKey),
    /// Line of the pair in the table of links; none for a pair that is not there.
    pub(super) line: Option<usize>,
    pub(super) decision: Decision,
    pub(super) notes: Vec<Note>,
    pub(super) bits: f64,
    pub(super) prior_bits: f64,
    pub(super) household_bits: f64,
    pub(super) fields: Vec<FieldAccount>,
    /// Values by field, of the one record and of the other; none unless they may be shown.
    pub(super) values: Option<[BTreeMap<&'static str, String>; 2]>,
}

/// The examples of a run, each pair once.
pub(super) fn choose(result: &LinkResult, scores: &Scores) -> Vec<Example> {
    let mut links: Vec<&Pair> = result.links().iter().collect();
    links.sort_by(|a, b| a.bits.total_cmp(&b.bits));
    let clear = links.get((links.len() as f64 * CLEAR) as usize).copied();
    let thresholds = &result.settings().thresholds;
    let middle = f64::midpoint(thresholds.link_bits, thresholds.review_bits);
    let distance = |pair: &&Pair| (pair.bits - middle).abs();
    let review = result
        .reviews()
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    let chosen = [
        ("clear-link", "A clear link", clear),
        (
            "near-threshold",
            "The link nearest to the threshold",
            links.first().copied(),
        ),
        ("review", "A pair for review", review),
        (
            "near-miss",
            "A near miss: the best pair below the review band",
            scores.near_miss.as_ref(),
        ),
        (
            "kept-apart",
            "The best pair that a rule kept apart",
            scores.kept_apart.as_ref(),
        ),
    ];
    let mut examples: Vec<Example> = Vec::new();
    for (id, heading, pair) in chosen {
        let found = pair.and_then(|pair| example(result, pair, (id, heading)));
        let is_new = |found: &Example| examples.iter().all(|other| other.keys != found.keys);
        let found = found.filter(is_new);
        examples.extend(found);
    }
    examples
}

fn example(
    result: &LinkResult,
    pair: &Pair,
    (id, heading): (&'static str, &'static str),
) -> Option<Example> {
    let scorer = Scorer::new(&result.model, result.population.len());
    let score = scorer.score(&pair.evidence);
    Some(Example {
        id,
        heading,
        keys: (result.key(pair.a())?, result.key(pair.b())?),
        line: line(result, pair),
        decision: pair.decision,
        notes: pair.notes.iter().collect(),
        bits: pair.bits,
        prior_bits: score.prior_bits,
        household_bits: score.household_bits,
        fields: fields(&scorer, &pair.evidence),
        values: None,
    })
}

/// Links come first in their table, then reviews, below a header.
fn line(result: &LinkResult, pair: &Pair) -> Option<usize> {
    let mut written = result.links().iter().chain(result.reviews());
    let place = written.position(|other| (other.a, other.b) == (pair.a, pair.b))?;
    Some(place + 2)
}
