//! Who may sign for rules: a TOML file of public keys.

use std::path::Path;

use serde::Deserialize;
use tandem_audit::{Signature, VerifierKey};

/// The people who may sign for rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signers {
    /// One entry a key, in the form `name+id+base64` (C2SP signed-note).
    #[serde(default, deserialize_with = "keys")]
    signers: Vec<VerifierKey>,
}

/// Why the file of signers cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignersError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is not of the expected form.
    #[error("{0}")]
    Malformed(String),
}

fn keys<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<VerifierKey>, D::Error> {
    use serde::de::Error as _;
    let texts = Vec::<String>::deserialize(deserializer)?;
    let keys: Vec<VerifierKey> = texts
        .iter()
        .map(|text| VerifierKey::parse(text).map_err(D::Error::custom))
        .collect::<Result<_, _>>()?;
    for (at, key) in keys.iter().enumerate() {
        let twice = keys
            .iter()
            .skip(at + 1)
            .any(|other| other.name() == key.name() || other.is_same_key(key));
        if twice {
            return Err(D::Error::custom(format!(
                "signer {} stands twice",
                key.name()
            )));
        }
    }
    Ok(keys)
}

impl Signers {
    /// Reads the file.
    ///
    /// # Errors
    /// When it can't be read, or a key is none or stands twice.
    pub fn read(file: &Path) -> Result<Self, SignersError> {
        let text = std::fs::read_to_string(file)?;
        toml::from_str(&text).map_err(|error| SignersError::Malformed(error.message().to_owned()))
    }

    /// Whose signature of a text it is; `None` when it is nobody's.
    #[must_use]
    pub fn who(&self, text: &str, signature: &Signature) -> Option<&str> {
        let signer = self
            .signers
            .iter()
            .find(|key| key.is_named_by(signature) && key.verify(text, signature).is_some());
        signer.map(VerifierKey::name)
    }
}
