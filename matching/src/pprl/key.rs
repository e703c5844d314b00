//! The secret that agencies share so that their encodings can be compared.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::filter::SCHEME;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Fewest different bytes of a key. Of 32 random bytes about 30 differ; fewer than 16 do once in 10^12 keys.
const FEWEST_DISTINCT: usize = 16;
const CHECK_BYTES: usize = 8;

/// HMAC-SHA-256 (RFC 2104, FIPS 180-4) with its key in place.
pub(super) type KeyedHash = Hmac<Sha256>;

/// Why a text is no key. Never tells the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PprlKeyError {
    /// Not 32 bytes in hexadecimal digits.
    #[error("expected a key of 64 hexadecimal digits")]
    Malformed,
    /// A key that somebody typed, or that a pattern makes.
    #[error("expected a key of 32 random bytes; this one follows a pattern")]
    Weak,
}

/// The secret key of an exchange. Whoever holds it can try names against encodings: the agencies do, a linkage unit
/// must not.
#[derive(Clone)]
pub struct PprlKey(Zeroizing<[u8; KEY_BYTES]>);

impl PprlKey {
    /// A key from random bytes.
    ///
    /// # Errors
    /// [`PprlKeyError::Weak`] when the bytes are not random.
    pub fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Result<Self, PprlKeyError> {
        if is_weak(&bytes) {
            return Err(PprlKeyError::Weak);
        }
        Ok(Self(bytes))
    }

    /// Reads 64 hexadecimal digits, blanks around them allowed.
    ///
    /// # Errors
    /// [`PprlKeyError`] when the text is no key or a weak one.
    pub fn parse(text: &str) -> Result<Self, PprlKeyError> {
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        hex::decode_to_slice(text.trim(), bytes.as_mut()).map_err(|_| PprlKeyError::Malformed)?;
        Self::new(bytes)
    }

    /// The key as a key file holds it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", hex::encode(self.0.as_slice())))
    }

    /// The hash of one purpose: another purpose or scheme has another key, so that a value of one field tells nothing
    /// about the same value of another.
    pub(super) fn hash(&self, purpose: &str) -> KeyedHash {
        let mut derived = keyed(self.0.as_slice());
        derived.update(SCHEME.as_bytes());
        derived.update(&[0]);
        derived.update(purpose.as_bytes());
        let bytes = Zeroizing::new(<[u8; 32]>::from(derived.finalize().into_bytes()));
        keyed(bytes.as_slice())
    }

    /// A value by which two files show that they were made with one key and scheme; it tells nothing of the key.
    #[must_use]
    pub fn check_value(&self) -> String {
        let bytes = self.hash("key check").finalize().into_bytes();
        hex::encode(bytes.get(..CHECK_BYTES).unwrap_or_default())
    }
}

impl fmt::Debug for PprlKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PprlKey(redacted)")
    }
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes a key of any length (RFC 2104)"
)]
fn keyed(key: &[u8]) -> KeyedHash {
    KeyedHash::new_from_slice(key).expect("a key of any length")
}

/// Repeated, counted up or typed bytes.
fn is_weak(bytes: &[u8; KEY_BYTES]) -> bool {
    let mut distinct = bytes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let steps = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .map(|(one, next)| next.wrapping_sub(*one));
    let mut steps: Vec<u8> = steps.collect();
    steps.sort_unstable();
    steps.dedup();
    distinct.len() < FEWEST_DISTINCT
        || steps.len() < FEWEST_DISTINCT / 2
        || bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "8f1d0c6b92e47a35d1fe60b8437c29a05be2914c7df3086aa91c5e27b4d8f063";

    #[test]
    fn a_typed_repeated_or_counted_key_is_refused() {
        let typed = hex::encode("correct horse battery staple 123");
        let counted = hex::encode((0..32).collect::<Vec<u8>>());
        let counted_by_seven = hex::encode((0..32).map(|n| n * 7).collect::<Vec<u8>>());
        let repeated = "8f1d0c6b92e47a35".repeat(4);
        for text in [typed, counted, counted_by_seven, repeated, "00".repeat(32)] {
            assert_eq!(PprlKey::parse(&text).unwrap_err(), PprlKeyError::Weak);
        }
        for text in ["", "8f1d", "zz", &GOOD[..62]] {
            assert_eq!(PprlKey::parse(text).unwrap_err(), PprlKeyError::Malformed);
        }
    }

    #[test]
    fn a_key_reads_as_it_was_written_and_shows_itself_nowhere_else() {
        let key = PprlKey::parse(GOOD).unwrap();
        assert_eq!(key.to_text().trim(), GOOD);
        assert_eq!(format!("{key:?}"), "PprlKey(redacted)");
        assert!(!GOOD.contains(&key.check_value()));
        assert_eq!(key.check_value().len(), 2 * CHECK_BYTES);
    }
}
