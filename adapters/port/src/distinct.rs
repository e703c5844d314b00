//! Counting distinct keys in little memory: about six bytes a key, so that a file of half a gigabyte fits into the memory
//! limit beside what its reader remembers.

use std::hash::{BuildHasher as _, RandomState};

/// Keys are spread by the first 16 bits of their hash, and each keeps 32 further bits.
const SHARDS: usize = 1 << 16;

/// A set of keys that only knows how many there are. Two keys count as one with a chance of about 2^-48 for each pair:
/// below one in fifty for a file of three million people.
pub(crate) struct Distinct {
    hasher: RandomState,
    /// Sorted remainders by shard.
    shards: Vec<Vec<u32>>,
    count: u64,
}

impl Distinct {
    /// No key yet.
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: vec![Vec::new(); SHARDS],
            count: 0,
        }
    }

    /// Adds a key.
    pub(crate) fn add(&mut self, key: &str) {
        let hash = self.hasher.hash_one(key);
        let [a, b, c, d, e, f, ..] = hash.to_be_bytes();
        let rest = u32::from_be_bytes([c, d, e, f]);
        let Some(shard) = self.shards.get_mut(usize::from(u16::from_be_bytes([a, b]))) else {
            return;
        };
        if let Err(place) = shard.binary_search(&rest) {
            if shard.len() == shard.capacity() {
                // A quarter more at a time: doubling would waste half of the memory.
                shard.reserve_exact(shard.len() / 4 + 2);
            }
            shard.insert(place, rest);
            self.count += 1;
        }
    }

    /// How many keys there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_once_however_often_it_comes() {
        let mut distinct = Distinct::new();
        for _ in 0..2 {
            (0..100_000).for_each(|key| distinct.add(&format!("person-{key}")));
        }
        assert_eq!(distinct.count(), 100_000);
    }
}
