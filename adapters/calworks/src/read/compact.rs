//! Sets of 64-bit fingerprints that take about ten bytes an entry, so that a file of half a gigabyte fits into the
//! memory limit. Two different keys share a fingerprint with a chance of about 10^-6 in a file of five million records.

use std::hash::{BuildHasher, Hasher, RandomState};

const SHARDS: usize = 4096;
const FIRST_SLOTS: usize = 16;

/// Makes fingerprints that cannot be predicted from outside, so that nobody can craft colliding cases.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    /// The fingerprint of a key given in parts; never 0.
    #[must_use]
    pub(crate) fn of(&self, parts: &[&str]) -> u64 {
        let mut hasher = self.0.build_hasher();
        for part in parts {
            hasher.write(part.as_bytes());
            hasher.write_u8(0xff);
        }
        hasher.finish().max(1)
    }
}

/// A map from fingerprints to small values: open addressing in shards that grow by an eighth at a time, so that growing
/// never holds two copies of the whole.
#[derive(Debug)]
pub(crate) struct CompactMap<V> {
    shards: Vec<Shard<V>>,
}

/// What a shard keeps of a key: its upper 48 bits, never all zero, which marks a free slot. The lower bits chose the
/// shard.
type Rest = [u8; 6];

const FREE: Rest = [0; 6];

fn rest(key: u64) -> Rest {
    let [a, b, c, d, e, f, ..] = key.to_be_bytes();
    match [a, b, c, d, e, f] {
        FREE => [0, 0, 0, 0, 0, 1],
        rest => rest,
    }
}

/// The slot, of so many, where the search for a key begins.
fn first_slot(rest: Rest, slots: usize) -> usize {
    let [a, b, c, d, e, f] = rest;
    let high = u64::from_be_bytes([a, b, c, d, e, f, 0, 0]);
    usize::try_from((u128::from(high) * slots as u128) >> 64).unwrap_or(0)
}

#[derive(Debug)]
struct Shard<V> {
    keys: Vec<Rest>,
    values: Vec<V>,
    used: usize,
}

impl<V: Copy + Default> Default for CompactMap<V> {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS)
                .map(|_| Shard {
                    keys: Vec::new(),
                    values: Vec::new(),
                    used: 0,
                })
                .collect(),
        }
    }
}

impl<V: Copy + Default> CompactMap<V> {
    /// The value of a key, inserted as default when it is new. The flag says whether it was new.
    pub(crate) fn entry(&mut self, key: u64) -> (Option<&mut V>, bool) {
        let shard = usize::try_from(key % SHARDS as u64).unwrap_or(0);
        match self.shards.get_mut(shard) {
            Some(shard) => shard.entry(rest(key)),
            None => (None, false),
        }
    }

    /// Every value.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.shards.iter().flat_map(|shard| {
            shard
                .keys
                .iter()
                .zip(&shard.values)
                .filter(|(key, _)| **key != FREE)
                .map(|(_, value)| value)
        })
    }

    /// The value of a key.
    #[must_use]
    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        let shard = self
            .shards
            .get(usize::try_from(key % SHARDS as u64).ok()?)?;
        let key = rest(key);
        let place = shard.find(key)?;
        (shard.keys.get(place) == Some(&key))
            .then(|| shard.values.get(place))
            .flatten()
    }
}

impl<V: Copy + Default> Shard<V> {
    /// The slot of a key, or the free slot where it belongs. Terminates since an eighth of the slots is always free.
    fn find(&self, key: Rest) -> Option<usize> {
        let slots = self.keys.len();
        if slots == 0 {
            return None;
        }
        let first = first_slot(key, slots);
        (first..slots).chain(0..first).find(
            |place| matches!(self.keys.get(*place), Some(found) if *found == key || *found == FREE),
        )
    }

    fn entry(&mut self, key: Rest) -> (Option<&mut V>, bool) {
        if self.used * 8 >= self.keys.len() * 7 {
            self.grow();
        }
        let Some(place) = self.find(key) else {
            return (None, false);
        };
        let mut is_new = false;
        if let Some(slot) = self.keys.get_mut(place) {
            is_new = *slot == FREE;
            *slot = key;
        }
        self.used += usize::from(is_new);
        (self.values.get_mut(place), is_new)
    }

    fn grow(&mut self) {
        let slots = (self.keys.len() + self.keys.len() / 8).max(FIRST_SLOTS);
        let keys = std::mem::replace(&mut self.keys, vec![FREE; slots]);
        let values = std::mem::replace(&mut self.values, vec![V::default(); slots]);
        for (key, value) in keys.into_iter().zip(values).filter(|(key, _)| *key != FREE) {
            if let Some(place) = self.find(key) {
                if let Some(slot) = self.keys.get_mut(place) {
                    *slot = key;
                }
                if let Some(slot) = self.values.get_mut(place) {
                    *slot = value;
                }
            }
        }
    }
}

/// A set of fingerprints.
#[derive(Debug, Default)]
pub(crate) struct CompactSet(CompactMap<()>);

impl CompactSet {
    /// Inserts a key; `true` when it was new.
    pub(crate) fn insert(&mut self, key: u64) -> bool {
        self.0.entry(key).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_remembers_every_key_while_it_grows() {
        let fingerprints = Fingerprints::default();
        let mut set = CompactSet::default();
        let keys: Vec<u64> = (0..50_000)
            .map(|n: u32| fingerprints.of(&["key", &n.to_string()]))
            .collect();
        assert!(keys.iter().all(|key| set.insert(*key)));
        assert!(keys.iter().all(|key| !set.insert(*key)));
    }

    #[test]
    fn parts_do_not_run_together() {
        let fingerprints = Fingerprints::default();
        assert_ne!(fingerprints.of(&["ab", "c"]), fingerprints.of(&["a", "bc"]));
    }

    #[test]
    fn a_map_keeps_its_values_while_it_grows() {
        let mut map = CompactMap::<u32>::default();
        for key in 1..5_000_u64 {
            let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *map.entry(spread).0.unwrap() = key as u32;
        }
        for key in 1..5_000_u64 {
            assert_eq!(
                map.get(key.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                Some(&(key as u32))
            );
        }
        assert_eq!(map.values().count(), 4_999);
    }
}
