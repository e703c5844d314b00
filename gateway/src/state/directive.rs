//! A consent directive and the source records of the people whom it covers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::RecordKey;

use super::record::RecordDoc;
use crate::store::{Document, Index};

/// A directive as captured. Its subject is set to the person when a decision is made, since persons follow links.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectiveDoc {
    /// The directive.
    pub directive: Directive,
    /// The people whom it covers, each by a source record.
    pub covers: Vec<RecordKey>,
    /// Who captured it.
    pub captured_by: String,
    /// When.
    pub captured_at: Timestamp,
    /// The link version at which it was captured: it speaks for the records that were the person then.
    #[serde(default)]
    pub link_version: i64,
    /// Earlier versions, oldest first.
    pub history: Vec<Directive>,
}

impl Document for DirectiveDoc {
    const KIND: &'static str = "directive";

    fn key(&self) -> String {
        self.directive.id.as_str().to_owned()
    }

    fn indexes(&self) -> Vec<Index> {
        self.covers
            .iter()
            .map(|record| Index::new("directive.record", RecordDoc::key_of(record)))
            .collect()
    }
}
