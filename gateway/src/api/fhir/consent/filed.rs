//! A consent as it was filed, and the directives that were read from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_mappings::model::directive::{Directive, DirectiveState, Effect};
use tandem_mappings::model::id::{RecordKey, SystemId};

use crate::state::directive::{BY_CONSENT, DirectiveDoc};
use crate::store::{Document, Index, StoreError, Tx};

/// Index of filed consents by the system that filed them.
pub(super) const BY_SYSTEM: &str = "fhir-consent.system";

/// A filed consent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FiledDoc {
    /// The gateway's id of it.
    pub(super) id: String,
    /// The patient's record.
    pub(super) record: RecordKey,
    /// The system that filed it; a privacy officer did when absent.
    pub(super) filed_by: Option<SystemId>,
    /// When.
    pub(super) filed_at: Timestamp,
    /// The resource as it was filed, under the gateway's id.
    pub(super) resource: Value,
}

impl Document for FiledDoc {
    const KIND: &'static str = "fhir-consent";

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<Index> {
        let system = self.filed_by.iter();
        system
            .map(|system| Index::new(BY_SYSTEM, system.as_str()))
            .collect()
    }
}

impl FiledDoc {
    /// The directives that were read from it, as they stand.
    pub(super) async fn parts(&self, tx: &mut Tx) -> Result<Vec<DirectiveDoc>, StoreError> {
        tx.find::<DirectiveDoc>(BY_CONSENT, &self.id).await
    }

    /// The resource with where it stands now.
    pub(super) fn shown(&self, parts: &[DirectiveDoc]) -> Value {
        let directives: Vec<&Directive> = parts.iter().map(|part| &part.directive).collect();
        self.at(&directives)
    }

    fn at(&self, parts: &[&Directive]) -> Value {
        let mut shown = self.resource.clone();
        let version = parts.iter().map(|part| part.version).max().unwrap_or(1);
        shown["status"] = json!(status(parts));
        shown["meta"]["versionId"] = json!(version.to_string());
        shown
    }

    /// What became of it, newest first.
    pub(super) fn versions(&self, parts: &[DirectiveDoc]) -> Vec<Value> {
        let last = parts.iter().map(|part| part.directive.version).max();
        let versions = (1..=last.unwrap_or(1)).rev();
        versions
            .map(|version| {
                let at: Vec<&Directive> = parts.iter().map(|part| as_of(part, version)).collect();
                self.at(&at)
            })
            .collect()
    }
}

/// A part at a version of the whole: its own latest one that is no later.
fn as_of(part: &DirectiveDoc, version: u32) -> &Directive {
    let all = part.history.iter().chain([&part.directive]);
    let mut earlier = all.filter(|one| one.version <= version);
    earlier.next_back().unwrap_or(&part.directive)
}

/// Where a consent stands in FHIR's words. A permission that nobody here has verified opens nothing, so it is proposed; a
/// refusal counts at once.
fn status(parts: &[&Directive]) -> &'static str {
    let says = |effect| parts.iter().any(|part| part.says() == Some(effect));
    let stands = |state| parts.iter().any(|part| part.standing() == state);
    let permits = parts.iter().any(|part| part.effect == Effect::Permit);
    if says(Effect::Permit) || (!permits && says(Effect::Deny)) {
        "active"
    } else if stands(DirectiveState::SignedUnverified) || stands(DirectiveState::Offered) {
        "proposed"
    } else if stands(DirectiveState::Draft) {
        "draft"
    } else if stands(DirectiveState::Refused) {
        "rejected"
    } else if stands(DirectiveState::EnteredInError) {
        "entered-in-error"
    } else {
        "inactive"
    }
}
