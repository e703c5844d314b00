//! What each kind of key contributes: made for reports and plans, beside the blocks that a run builds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;

use crate::mix::{self, MixedMap};
use crate::population::{Population, Slot};
use crate::settings::Blocking;

use super::batch::Blocks;
use super::key::{scheme_labels, schemes};
use super::sorter::{Entry, Sorter};

/// What the keys of one kind do. A pair that has several keys is counted for each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyStatistics {
    /// The fields that make up the key.
    pub key: &'static str,
    /// Keys that two records or more share.
    pub shared_keys: u64,
    /// Pairs of records that share one.
    pub pairs: u64,
    /// Those of them that it brings to comparison.
    pub pairs_kept: u64,
    /// The rest: of blocks that are too large to count, that were split, or in which only neighbours are compared.
    pub pairs_dropped: u64,
    /// Links and reviews among the pairs kept; 0 in a plan.
    pub found: u64,
    /// Links and reviews that no other kind of key reaches; 0 in a plan.
    pub found_alone: u64,
}

/// What all keys do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// By kind of key, those in use.
    pub keys: Vec<KeyStatistics>,
    /// How many blocks, after splitting, hold so many records.
    pub block_sizes: BTreeMap<usize, u64>,
}

/// One bit for each kind of key that reached a pair.
type Reached = MixedMap<u64, AtomicU32>;

impl Survey {
    /// Counts the keys of all records, and which of them reach the pairs that were found.
    pub(crate) fn of(
        population: &Population,
        limits: &Blocking,
        found: impl Iterator<Item = (Slot, Slot)>,
    ) -> Self {
        let reached = found.map(|(a, b)| (mix::unordered(a, b), AtomicU32::new(0)));
        let reached: Reached = reached.collect();
        let mut survey = Self::default();
        let mut sorter = Sorter::new();
        for (scheme, (number, key)) in schemes().zip(scheme_labels()) {
            let bit = 1_u32 << (number & 31);
            let pieces = sorter.visit(population, scheme, |entries| {
                Piece::of(population, limits, entries, bit, &reached)
            });
            let mut statistics = KeyStatistics {
                key,
                ..KeyStatistics::default()
            };
            for piece in pieces {
                statistics.shared_keys += piece.shared_keys;
                statistics.pairs += piece.pairs;
                statistics.pairs_kept += piece.pairs_kept;
                for (size, blocks) in piece.block_sizes {
                    *survey.block_sizes.entry(size).or_insert(0) += blocks;
                }
            }
            survey.keys.push(statistics);
        }
        for (statistics, (number, _)) in survey.keys.iter_mut().zip(scheme_labels()) {
            complete(statistics, 1 << (number & 31), &reached);
        }
        survey.keys.retain(|statistics| statistics.shared_keys > 0);
        survey
    }
}

/// What a part of the keys of one kind does.
#[derive(Default)]
struct Piece {
    shared_keys: u64,
    pairs: u64,
    pairs_kept: u64,
    block_sizes: BTreeMap<usize, u64>,
}

impl Piece {
    /// Counts the keys of a piece and marks the pairs that they reach.
    fn of(
        population: &Population,
        limits: &Blocking,
        entries: &[Entry],
        bit: u32,
        reached: &Reached,
    ) -> Self {
        let mut piece = Self::default();
        let same_keys = entries.chunk_by(|a, b| a.0 == b.0);
        for records in same_keys.map(|same_key| same_key.len() as u64) {
            piece.shared_keys += u64::from(records > 1);
            piece.pairs += records.saturating_mul(records - 1) / 2;
        }
        let mut blocks = Blocks::new(limits);
        blocks.add(population, limits, entries);
        for (members, is_window) in blocks.each() {
            *piece.block_sizes.entry(members.len()).or_insert(0) += 1;
            let reach = if is_window { limits.window } else { usize::MAX };
            piece.pairs_kept += mark(members, reach, bit, reached);
        }
        piece
    }
}

/// Marks the pairs of a block that were found; how many pairs it has.
fn mark(members: &[Slot], reach: usize, bit: u32, reached: &Reached) -> u64 {
    let mut pairs = 0;
    for (place, one) in members.iter().enumerate() {
        for other in members.iter().skip(place + 1).take(reach) {
            pairs += 1;
            if reached.is_empty() {
                continue;
            }
            if let Some(mask) = reached.get(&mix::unordered(*one, *other)) {
                mask.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }
    pairs
}

/// Adds what is known once all kinds of keys were looked at.
fn complete(statistics: &mut KeyStatistics, bit: u32, reached: &Reached) {
    statistics.pairs_dropped = statistics.pairs.saturating_sub(statistics.pairs_kept);
    let masks = reached.values().map(|mask| mask.load(Ordering::Relaxed));
    for mask in masks.filter(|mask| mask & bit != 0) {
        statistics.found += 1;
        statistics.found_alone += u64::from(mask == bit);
    }
}
