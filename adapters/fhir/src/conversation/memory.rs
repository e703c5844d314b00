//! What is remembered about one FHIR server, as rows that the gateway keeps.
//!
//! | kind | key | index | value |
//! |---|---|---|---|
//! | `Cursor` | `Patient`, `Task` | | the newest `lastUpdated` seen, as the server wrote it |
//! | `Task`, `ServiceRequest`, `CarePlan`, `Patient`, `Communication` | logical id at the server | gateway referral id, plan key or effect key | [`Remote`] as JSON |

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_adapter_port::memory::{PartnerMemory, PartnerRow};
use tandem_mappings::model::referral::ReferralStatus;

/// Kind of the rows that hold search cursors.
pub const CURSOR: &str = "Cursor";
/// Kind of the rows that hold Tasks.
pub const TASK: &str = "Task";

/// A resource at the partner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remote {
    /// Version as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// State of a Task as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ReferralStatus>,
    /// Whether the gateway wrote the resource.
    #[serde(default)]
    pub is_ours: bool,
}

impl Remote {
    /// What a resource, as the server gave it back after a write, is to be remembered as.
    pub(crate) fn of(resource: &Value, is_ours: bool) -> Self {
        let status = resource.get("status").and_then(Value::as_str);
        Self {
            version: version(resource),
            status: status.and_then(crate::codes::read_task_status),
            is_ours,
        }
    }

    /// The row under which it is kept.
    pub(crate) fn row(&self, kind: &str, id: &str, index: Vec<String>) -> PartnerRow {
        PartnerRow {
            kind: kind.to_owned(),
            key: id.to_owned(),
            index,
            // INVARIANT: a struct of text and flags always serialises.
            value: serde_json::to_string(self).unwrap_or_default(),
        }
    }

    /// Reads a row; a row that another version wrote and this one cannot read counts as unknown.
    #[must_use]
    pub fn from_row(row: &PartnerRow) -> Option<Self> {
        serde_json::from_str(&row.value).ok()
    }
}

/// The version of a resource, by its `meta.versionId`.
pub(crate) fn version(resource: &Value) -> Option<String> {
    Some(resource.get("meta")?.get("versionId")?.as_str()?.to_owned())
}

/// The cursor of a resource type.
pub(crate) fn cursor(memory: &dyn PartnerMemory, kind: &str) -> Option<String> {
    memory.row(CURSOR, kind).map(|row| row.value)
}

/// The row that keeps a cursor.
pub(crate) fn cursor_row(kind: &str, value: &str) -> PartnerRow {
    PartnerRow {
        kind: CURSOR.to_owned(),
        key: kind.to_owned(),
        index: Vec::new(),
        value: value.to_owned(),
    }
}

/// The id of the resource of a kind that is remembered for something.
pub(crate) fn id_for(memory: &dyn PartnerMemory, kind: &str, index: &str) -> Option<String> {
    memory
        .rows_by(kind, index)
        .into_iter()
        .next()
        .map(|row| row.key)
}
