//! The scores of all compared pairs, counted while they pass by: only links and reviews are kept.

use std::collections::BTreeMap;

use crate::decide::Decision;
use crate::result::{LinkResult, Pair};

/// Scores beyond these stand in the outermost bins.
const LOWEST: f64 = -60.0;
const HIGHEST: f64 = 99.0;

/// Pairs of one bin by what was decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bin {
    pub(super) links: u64,
    pub(super) reviews: u64,
    pub(super) others: u64,
}

/// Counts of scores, one bin for each bit, and the pairs that were nearly looked at.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    bins: BTreeMap<i32, u64>,
    /// The best pair below the review band.
    pub(super) near_miss: Option<Pair>,
    /// The best pair that a rule kept apart.
    pub(super) kept_apart: Option<Pair>,
}

impl Scores {
    /// Counts compared pairs.
    pub(crate) fn add(&mut self, pairs: &[Pair]) {
        for pair in pairs {
            *self.bins.entry(bin(pair.bits)).or_insert(0) += 1;
            if pair.decision == Decision::NoLink {
                let best = if pair.is_open {
                    &mut self.near_miss
                } else {
                    &mut self.kept_apart
                };
                if best.is_none_or(|best| best.bits < pair.bits) {
                    *best = Some(*pair);
                }
            }
        }
    }

    /// The bins by what was decided in the end.
    pub(super) fn by_decision(&self, result: &LinkResult) -> BTreeMap<i32, Bin> {
        let mut bins: BTreeMap<i32, Bin> = BTreeMap::new();
        for pair in result.links() {
            bins.entry(bin(pair.bits)).or_default().links += 1;
        }
        for pair in result.reviews() {
            bins.entry(bin(pair.bits)).or_default().reviews += 1;
        }
        for (place, all) in &self.bins {
            let bin = bins.entry(*place).or_default();
            bin.others = all.saturating_sub(bin.links + bin.reviews);
        }
        bins
    }
}

fn bin(bits: f64) -> i32 {
    bits.floor().clamp(LOWEST, HIGHEST) as i32
}
