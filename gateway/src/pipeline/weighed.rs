//! A decision with what its record needs: the request, the answer, and by hash everything on which the answer rests.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use tandem_consent::{Action, Decision, Facts, Request, canonical_json, sha256};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::{OrganizationId, PersonId};

use super::judge::{AskedItem, Judged};
use crate::store::{DecisionRow, Evidence, EvidenceKind, Stage, StoreError};

/// A decision with what its record needs.
#[derive(Debug)]
pub struct Weighed {
    /// The decision.
    pub judged: Judged,
    person: Option<PersonId>,
    action: Action,
    recipient: OrganizationId,
    link_version: i64,
    record: serde_json::Value,
    directives: Vec<Evidence>,
}

impl Weighed {
    /// A decision about a request by the directives of each of the persons who are one by now.
    pub(super) fn new(
        judged: Judged,
        person: Option<PersonId>,
        request: &Request,
        voices: &[Vec<Directive>],
        link_version: i64,
        facts: &Facts,
    ) -> Self {
        let kept: Vec<Vec<Evidence>> = voices
            .iter()
            .map(|directives| directives.iter().map(evidence).collect())
            .collect();
        let organizations: BTreeMap<_, _> = request
            .organizations()
            .into_iter()
            .filter_map(|id| Some((id.as_str(), facts.digest(id)?)))
            .collect();
        let hashes: Vec<Vec<&str>> = kept
            .iter()
            .map(|one| one.iter().map(|kept| kept.hash.as_str()).collect())
            .collect();
        let mut record = json!({
            "request": request,
            "decision": &*judged.decision,
            "directives": named(voices.iter().flatten()),
            "evidence": { "organizations": organizations, "directives": hashes },
        });
        if voices.len() > 1 {
            let apart: Vec<_> = voices.iter().map(named).collect();
            record["directives_by_person"] = json!(apart);
        }
        Self {
            judged,
            person,
            action: request.action,
            recipient: request.recipient.organization.clone(),
            link_version,
            record,
            directives: kept.into_iter().flatten().collect(),
        }
    }

    /// The same, with what gave its items their category and labels.
    pub(super) fn citing(mut self, labelled_by: &LabelledBy) -> Self {
        if !labelled_by.is_empty() {
            self.record["labelled_by"] = json!(labelled_by);
        }
        self
    }

    /// The decision as it is recorded.
    ///
    /// # Errors
    /// When the outcome has no text.
    pub fn row(&self, stage: Stage, now: Timestamp) -> Result<DecisionRow, StoreError> {
        let outcome = serde_json::to_value(self.judged.decision.outcome)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .ok_or(StoreError::Shape { kind: "outcome" })?;
        Ok(DecisionRow {
            id: self.judged.id,
            decided_at: now,
            action: self.action.as_str().to_owned(),
            stage: stage.code().to_owned(),
            outcome,
            recipient: self.recipient.as_str().to_owned(),
            person: self.person,
            bundle: self.judged.decision.bundle.clone(),
            link_version: self.link_version,
            record: self.record.clone(),
            evidence: self.directives.clone(),
        })
    }
}

/// What gave each item of a decision its category and labels, by the item's id.
pub type LabelledBy = BTreeMap<String, BTreeSet<String>>;

/// What gave items their category and labels, those left out that are as their sender sends everything.
pub(super) fn cited(items: &[AskedItem]) -> LabelledBy {
    let named = items.iter().filter(|item| !item.labelled_by.is_empty());
    named
        .map(|item| (item.id.clone(), item.labelled_by.clone()))
        .collect()
}

/// The answer of a recorded decision.
///
/// # Errors
/// When the record is of an unknown shape.
pub fn answer_of(row: &DecisionRow) -> Result<Decision, StoreError> {
    row.record
        .get("decision")
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .ok_or(StoreError::Shape { kind: "decision" })
}

/// A directive as it was, under the hash of its content.
fn evidence(directive: &Directive) -> Evidence {
    let content = canonical_json(directive);
    Evidence {
        kind: EvidenceKind::Directive,
        hash: sha256(content.as_bytes()),
        content,
    }
}

/// Directives by id and version, each once.
fn named<'a>(directives: impl IntoIterator<Item = &'a Directive>) -> BTreeSet<(&'a str, u32)> {
    directives
        .into_iter()
        .map(|one| (one.id.as_str(), one.version))
        .collect()
}
