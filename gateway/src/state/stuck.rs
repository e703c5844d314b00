//! A consent for which nothing that is due can be done: it can't be read, or what follows from it fails.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Document;

/// A consent that is set aside until it can be looked after.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StuckDoc {
    /// Where it stands among the consents.
    pub place: String,
    /// Its id, if anything still tells it.
    pub consent: Option<String>,
    /// Why, without personal data.
    pub error: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub next: Timestamp,
}

impl StuckDoc {
    /// By what a person calls it: its id, else its place.
    #[must_use]
    pub fn name(&self) -> String {
        let place = || format!("consent at {}", self.place);
        self.consent.clone().unwrap_or_else(place)
    }
}

impl Document for StuckDoc {
    const KIND: &'static str = "consent-stuck";

    fn key(&self) -> String {
        self.place.clone()
    }
}
