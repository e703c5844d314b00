//! Whom an input tells of.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use tandem_mappings::model::event::{Body, NewEvent};

/// The people of whom an input holds a record, in few bytes each. Two count as one with a chance of about 2^-64 for
/// each pair; then somebody who left would be taken for one who stayed.
#[derive(Debug, Default)]
pub(super) struct People {
    hasher: RandomState,
    told: HashSet<u64>,
}

impl People {
    /// Notes whom an event tells of.
    pub(super) fn note(&mut self, event: &NewEvent) {
        if let (Body::RecordReceived(_), Some(person)) = (&event.body, &event.source_person_id) {
            self.told.insert(self.hasher.hash_one(person.as_str()));
        }
    }

    /// Whether it tells of somebody.
    pub(super) fn has(&self, person: &str) -> bool {
        self.told.contains(&self.hasher.hash_one(person))
    }
}
