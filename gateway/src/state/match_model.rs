//! A model by which records are linked: what the records themselves have shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tandem_matching::{FalseMatchRate, Learnt, Settings, SettingsError};

use crate::store::Document;

/// A model that was learnt. Every one is kept: links say by which they were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchModelDoc {
    /// Digest of the settings.
    pub version: String,
    /// The settings as TOML; they hold no value of a person.
    pub settings: String,
    /// Version of the settings from which it was learnt.
    pub base: String,
    /// From how many records.
    pub records: usize,
    /// Share of false links to be expected from its link threshold on.
    pub false_match_rate: FalseMatchRate,
    /// When.
    pub at: Timestamp,
}

impl MatchModelDoc {
    /// What was learnt from settings.
    ///
    /// # Errors
    /// When the settings have no TOML form.
    pub fn new(learnt: &Learnt, base: &Settings, at: Timestamp) -> Result<Self, SettingsError> {
        Ok(Self {
            version: version_of(&learnt.settings)?,
            settings: learnt.settings.to_toml()?,
            base: version_of(base)?,
            records: learnt.records,
            false_match_rate: learnt.false_match_rate,
            at,
        })
    }
}

impl Document for MatchModelDoc {
    const KIND: &'static str = "match-model";
    const IS_FOLLOWED: bool = true;

    fn key(&self) -> String {
        self.version.clone()
    }
}

/// The name of settings: a digest of all that is in them.
///
/// # Errors
/// When the settings have no TOML form.
pub fn version_of(settings: &Settings) -> Result<String, SettingsError> {
    let digest = Sha256::digest(settings.to_toml()?);
    Ok(hex::encode(digest.get(..6).unwrap_or_default()))
}
