//! A Bloom filter of 1024 bits: the cryptographic long-term key (CLK) of one record.
//!
//! After Schnell, Bachteler and Reiher, "A novel error-tolerant anonymous linking code" (2011): the tokens of all fields
//! go into one filter, so that no part of it belongs to one field. What makes it harder to attack than theirs:
//! positions come from the output of a keyed hash and not from two hashes combined (double hashing was broken by
//! Niedermeyer et al. 2014), each field has its own key, and each known field sets the same number of positions
//! whatever its value, so that the count of set bits tells what is known and nothing of how long it is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::Mac as _;

use super::key::KeyedHash;

/// Name of the way of encoding, version included: encodings of two schemes can't be compared.
pub(super) const SCHEME: &str = "tandem-clk-1";

/// Bits of an encoding.
pub(super) const BITS: usize = 1024;
const WORDS: usize = BITS / 64;
const BYTES: usize = BITS / 8;

/// The bits of one record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter([u64; WORDS]);

impl Filter {
    pub(super) const EMPTY: Self = Self([0; WORDS]);

    /// Sets as many positions as wanted, drawn from the keyed hash of a token.
    pub(super) fn insert(&mut self, hash: &KeyedHash, token: &[u8], positions: u32) {
        let mut left = positions as usize;
        for block in 0..=u8::MAX {
            let mut hash = hash.clone();
            hash.update(&[block]);
            hash.update(token);
            let bytes = hash.finalize().into_bytes();
            for (low, high) in bytes.iter().zip(bytes.iter().skip(1)).step_by(2).take(left) {
                self.set(usize::from(u16::from_le_bytes([*low, *high])) % BITS);
            }
            left = left.saturating_sub(bytes.len() / 2);
            if left == 0 {
                return;
            }
        }
    }

    fn set(&mut self, position: usize) {
        if let Some(word) = self.0.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
    }

    pub(super) fn flip(&mut self, position: usize) {
        if let Some(word) = self.0.get_mut(position / 64) {
            *word ^= 1 << (position % 64);
        }
    }

    pub(super) fn bit(&self, position: usize) -> u64 {
        let word = self.0.get(position / 64).copied().unwrap_or_default();
        word >> (position % 64) & 1
    }

    /// How many bits are set.
    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// How many bits are set in both.
    pub(super) fn common(&self, other: &Self) -> u32 {
        let words = self.0.iter().zip(&other.0);
        words.map(|(one, two)| (one & two).count_ones()).sum()
    }

    pub(super) fn to_text(self) -> String {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        STANDARD_NO_PAD.encode(bytes)
    }

    /// Reads what [`Filter::to_text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let bytes: [u8; BYTES] = bytes.try_into().ok()?;
        let mut filter = Self::EMPTY;
        for (word, bytes) in filter.0.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(filter)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Filter({} bits set)", self.count())
    }
}
