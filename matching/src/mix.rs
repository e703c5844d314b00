//! Mixing of values into 64-bit keys, and hash maps over keys that are mixed already.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Mixes one word so that every input bit reaches every output bit (the finaliser of
/// SplitMix64, Steele, Lea and Flood 2014).
pub(crate) fn word(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(ODD);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Mixes a second word into a key; the order of the two matters.
pub(crate) fn pair(key: u64, next: u64) -> u64 {
    word(key.rotate_left(25) ^ word(next))
}

/// Mixes two numbers into a key; their order does not matter.
pub(crate) fn unordered(a: u32, b: u32) -> u64 {
    word(u64::from(a.min(b)) << 32 | u64::from(a.max(b)))
}

/// Mixes a text into a key.
pub(crate) fn text(text: &str) -> u64 {
    let mut key = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0_u8; 8];
        for (target, source) in bytes.iter_mut().zip(chunk) {
            *target = *source;
        }
        key = pair(key, u64::from_le_bytes(bytes));
    }
    key
}

/// Passes a mixed key through: a second hash would cost time and add nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct MixedHasher(u64);

impl Hasher for MixedHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = pair(self.0, u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

/// A map whose keys are mixed already.
pub(crate) type MixedMap<K, V> = HashMap<K, V, BuildHasherDefault<MixedHasher>>;

/// How many records hold each value.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally(MixedMap<u64, u32>);

impl Tally {
    pub(crate) fn add(&mut self, value: u64) {
        *self.0.entry(value).or_insert(0) += 1;
    }

    pub(crate) fn remove(&mut self, value: u64) {
        if let Some(count) = self.0.get_mut(&value) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&value);
            }
        }
    }

    pub(crate) fn count(&self, value: u64) -> u32 {
        self.0.get(&value).copied().unwrap_or(0)
    }

    /// The values that at least so many of the sorted ones are.
    pub(crate) fn of_frequent(sorted: &[u64], least: usize) -> Self {
        let alike = sorted.chunk_by(|one, other| one == other);
        let frequent = alike.filter(|alike| alike.len() >= least);
        let counted = frequent.filter_map(|alike| Some((*alike.first()?, alike.len() as u32)));
        Self(counted.collect())
    }
}
