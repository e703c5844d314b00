//! A record that was disposed of a moment ago, so that every gateway takes it out of its match index.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::RecordKey;

use super::record::RecordDoc;
use crate::store::Document;

/// A record that is gone. It stays until the next run, and then goes itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GoneRecordDoc {
    /// The record.
    pub key: RecordKey,
    /// Since when.
    pub at: Timestamp,
}

impl Document for GoneRecordDoc {
    const KIND: &'static str = "record-gone";
    const IS_FOLLOWED: bool = true;

    fn key(&self) -> String {
        RecordDoc::key_of(&self.key)
    }
}
