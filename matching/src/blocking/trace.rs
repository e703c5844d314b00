//! By which keys blocking brings two given records together, and why a key that they share does not.

use rayon::prelude::*;
use serde::Serialize;

use crate::mix::MixedMap;
use crate::population::{Population, Slot};
use crate::settings::Blocking;

use super::key::{is_small, keys, scheme_label};
use super::postings::narrow;

/// What became of a pair in the block of a key that both records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyOutcome {
    /// The block brought the two together.
    Compared,
    /// So many records share the key that it counts for nothing.
    TooManyRecords,
    /// So many records share the key that the block was split, and the two fell apart.
    SplitApart,
}

impl KeyOutcome {
    /// The outcome as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Compared => "brought them together",
            Self::TooManyRecords => "shared by too many records to count",
            Self::SplitApart => "shared by too many records: split, and they fell apart",
        }
    }
}

/// A key that two records share. It names the fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedKey {
    /// The fields that make up the key.
    pub key: &'static str,
    /// How many records have it.
    pub records: u64,
    /// What it did for the two.
    pub outcome: KeyOutcome,
}

/// The records that hold any of the keys which pairs share.
#[derive(Debug)]
pub(crate) struct Trace {
    holders: MixedMap<u64, Vec<Slot>>,
}

impl Trace {
    /// Looks for the holders of all keys that the records of any of the pairs share: one pass over the records.
    pub(crate) fn of(population: &Population, pairs: &[(Slot, Slot)]) -> Self {
        let shared = pairs
            .iter()
            .flat_map(|(a, b)| shared_keys(population, *a, *b));
        let mut holders: MixedMap<u64, Vec<Slot>> = shared.map(|key| (key, Vec::new())).collect();
        let slots: Vec<Slot> = (0..population.end()).collect();
        let find = |slot: &Slot| -> Vec<(u64, Slot)> {
            let own = keys_of(population, *slot).into_iter();
            own.filter(|key| holders.contains_key(key))
                .map(|key| (key, *slot))
                .collect()
        };
        let found: Vec<(u64, Slot)> = slots.par_iter().flat_map_iter(find).collect();
        for (key, slot) in found {
            if let Some(slots) = holders.get_mut(&key) {
                slots.push(slot);
            }
        }
        Self { holders }
    }

    /// The keys that two records share, with what each did.
    pub(crate) fn keys(
        &self,
        population: &Population,
        limits: &Blocking,
        pair: (Slot, Slot),
    ) -> Vec<SharedKey> {
        let shared = shared_keys(population, pair.0, pair.1).into_iter();
        let mut found: Vec<SharedKey> = shared
            .filter_map(|key| {
                let holders = self.holders.get(&key)?;
                Some(SharedKey {
                    key: scheme_label(key),
                    records: holders.len() as u64,
                    outcome: outcome(population, limits, key, holders, pair),
                })
            })
            .collect();
        found.sort_by_key(|shared| (shared.outcome as u8, shared.records, shared.key));
        found
    }
}

fn outcome(
    population: &Population,
    limits: &Blocking,
    key: u64,
    holders: &[Slot],
    (a, b): (Slot, Slot),
) -> KeyOutcome {
    if is_small(key) && holders.len() > limits.largest_small_block {
        return KeyOutcome::TooManyRecords;
    }
    if holders.len() <= limits.largest_block {
        return KeyOutcome::Compared;
    }
    let mut near = Vec::new();
    narrow(population, holders, a, limits, &mut near);
    if near.contains(&b) {
        KeyOutcome::Compared
    } else {
        KeyOutcome::SplitApart
    }
}

fn shared_keys(population: &Population, a: Slot, b: Slot) -> Vec<u64> {
    let others = keys_of(population, b);
    let mut shared = keys_of(population, a);
    shared.retain(|key| others.binary_search(key).is_ok());
    shared
}

/// The keys of a record, sorted.
fn keys_of(population: &Population, slot: Slot) -> Vec<u64> {
    let mut found = Vec::new();
    if let Some(person) = population.person(slot) {
        keys(population, person, &mut found);
    }
    found
}
