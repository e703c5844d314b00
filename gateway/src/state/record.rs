//! A source record about a person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{DecisionId, PersonId, RecordKey};
use tandem_mappings::model::person::{HouseholdMembership, PersonRecord};

use crate::store::{Document, Index};

/// Whether a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It counts.
    Active,
    /// Its source withdrew it.
    Withdrawn,
    /// Its source sealed it.
    Sealed,
}

/// A person to whom a record belonged before links changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerPerson {
    /// The person.
    pub person: PersonId,
    /// The first link version at which the record belonged to somebody else.
    pub until: i64,
}

/// A source record and the person to whom it belongs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordDoc {
    /// System and the system's own id.
    pub key: RecordKey,
    /// Kind of record in the source's words.
    pub record_kind: String,
    /// What it says.
    pub person: PersonRecord,
    /// Its sensitivity labels.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// The table rows and facts that gave it its labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labelled_by: BTreeSet<String>,
    /// The person.
    pub person_id: PersonId,
    /// The persons to whom it belonged before, oldest first.
    #[serde(default)]
    pub former: Vec<FormerPerson>,
    /// Whether it counts.
    pub standing: Standing,
    /// Whether it may stand in the match index, by the decision at intake.
    pub may_match: bool,
    /// That decision.
    pub intake_decision: DecisionId,
    /// Memberships and relationships that name it.
    pub memberships: Vec<HouseholdMembership>,
    /// First arrival.
    pub first_received_at: Timestamp,
    /// Last arrival.
    pub received_at: Timestamp,
}

impl RecordDoc {
    /// Whether the record counts.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// The person to whom the record belonged at a link version: links change, what was decided under them does not.
    #[must_use]
    pub fn person_at(&self, version: i64) -> PersonId {
        self.former
            .iter()
            .find(|former| version < former.until)
            .map_or(self.person_id, |former| former.person)
    }

    /// Gives the record to another person from a link version on.
    pub fn move_to(&mut self, person: PersonId, from: i64) {
        if self.person_id != person {
            let former = FormerPerson {
                person: self.person_id,
                until: from,
            };
            self.former.push(former);
            self.person_id = person;
        }
    }

    /// The key under which a record stands.
    #[must_use]
    pub fn key_of(key: &RecordKey) -> String {
        format!("{}\u{1f}{}", key.system, key.person)
    }
}

impl Document for RecordDoc {
    const KIND: &'static str = "record";
    const IS_FOLLOWED: bool = true;
    const IS_BASIS: bool = true;

    fn key(&self) -> String {
        Self::key_of(&self.key)
    }

    fn indexes(&self) -> Vec<Index> {
        let mut indexes = vec![
            Index::new("record.system", self.key.system.as_str()),
            Index::new("record.person", self.person_id.to_string()),
        ];
        let former = self.former.iter();
        indexes.extend(former.map(|former| Index::new("record.former", former.person.to_string())));
        let households = self
            .memberships
            .iter()
            .filter_map(|member| member.household.as_ref());
        indexes.extend(households.map(|household| {
            Index::new(
                "record.household",
                format!("{}\u{1f}{household}", self.key.system),
            )
        }));
        indexes
    }
}
