//! What something that stands names, where the store can't be asked the other way round.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_mappings::model::id::DecisionId;

use crate::config::RowKind;
use crate::pipeline::core::Core;
use crate::state::break_glass::BreakGlassDoc;
use crate::state::record::RecordDoc;
use crate::store::{Shelf, StoreError};

/// Rows that are read at a time.
const PAGE: u32 = 500;

/// What something that stands names, and that can't be asked the other way round: of rows older than an instant, since what
/// is named later was decided later.
#[derive(Debug, Default)]
pub(super) struct Relied {
    /// Decisions that let a record in, or that opened the glass.
    decisions: BTreeSet<DecisionId>,
    /// Directives on which a decision rests.
    evidence: BTreeSet<String>,
    /// Whether somebody opened the glass by a decision that nobody can tell.
    has_unknown: bool,
}

impl Relied {
    /// What of a kind is relied on.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of(
        core: &Core,
        kind: RowKind,
        cutoff: Timestamp,
    ) -> Result<Self, StoreError> {
        match kind {
            RowKind::Decisions => Self::by_state(core, cutoff).await,
            RowKind::Evidence => Self::by_decisions(core, cutoff).await,
            _ => Ok(Self::default()),
        }
    }

    async fn by_state(core: &Core, cutoff: Timestamp) -> Result<Self, StoreError> {
        let mut relied = Self::default();
        let mut after = Vec::new();
        loop {
            let mut tx = core.store.snapshot().await?;
            let (found, last) = tx.page_each::<BreakGlassDoc>(&after, PAGE).await?;
            if last.is_empty() {
                break;
            }
            after = last;
            for one in found {
                match one.document {
                    Ok(emergency) => relied.decisions.extend([emergency.decision]),
                    Err(_) => relied.has_unknown = true,
                }
            }
        }
        let mut after = Vec::new();
        loop {
            let mut tx = core.store.snapshot().await?;
            let (records, last) = tx.page_each::<RecordDoc>(&after, PAGE).await?;
            if last.is_empty() {
                return Ok(relied);
            }
            after = last;
            // One that can't be read keeps nothing: its decision is found by nobody.
            let records = records.into_iter().filter_map(|found| found.document.ok());
            let old = records.filter(|record| record.received_at < cutoff);
            relied
                .decisions
                .extend(old.map(|record| record.intake_decision));
        }
    }

    async fn by_decisions(core: &Core, cutoff: Timestamp) -> Result<Self, StoreError> {
        let mut relied = Self::default();
        let mut after = None;
        loop {
            let mut tx = core.store.snapshot().await?;
            let rows = tx
                .past(Shelf::Decisions, cutoff, after.take(), PAGE)
                .await?;
            for row in &rows {
                if let Some(decision) = tx.decision(row.decision()?).await? {
                    let named = decision.record.pointer("/evidence/directives");
                    let voices = named
                        .and_then(|voices| voices.as_array())
                        .into_iter()
                        .flatten();
                    let hashes = voices.filter_map(|voice| voice.as_array()).flatten();
                    let hashes = hashes.filter_map(|hash| hash.as_str());
                    relied.evidence.extend(hashes.map(str::to_owned));
                }
            }
            let Some(last) = rows.into_iter().next_back() else {
                return Ok(relied);
            };
            after = Some(last);
        }
    }

    /// Whether a decision is relied on.
    pub(super) fn names_decision(&self, id: DecisionId) -> bool {
        self.decisions.contains(&id)
    }

    /// Whether any decision about a query may be relied on.
    pub(super) const fn may_name_any(&self) -> bool {
        self.has_unknown
    }

    /// Whether a directive is relied on, by its hash.
    pub(super) fn names_evidence(&self, hash: &str) -> bool {
        self.evidence.contains(hash)
    }
}
