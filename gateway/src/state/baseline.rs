//! Whether a system's first load has been released: until then it links silently.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::SystemId;

use crate::store::Document;

/// A released system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasedDoc {
    /// The system.
    pub system: SystemId,
    /// Who released it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Document for ReleasedDoc {
    const KIND: &'static str = "released";

    fn key(&self) -> String {
        self.system.as_str().to_owned()
    }
}
