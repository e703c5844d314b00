//! What a recipient holds: one delivered message, whom it was about, and which element groups it carried.

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{DecisionId, MessageId, PersonId, SystemId};

use crate::store::{Document, Index};

/// A delivered message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DisclosureDoc {
    /// The message.
    pub message: MessageId,
    /// Who holds it.
    pub holder: SystemId,
    /// Whom it was about.
    pub people: Vec<PersonId>,
    /// The element groups that it carried.
    pub permitted: Vec<String>,
    /// The decision before the attempt that delivered it.
    pub decision: DecisionId,
    /// Whether its holder was told to stop using it.
    pub is_recalled: bool,
    /// The position in the log of events at which that was decided; unknown of what was recalled by earlier versions.
    #[serde(default)]
    pub recalled_at: Option<i64>,
    /// Whether nobody knows if it arrived: the attempt broke off, or its answer was lost.
    #[serde(default)]
    pub is_presumed: bool,
}

impl Document for DisclosureDoc {
    const KIND: &'static str = "disclosure";

    fn key(&self) -> String {
        self.message.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        self.people
            .iter()
            .map(|person| Index::new("disclosure.person", person.to_string()))
            .collect()
    }
}
