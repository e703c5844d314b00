//! Deciding again what was decided: with the rules, the facts and the directives of that time, or with other rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use tandem_consent::{Bundle, Decision, Facts, OrganizationRecord, Request, sha256};
use tandem_mappings::model::directive::Directive;

use super::judge::stricter;
use super::weighed::LabelledBy;
use crate::config::TABLES;
use crate::store::{DecisionRow, EvidenceKind, StoreError, Tx};

/// Why a decision cannot be made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// It was recorded before evidence was kept.
    #[error("the record names no evidence: it was written before evidence was kept")]
    NoEvidence,
    /// The record is not of the form that decisions have.
    #[error("the record is not a decision: {0}")]
    Form(&'static str),
    /// Something that the decision rests on is gone.
    #[error("{kind} {hash} is not kept any more")]
    Gone {
        /// What it was.
        kind: &'static str,
        /// Its hash.
        hash: String,
    },
    /// Something that the decision rests on is not what it was.
    #[error("{kind} {hash} was altered")]
    Altered {
        /// What it was.
        kind: &'static str,
        /// The hash that it should have.
        hash: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a decision rested on.
#[derive(Debug)]
pub struct Basis {
    request: Request,
    facts: Facts,
    voices: Vec<Vec<Directive>>,
    /// The answer that was given.
    pub given: Decision,
}

impl Basis {
    /// The request that was decided.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The directives considered, apart for each of the persons who were one by then.
    #[must_use]
    pub fn voices(&self) -> &[Vec<Directive>] {
        &self.voices
    }

    /// The answer by some rules.
    ///
    /// # Errors
    /// When nobody's directives were considered, which no recorded decision does.
    pub fn decide(&self, bundle: &Bundle) -> Result<Decision, StoreError> {
        stricter(&self.request, &self.facts, &self.voices, bundle)
    }

    /// The answer by some rules as if these directives had been on file.
    ///
    /// # Errors
    /// As [`Basis::decide`].
    pub fn decide_with(
        &self,
        bundle: &Bundle,
        change: impl Fn(&mut Vec<Directive>),
    ) -> Result<Decision, StoreError> {
        let mut voices = self.voices.clone();
        voices.iter_mut().for_each(change);
        stricter(&self.request, &self.facts, &voices, bundle)
    }
}

#[derive(Deserialize)]
struct Record {
    request: Request,
    decision: Decision,
    evidence: Option<Hashes>,
    #[serde(default)]
    labelled_by: LabelledBy,
}

#[derive(Deserialize)]
struct Hashes {
    organizations: BTreeMap<String, String>,
    directives: Vec<Vec<String>>,
}

/// Bundles that were in force, each loaded once.
#[derive(Debug, Default)]
pub struct Bundles(HashMap<String, Arc<Bundle>>);

impl Bundles {
    /// With the rules in force, which most decisions were made by.
    #[must_use]
    pub fn with(in_force: Arc<Bundle>) -> Self {
        Self(HashMap::from([(in_force.hash().to_owned(), in_force)]))
    }

    /// The bundle of a hash.
    ///
    /// # Errors
    /// When it is not kept, was altered, or does not load.
    pub async fn get(&mut self, tx: &mut Tx, hash: &str) -> Result<Arc<Bundle>, ReplayError> {
        if let Some(known) = self.0.get(hash) {
            return Ok(Arc::clone(known));
        }
        let text = tx.evidence(EvidenceKind::Bundle, hash).await?;
        let text = text.ok_or_else(|| gone(EvidenceKind::Bundle, hash))?;
        let bundle = Bundle::from_stored(&text)
            .ok()
            .filter(|bundle| bundle.hash() == hash);
        let bundle = Arc::new(bundle.ok_or_else(|| altered(EvidenceKind::Bundle, hash))?);
        self.0.insert(hash.to_owned(), Arc::clone(&bundle));
        Ok(bundle)
    }
}

/// Finds what a recorded decision rested on.
///
/// # Errors
/// When it names no evidence, or some of it is gone or altered.
pub async fn basis(tx: &mut Tx, row: &DecisionRow) -> Result<Basis, ReplayError> {
    let record: Record =
        serde_json::from_value(row.record.clone()).map_err(|_| ReplayError::Form("its fields"))?;
    let hashes = record.evidence.ok_or(ReplayError::NoEvidence)?;
    // The answer does not change with them, but what gave the items their labels must be there to be read.
    for hash in tables_of(&record.labelled_by) {
        kept(tx, EvidenceKind::LabelTables, hash).await?;
    }
    let mut organizations = Vec::new();
    for hash in hashes.organizations.values() {
        let text = kept(tx, EvidenceKind::Organization, hash).await?;
        organizations.push(parsed::<OrganizationRecord>(&text, "an organisation")?);
    }
    let facts = Facts::new(organizations).map_err(|_| ReplayError::Form("its organisations"))?;
    let mut voices = Vec::new();
    for hashes in hashes.directives {
        let mut directives = Vec::new();
        for hash in hashes {
            let text = kept(tx, EvidenceKind::Directive, &hash).await?;
            directives.push(parsed::<Directive>(&text, "a directive")?);
        }
        voices.push(directives);
    }
    Ok(Basis {
        request: record.request,
        facts,
        voices,
        given: record.decision,
    })
}

/// The hashes of the label tables that a record cites.
fn tables_of(labelled_by: &LabelledBy) -> BTreeSet<&str> {
    let reasons = labelled_by.values().flatten();
    reasons
        .filter_map(|reason| reason.strip_prefix(TABLES))
        .collect()
}

/// Content that has the hash by which it is named.
async fn kept(tx: &mut Tx, kind: EvidenceKind, hash: &str) -> Result<String, ReplayError> {
    let text = tx.evidence(kind, hash).await?;
    let text = text.ok_or_else(|| gone(kind, hash))?;
    if sha256(text.as_bytes()) == hash {
        Ok(text)
    } else {
        Err(altered(kind, hash))
    }
}

fn parsed<T: serde::de::DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<T, ReplayError> {
    serde_json::from_str(text).map_err(|_| ReplayError::Form(what))
}

fn gone(kind: EvidenceKind, hash: &str) -> ReplayError {
    let (kind, hash) = (kind.code(), hash.to_owned());
    ReplayError::Gone { kind, hash }
}

fn altered(kind: EvidenceKind, hash: &str) -> ReplayError {
    let (kind, hash) = (kind.code(), hash.to_owned());
    ReplayError::Altered { kind, hash }
}
