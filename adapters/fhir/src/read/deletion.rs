//! What a history Bundle says beside the resources: which entries are older versions, and which resources are gone
//! (FHIR R4, section 3.1.0.10: newest first; a deletion is an entry with the method DELETE and no resource).

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceEventId, SourcePersonId};
use tandem_mappings::model::person::RecordGone;

use super::collect::Collector;
use super::reference;

/// The entry of a deleted resource.
#[derive(Debug)]
pub(crate) struct Deletion<'a> {
    kind: &'a str,
    id: &'a str,
    /// When the server deleted it, as it writes it.
    at: Option<&'a str>,
    /// The version that the deletion made, as an ETag.
    etag: Option<&'a str>,
}

impl<'a> Deletion<'a> {
    /// The deletion that an entry tells of, if it does.
    pub(crate) fn of(entry: &'a Value) -> Option<Self> {
        let text = |part: &str, field: &str| entry.get(part)?.get(field)?.as_str();
        // A transaction only asks for a deletion; a history has the server's answer beside it.
        if text("request", "method") != Some("DELETE") || entry.get("response").is_none() {
            return None;
        }
        let target = text("request", "url")
            .and_then(reference::parse)
            .or_else(|| reference::parse(entry.get("fullUrl")?.as_str()?))?;
        Some(Self {
            kind: target.kind,
            id: target.id,
            at: text("response", "lastModified"),
            etag: text("response", "etag"),
        })
    }
}

/// The resources of which a history has told the newest version already, as hashes: a long history has many.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl Newest {
    /// Whether an entry of a history tells an older version than one that came before it.
    pub(crate) fn is_older(&mut self, entry: &Value) -> bool {
        // Only a history has both: a transaction asks, a response answers.
        if entry.get("request").is_none() || entry.get("response").is_none() {
            return false;
        }
        let key = match (entry.get("resource"), Deletion::of(entry)) {
            (Some(resource), _) => {
                let text = |field: &str| resource.get(field).and_then(Value::as_str);
                text("resourceType").zip(text("id"))
            }
            (None, Some(deletion)) => Some((deletion.kind, deletion.id)),
            (None, None) => None,
        };
        key.is_some_and(|key| !self.seen.insert(self.hasher.hash_one(key)))
    }
}

impl Collector {
    /// The event that a person's record is gone; `None` when the resource was no Patient.
    pub(crate) fn withdrawn(&self, deletion: &Deletion<'_>) -> Option<NewEvent> {
        if deletion.kind != "Patient" {
            return None;
        }
        let person = SourcePersonId::new(deletion.id).ok()?;
        let version = deletion.etag.or(deletion.at).unwrap_or_default();
        let key = format!("Patient/{}/_history/{version}/deleted", deletion.id);
        let body = Body::RecordWithdrawn(Box::new(RecordGone {
            record_kind: "Patient".to_owned(),
            reason: "deleted".to_owned(),
        }));
        let at = deletion.at.and_then(|at| at.parse().ok());
        let at = at.unwrap_or(self.context.received_at);
        Some(NewEvent::new(at, SourceEventId::new(key).ok()?, body).about(person))
    }
}
