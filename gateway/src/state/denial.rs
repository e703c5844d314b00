//! What was asked for a mutual-client notice and denied: each answer is recorded once, not at every load.

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{PersonId, SystemId};

use super::mutual::MutualDoc;
use crate::store::{Document, Index};

/// The last denial of a notice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DenialDoc {
    /// The person.
    pub person: PersonId,
    /// Who was not told.
    pub recipient: SystemId,
    /// About whom.
    pub partner: SystemId,
    /// The answer: rules and what they say of each element group, without ids and times.
    pub answer: serde_json::Value,
}

impl Document for DenialDoc {
    const KIND: &'static str = "denial";

    fn key(&self) -> String {
        MutualDoc::key_of(self.person, &self.recipient, &self.partner)
    }

    fn indexes(&self) -> Vec<Index> {
        Vec::new()
    }
}
