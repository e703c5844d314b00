//! A programme's case or enrolment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{RecordKey, SystemId};
use tandem_mappings::model::involvement::Involvement;

use super::record::RecordDoc;
use super::sensitivity::Sensitivity;
use crate::store::{Document, Index};

/// A case or enrolment of one system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvolvementDoc {
    /// The system.
    pub system: SystemId,
    /// What it told last.
    pub told: Involvement,
    /// How sensitive it is.
    #[serde(default)]
    pub sensitivity: Sensitivity,
    /// Whether it runs.
    pub is_open: bool,
    /// When it was first told.
    pub since: Timestamp,
}

impl InvolvementDoc {
    /// The key under which a case stands.
    #[must_use]
    pub fn key_of(system: &SystemId, case: &str) -> String {
        format!("{system}\u{1f}{case}")
    }
}

impl Document for InvolvementDoc {
    const KIND: &'static str = "involvement";

    fn key(&self) -> String {
        Self::key_of(&self.system, self.told.case.as_str())
    }

    fn indexes(&self) -> Vec<Index> {
        let of_person = self.told.people.iter().map(|person| {
            let key = RecordKey {
                system: self.system.clone(),
                person: person.clone(),
            };
            Index::new("involvement.record", RecordDoc::key_of(&key))
        });
        of_person.collect()
    }
}
