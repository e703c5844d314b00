//! Keyed commitments: what stands in a leaf instead of data.
//!
//! Each record has a random key of its own. With the key and the value anybody can check the commitment; without the
//! key nobody can find the value by trying. Destroying key and record erases the data, and the leaf stays as it is.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::codec::{self, CodecError};

/// Domain of the commitments of this version.
const DOMAIN: &[u8] = b"tandem-audit/v1/";

/// What of a record is committed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The object that the event is about: an id.
    Object,
    /// The person whom it is about.
    Subject,
    /// Every stored column of the record, sealed ones as they are sealed.
    Content,
    /// What a sealed column holds in clear.
    Record,
}

impl Field {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Object => b"object",
            Self::Subject => b"subject",
            Self::Content => b"content",
            Self::Record => b"record",
        }
    }
}

/// The random key of one record's commitments: 32 bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Blind(Zeroizing<[u8; 32]>);

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blind(..)")
    }
}

impl Blind {
    /// A key of random bytes that the caller has drawn.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, to be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Commits to a value: HMAC-SHA-256 under this key of the domain, the field's name, a zero byte and the value.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes keys of any length (RFC 2104, section 2)"
    )]
    pub fn commit(&self, field: Field, value: &[u8]) -> Commitment {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_ref()).expect("a key of any length is taken");
        mac.update(DOMAIN);
        mac.update(field.name());
        mac.update(&[0]);
        mac.update(value);
        Commitment(mac.finalize().into_bytes().into())
    }
}

impl From<Blind> for String {
    fn from(blind: Blind) -> Self {
        codec::encode(blind.0.as_ref())
    }
}

impl TryFrom<String> for Blind {
    type Error = CodecError;

    fn try_from(text: String) -> Result<Self, CodecError> {
        codec::decode_array(&text).map(Self::new)
    }
}

/// A commitment: 32 bytes that say nothing of the value to who has not the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

impl Commitment {
    pub(crate) fn parse(text: &str) -> Result<Self, CodecError> {
        codec::decode_array(text).map(Self)
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&codec::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_depends_on_key_field_and_value() {
        let blind = Blind::new([1; 32]);
        let one = blind.commit(Field::Object, b"7");
        assert_eq!(one, blind.commit(Field::Object, b"7"));
        assert_ne!(one, blind.commit(Field::Subject, b"7"));
        assert_ne!(one, blind.commit(Field::Object, b"8"));
        assert_ne!(one, Blind::new([2; 32]).commit(Field::Object, b"7"));
        assert_eq!(Commitment::parse(&one.to_string()), Ok(one));
    }
}
