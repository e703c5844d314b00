//! Who is the same person, at a named link version.

use std::collections::BTreeMap;

use tandem_mappings::model::id::{PersonId, RecordKey};

/// A person in a measure: linked records are one, an unlinked record is its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonKey {
    /// A set of linked records.
    Linked(PersonId),
    /// A record without confirmed link.
    Alone(RecordKey),
}

/// The confirmed links at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    id: String,
    persons: BTreeMap<RecordKey, PersonId>,
}

impl Snapshot {
    /// A snapshot with its id; doubtful pairs are not in it.
    #[must_use]
    pub fn new(id: &str, persons: BTreeMap<RecordKey, PersonId>) -> Self {
        Self {
            id: id.to_owned(),
            persons,
        }
    }

    /// Id of the snapshot.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The person of a record.
    #[must_use]
    pub fn person(&self, record: &RecordKey) -> PersonKey {
        match self.persons.get(record) {
            Some(person) => PersonKey::Linked(*person),
            None => PersonKey::Alone(record.clone()),
        }
    }
}
