//! Bytes as text: standard base64 with padding (RFC 4648, section 4), read strictly, so that one value has one text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A text that is not the standard base64 of as many bytes as were expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the standard base64 of {expected} bytes")]
pub struct CodecError {
    /// How many bytes were expected.
    pub expected: usize,
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], CodecError> {
    decode(text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(CodecError { expected: N })
}

/// For serde: bytes as a base64 string.
pub(crate) mod text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        super::decode(&text).ok_or_else(|| D::Error::custom("expected standard base64"))
    }
}
