//! A decision with what its record needs: the request, the answer, and by hash everything on which the answer rests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tandem_consent::{Decision, Facts, Request};
use tandem_mappings::model::id::PersonId;

use super::cited::Cited;
use super::judge::{AskedItem, Judged};
use crate::store::{DecisionRow, NewDecision, Stage, StoreError};

/// A decision with what its record needs.
#[derive(Debug)]
pub struct Weighed {
    /// The decision.
    pub judged: Judged,
    person: Option<PersonId>,
    link_version: i64,
    request: Request,
    /// The directives considered, apart for each of the persons who are one by now.
    voices: Vec<Vec<Cited>>,
    /// What is known about the organisations in the request, by hash.
    organizations: BTreeMap<String, String>,
    labelled_by: LabelledBy,
}

/// A decision as it is kept.
#[derive(Serialize)]
struct Record<'a> {
    request: &'a Request,
    decision: &'a Decision,
    directives: BTreeSet<(&'a str, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directives_by_person: Option<Vec<BTreeSet<(&'a str, u32)>>>,
    evidence: Hashes<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labelled_by: &'a LabelledBy,
}

#[derive(Serialize)]
struct Hashes<'a> {
    organizations: &'a BTreeMap<String, String>,
    directives: Vec<Vec<&'a str>>,
}

impl Weighed {
    /// A decision about a request by the directives of each of the persons who are one by now.
    pub(super) fn new(
        judged: Judged,
        person: Option<PersonId>,
        request: Request,
        voices: Vec<Vec<Cited>>,
        link_version: i64,
        facts: &Facts,
    ) -> Self {
        let organizations = request.organizations().into_iter();
        let organizations = organizations
            .filter_map(|id| Some((id.as_str().to_owned(), facts.digest(id)?.to_owned())));
        Self {
            organizations: organizations.collect(),
            judged,
            person,
            link_version,
            request,
            voices,
            labelled_by: LabelledBy::new(),
        }
    }

    /// The same, with what gave its items their category and labels.
    pub(super) fn citing(self, labelled_by: LabelledBy) -> Self {
        Self {
            labelled_by,
            ..self
        }
    }

    /// The decision as it is recorded.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn row(&self, stage: Stage, now: Timestamp) -> Result<NewDecision, StoreError> {
        let decision = &*self.judged.decision;
        let outcome = serde_json::to_value(decision.outcome)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .ok_or(StoreError::Shape { kind: "outcome" })?;
        let evidence = self.voices.iter().flatten();
        Ok(NewDecision {
            id: self.judged.id,
            decided_at: now,
            action: self.request.action.as_str().to_owned(),
            stage: stage.code().to_owned(),
            outcome,
            recipient: self.request.recipient.organization.as_str().to_owned(),
            person: self.person,
            bundle: decision.bundle.clone(),
            link_version: self.link_version,
            record: self.record()?,
            evidence: evidence.map(|one| Arc::clone(&one.evidence)).collect(),
        })
    }

    fn record(&self) -> Result<String, StoreError> {
        let hashes = self.voices.iter();
        let hashes = hashes.map(|one| one.iter().map(|cited| &*cited.evidence.hash).collect());
        let apart = || self.voices.iter().map(named).collect();
        let record = Record {
            request: &self.request,
            decision: &self.judged.decision,
            directives: named(self.voices.iter().flatten()),
            directives_by_person: (self.voices.len() > 1).then(apart),
            evidence: Hashes {
                organizations: &self.organizations,
                directives: hashes.collect(),
            },
            labelled_by: &self.labelled_by,
        };
        serde_json::to_string(&record).map_err(|_| StoreError::Shape { kind: "decision" })
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

/// Directives by id and version, each once.
fn named<'a>(cited: impl IntoIterator<Item = &'a Cited>) -> BTreeSet<(&'a str, u32)> {
    cited
        .into_iter()
        .map(|one| (one.id.as_str(), one.version))
        .collect()
}
