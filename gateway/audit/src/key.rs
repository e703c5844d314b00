//! Keys that sign notes, as text (C2SP signed-note, "Format" and "Signatures"; C2SP tlog-cosignature).
//!
//! A public key is `name+id+base64(type || key)`; a private one, as Go's `sumdb/note` writes it,
//! `PRIVATE+KEY+name+id+base64(type || seed)`. The id is the first four bytes of the SHA-256 of name, line feed, type
//! and public key.

use std::fmt;

use ed25519_dalek::{Signature as Ed25519Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::codec;
use crate::note::Signature;

const PRIVATE: &str = "PRIVATE+KEY+";
/// Longest name, in bytes.
const NAME_LIMIT: usize = 255;

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has not the parts of a public key.
    #[error("expected a key of the form `name+id+base64`")]
    Form,
    /// It has not the parts of a private key.
    #[error("expected a private key of the form `PRIVATE+KEY+name+id+base64`")]
    PrivateForm,
    /// The name can't stand in a signature line.
    #[error(
        "the key's name: expected 1 to {NAME_LIMIT} bytes without white space, control characters and `+`"
    )]
    Name,
    /// The type is neither that of a log's key nor that of a witness's.
    #[error("the key's type: expected 1 (Ed25519 of a log) or 4 (Ed25519 of a witness)")]
    Kind,
    /// The id is not that of name and key.
    #[error("the key's id is not that of its name and bytes: the text was altered")]
    Id,
    /// The bytes are no Ed25519 key.
    #[error("the key's bytes are no Ed25519 key")]
    Bytes,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A log's checkpoints: Ed25519 over the text (C2SP signed-note, type 0x01).
    Log,
    /// A witness's cosignatures with their time (C2SP tlog-cosignature, `cosignature/v1`, type 0x04).
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }

    fn of(byte: u8) -> Result<Self, KeyError> {
        [Self::Log, Self::Witness]
            .into_iter()
            .find(|kind| kind.byte() == byte)
            .ok_or(KeyError::Kind)
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
    id: [u8; 4],
}

impl VerifierKey {
    fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Result<Self, KeyError> {
        let is_told = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
        if name.is_empty() || name.len() > NAME_LIMIT || name.contains(is_told) {
            return Err(KeyError::Name);
        }
        let digest: [u8; 32] = Sha256::new_with_prefix(name)
            .chain_update([b'\n', kind.byte()])
            .chain_update(key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        Ok(Self {
            name: name.to_owned(),
            kind,
            key,
            id: [a, b, c, d],
        })
    }

    /// Reads a public key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
        let (id, bytes) = rest.split_once('+').ok_or(KeyError::Form)?;
        let bytes = codec::decode(bytes).ok_or(KeyError::Form)?;
        let (kind, bytes) = bytes.split_first().ok_or(KeyError::Form)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Bytes)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Bytes)?;
        let read = Self::new(name, KeyKind::of(*kind)?, key)?;
        if read.hex_id() == id {
            Ok(read)
        } else {
            Err(KeyError::Id)
        }
    }

    /// The name under which it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the same key, under whatever name.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether a signature says that it was made with this key.
    #[must_use]
    pub fn is_named_by(&self, signature: &Signature) -> bool {
        signature.name == self.name && signature.id == self.id
    }

    /// Whether a signature line is this key's for the text. A witness's line also gives its time, in seconds since 1970.
    #[must_use]
    pub fn verify(&self, text: &str, signature: &Signature) -> Option<Option<u64>> {
        if !self.is_named_by(signature) {
            return None;
        }
        match self.kind {
            KeyKind::Log => self
                .holds(text.as_bytes(), &signature.bytes)
                .then_some(None),
            KeyKind::Witness => {
                let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                self.holds(cosigned(time, text).as_bytes(), bytes)
                    .then_some(Some(time))
            }
        }
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        Ed25519Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    fn hex_id(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            self.hex_id(),
            codec::encode(&bytes)
        )
    }
}

/// What a witness signs (C2SP tlog-cosignature): a header, the time, and the text.
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A private key.
pub struct Signer {
    public: VerifierKey,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.name)
    }
}

impl Signer {
    /// A key from 32 random bytes that the caller has drawn.
    ///
    /// # Errors
    /// When the name can't stand in a signature line.
    pub fn new(name: &str, kind: KeyKind, seed: &Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let public = VerifierKey::new(name, kind, key.verifying_key())?;
        Ok(Self { public, key })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`KeyError`]; no message holds any of it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text
            .trim()
            .strip_prefix(PRIVATE)
            .ok_or(KeyError::PrivateForm)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::PrivateForm)?;
        let (id, bytes) = rest.split_once('+').ok_or(KeyError::PrivateForm)?;
        let bytes = Zeroizing::new(codec::decode(bytes).ok_or(KeyError::PrivateForm)?);
        let (kind, seed) = bytes.split_first().ok_or(KeyError::PrivateForm)?;
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| KeyError::Bytes)?);
        let read = Self::new(name, KeyKind::of(*kind)?, &seed)?;
        if read.public.hex_id() == id {
            Ok(read)
        } else {
            Err(KeyError::Id)
        }
    }

    /// The key as text, for a file that its owner alone may read.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.key.to_bytes());
        let bytes = Zeroizing::new([&[self.public.kind.byte()], seed.as_slice()].concat());
        let encoded = Zeroizing::new(codec::encode(&bytes));
        let (name, id) = (&self.public.name, self.public.hex_id());
        Zeroizing::new(format!("{PRIVATE}{name}+{id}+{}\n", encoded.as_str()))
    }

    /// Its public part.
    #[must_use]
    pub fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// The signature line for a text; `time`, in seconds since 1970, stands in a witness's line alone.
    #[must_use]
    pub fn sign(&self, text: &str, time: u64) -> Signature {
        let bytes = match self.public.kind {
            KeyKind::Log => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            KeyKind::Witness => {
                let signature = self.key.sign(cosigned(time, text).as_bytes());
                [time.to_be_bytes().as_slice(), &signature.to_bytes()].concat()
            }
        };
        Signature {
            name: self.public.name.clone(),
            id: self.public.id,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example key of Go's `golang.org/x/mod/sumdb/note` package documentation.
    const GO_PRIVATE: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn keys_are_those_of_the_common_note_format() {
        let signer = Signer::parse(GO_PRIVATE).unwrap();
        assert_eq!(signer.public().to_string(), GO_PUBLIC);
        assert_eq!(signer.to_text().trim(), GO_PRIVATE);
        assert_eq!(VerifierKey::parse(GO_PUBLIC).unwrap(), *signer.public());
        assert_eq!(format!("{signer:?}"), "Signer(PeterNeumann)");
    }

    #[test]
    fn a_changed_letter_of_a_public_key_is_refused() {
        for place in 0..GO_PUBLIC.len() {
            let mut text = GO_PUBLIC.as_bytes().to_vec();
            if let Some(byte) = text.get_mut(place) {
                *byte = if *byte == b'x' { b'y' } else { b'x' };
            }
            assert!(
                VerifierKey::parse(&String::from_utf8(text).unwrap()).is_err(),
                "{place}"
            );
        }
    }

    #[test]
    fn a_witness_signs_its_time_with_the_text() {
        let seed = Zeroizing::new([3; 32]);
        let witness = Signer::new("w.example", KeyKind::Witness, &seed).unwrap();
        let mut line = witness.sign("text\n", 1_772_443_500);
        assert_eq!(
            witness.public().verify("text\n", &line),
            Some(Some(1_772_443_500))
        );
        assert_eq!(witness.public().verify("other\n", &line), None);
        // Another time is another signature.
        if let Some(byte) = line.bytes.get_mut(7) {
            *byte ^= 1;
        }
        assert_eq!(witness.public().verify("text\n", &line), None);
        let log = Signer::new("w.example", KeyKind::Log, &seed).unwrap();
        assert_eq!(
            log.public().verify("text\n", &witness.sign("text\n", 1)),
            None
        );
        for bad in ["", "a b", "a+b", "a\u{a0}b"] {
            assert_eq!(
                Signer::new(bad, KeyKind::Log, &seed).unwrap_err(),
                KeyError::Name
            );
        }
    }
}
