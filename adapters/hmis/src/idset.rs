//! Sets of identifiers in bounded memory: 64-bit hashes in many small sorted runs.
//!
//! A hash set doubles at once, and a 500 MB export has millions of keys: many small runs grow one at a time
//! and cost about ten bytes for each key. Two different identifiers share a hash about once in 10^5
//! exports of ten million keys.

use std::hash::{DefaultHasher, Hash, Hasher};

const SHARD_BITS: u32 = 12;

/// The hash by which identifiers are remembered. Only used inside one reading.
pub(crate) fn id_hash(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// A map from hashed identifiers to small values. Keys and values lie apart, so that no byte is lost to alignment.
#[derive(Debug)]
pub(crate) struct IdMap<V> {
    shards: Vec<Shard<V>>,
}

#[derive(Debug)]
struct Shard<V> {
    keys: Vec<u64>,
    values: Vec<V>,
}

impl<V: Copy> Shard<V> {
    fn insert(&mut self, index: usize, key: u64, value: V) {
        if self.keys.len() == self.keys.capacity() {
            let more = (self.keys.len() / 8).max(4);
            self.keys.reserve_exact(more);
            self.values.reserve_exact(more);
        }
        self.keys.insert(index, key);
        self.values.insert(index, value);
    }
}

impl<V: Copy> IdMap<V> {
    pub(crate) fn new() -> Self {
        Self { shards: Vec::new() }
    }

    /// The value under the key, put there first when the key is new; and whether it was new.
    pub(crate) fn entry(&mut self, key: u64, value: V) -> Option<(&mut V, bool)> {
        if self.shards.is_empty() {
            self.shards.resize_with(1 << SHARD_BITS, || Shard {
                keys: Vec::new(),
                values: Vec::new(),
            });
        }
        let shard = self.shards.get_mut(shard_of(key))?;
        let (index, is_new) = match shard.keys.binary_search(&key) {
            Ok(index) => (index, false),
            Err(index) => {
                shard.insert(index, key, value);
                (index, true)
            }
        };
        shard.values.get_mut(index).map(|held| (held, is_new))
    }

    pub(crate) fn get(&self, key: u64) -> Option<V> {
        let shard = self.shards.get(shard_of(key))?;
        let index = shard.keys.binary_search(&key).ok()?;
        shard.values.get(index).copied()
    }
}

/// A set of hashed identifiers.
#[derive(Debug)]
pub(crate) struct IdSet(IdMap<()>);

impl IdSet {
    pub(crate) fn new() -> Self {
        Self(IdMap::new())
    }

    /// Adds the key; whether it was new.
    pub(crate) fn insert(&mut self, key: u64) -> bool {
        self.0.entry(key, ()).is_some_and(|(_, is_new)| is_new)
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.0.get(key).is_some()
    }
}

fn shard_of(key: u64) -> usize {
    usize::try_from(key >> (u64::BITS - SHARD_BITS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn map_holds_what_a_hash_map_holds(keys in proptest::collection::vec(any::<u64>(), 0..300)) {
            let mut model = HashMap::new();
            let mut map = IdMap::new();
            for (value, key) in keys.iter().enumerate() {
                let is_new = !model.contains_key(key);
                let held = *model.entry(*key).or_insert(value);
                prop_assert_eq!(map.entry(*key, value).map(|(v, new)| (*v, new)), Some((held, is_new)));
            }
            for key in &keys {
                prop_assert_eq!(map.get(*key), model.get(key).copied());
            }
            prop_assert_eq!(map.get(7), model.get(&7).copied());
        }
    }
}
