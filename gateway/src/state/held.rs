//! A full refresh that waits for an operator, since it would withdraw too many people.

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{InputId, SystemId};

use crate::store::Document;

/// A held input. Its original stands with the input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldDoc {
    /// The input.
    pub input: InputId,
    /// Who sent it.
    pub system: SystemId,
    /// In which format.
    pub format: String,
    /// File name or message id: ids of its events are made of it.
    pub name: String,
    /// People whom it leaves out.
    pub absent: u64,
    /// People who are known of the system.
    pub known: u64,
}

impl Document for HeldDoc {
    const KIND: &'static str = "held";

    fn key(&self) -> String {
        self.input.to_string()
    }
}
