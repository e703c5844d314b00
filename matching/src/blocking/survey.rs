//! What each kind of key contributes: made for reports and plans, beside the blocks that a run builds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::mix::{self, MixedMap};
use crate::population::{Population, Slot};
use crate::settings::Blocking;

use super::batch::Blocks;
use super::key::{scheme_labels, scheme_number, schemes};
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
type Reached = MixedMap<u64, u32>;

impl Survey {
    /// Counts the keys of all records, and which of them reach the pairs that were found.
    pub(crate) fn of(
        population: &Population,
        limits: &Blocking,
        found: impl Iterator<Item = (Slot, Slot)>,
    ) -> Self {
        let mut reached: Reached = found.map(|(a, b)| (mix::unordered(a, b), 0)).collect();
        let mut by_number: BTreeMap<usize, KeyStatistics> = scheme_labels()
            .map(|(number, key)| {
                let empty = KeyStatistics::default();
                (number, KeyStatistics { key, ..empty })
            })
            .collect();
        let mut block_sizes = BTreeMap::new();
        let mut sorter = Sorter::new();
        for scheme in schemes() {
            let pieces = sorter.visit(population, scheme, shared);
            for same_key in pieces
                .iter()
                .flat_map(|piece| piece.chunk_by(|a, b| a.0 == b.0))
            {
                let number = same_key.first().map_or(0, |entry| scheme_number(entry.0));
                let Some(statistics) = by_number.get_mut(&number) else {
                    continue;
                };
                let mut blocks = Blocks::new(limits);
                blocks.add(population, limits, same_key);
                statistics.shared_keys += 1;
                let records = same_key.len() as u64;
                statistics.pairs += records.saturating_mul(records - 1) / 2;
                for (members, is_window) in blocks.each() {
                    *block_sizes.entry(members.len()).or_insert(0) += 1;
                    let reach = if is_window { limits.window } else { usize::MAX };
                    let bit = 1_u32 << (number & 31);
                    statistics.pairs_kept += visit(members, reach, bit, &mut reached);
                }
            }
        }
        let mut keys: Vec<KeyStatistics> = by_number
            .into_iter()
            .map(|(number, statistics)| completed(number, statistics, &reached))
            .collect();
        keys.retain(|statistics| statistics.shared_keys > 0);
        Self { keys, block_sizes }
    }
}

/// The sorted entries whose key another record has, too.
fn shared(entries: &[Entry]) -> Vec<Entry> {
    let same_keys = entries.chunk_by(|a, b| a.0 == b.0);
    same_keys
        .filter(|same_key| same_key.len() > 1)
        .flatten()
        .copied()
        .collect()
}

/// Marks the pairs of a block that were found; how many pairs it has.
fn visit(members: &[Slot], reach: usize, bit: u32, reached: &mut Reached) -> u64 {
    let mut pairs = 0;
    for (place, one) in members.iter().enumerate() {
        for other in members.iter().skip(place + 1).take(reach) {
            pairs += 1;
            if reached.is_empty() {
                continue;
            }
            if let Some(mask) = reached.get_mut(&mix::unordered(*one, *other)) {
                *mask |= bit;
            }
        }
    }
    pairs
}

fn completed(number: usize, mut statistics: KeyStatistics, reached: &Reached) -> KeyStatistics {
    let bit = 1_u32 << (number & 31);
    statistics.pairs_dropped = statistics.pairs.saturating_sub(statistics.pairs_kept);
    for mask in reached.values().filter(|mask| **mask & bit != 0) {
        statistics.found += 1;
        statistics.found_alone += u64::from(*mask == bit);
    }
    statistics
}
