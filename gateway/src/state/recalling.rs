//! A person of whom less may be told than before: how far what was told has been looked at for what must be recalled.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::PersonId;

use crate::store::Document;

/// What was told of a person and is still to be looked at. It is written with what was taken back, and goes when nothing is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecallingDoc {
    /// The person.
    pub person: PersonId,
    /// Since when less may be told.
    pub since: Timestamp,
    /// Up to where it was looked at; from the beginning when absent.
    #[serde(default)]
    pub reached: Option<Reached>,
    /// Others of whom it is known only afterwards to whom they may be told of.
    #[serde(default)]
    pub also: BTreeSet<PersonId>,
}

/// The last delivery that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Under which of the ids that the person has had.
    pub id: PersonId,
    /// Where it stands among the deliveries of that id, in hexadecimal.
    pub place: String,
}

impl RecallingDoc {
    /// Nothing of the person has been looked at yet.
    #[must_use]
    pub const fn new(person: PersonId, since: Timestamp) -> Self {
        Self {
            person,
            since,
            reached: None,
            also: BTreeSet::new(),
        }
    }

    /// Takes over what an earlier look has left; where that was does not count.
    #[must_use]
    pub fn in_place_of(mut self, earlier: Self) -> Self {
        self.since = self.since.min(earlier.since);
        self.also.extend(earlier.also);
        self
    }
}

impl Document for RecallingDoc {
    const KIND: &'static str = "recalling";

    fn key(&self) -> String {
        self.person.to_string()
    }
}
