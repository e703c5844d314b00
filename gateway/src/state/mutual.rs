//! Who was told that another agency serves the same person: told once, not at every load.

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{MessageId, PersonId, SystemId};

use crate::store::{Document, Index};

/// A mutual-client notice that was queued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MutualDoc {
    /// The person.
    pub person: PersonId,
    /// Who was told.
    pub recipient: SystemId,
    /// About whom.
    pub partner: SystemId,
    /// The message.
    pub message: MessageId,
}

impl MutualDoc {
    /// The key of a notice.
    #[must_use]
    pub fn key_of(person: PersonId, recipient: &SystemId, partner: &SystemId) -> String {
        format!("{person}\u{1f}{recipient}\u{1f}{partner}")
    }
}

impl Document for MutualDoc {
    const KIND: &'static str = "mutual";

    fn key(&self) -> String {
        Self::key_of(self.person, &self.recipient, &self.partner)
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new("mutual.person", self.person.to_string())]
    }
}
