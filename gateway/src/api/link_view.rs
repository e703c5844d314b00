//! Links and doubtful pairs as they are shown.

use serde::Serialize;
use tandem_mappings::model::id::{MessageId, RecordKey};
use tandem_matching::Note;
use utoipa::ToSchema;

use super::persons::RecordView;
use crate::pipeline::queue::Waiting;
use crate::state::link::LinkDoc;

/// Links and doubtful pairs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Links {
    /// The entries.
    pub links: Vec<LinkSummary>,
}

/// A pair of records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkSummary {
    /// Its id.
    pub id: String,
    /// One record.
    pub a: KeyView,
    /// The other record.
    pub b: KeyView,
    /// Match weight in bits: log2 of the odds that the two are one person.
    pub score_bits: f64,
    /// `linked`, `candidate`, `rejected` or `undone`.
    pub standing: &'static str,
    /// `matcher` or `steward`.
    pub decider: &'static str,
    /// Of a link that stands: why a steward should look at it again. `bridge`: a part of the person's records hangs on
    /// this weak link alone. `cluster-conflict`: it brings records together that cannot be one person. Nothing was undone;
    /// confirm the link or undo it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub doubt: Option<Note>,
    /// Version of the model by which the score was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A steward's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The steward who decided last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Of a pair that waits: what its decision says, in bits, weighed by what hangs on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub information: Option<f64>,
    /// Of a pair that waits: the records that would be one person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records_joined: Option<usize>,
    /// Of a pair that waits: the open cases of these records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_cases: Option<usize>,
    /// When the pair was found.
    pub created_at: String,
    /// When it was decided last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
}

/// A source record's key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyView {
    /// The system.
    pub system: String,
    /// The person's id there.
    pub person: String,
}

impl From<&RecordKey> for KeyView {
    fn from(key: &RecordKey) -> Self {
        Self {
            system: key.system.to_string(),
            person: key.person.to_string(),
        }
    }
}

impl LinkSummary {
    /// The summary of a link.
    pub(super) fn of(link: &LinkDoc) -> Self {
        Self {
            id: link.id.to_string(),
            a: (&link.a).into(),
            b: (&link.b).into(),
            score_bits: f64::from(link.score_centibits) / 100.0,
            standing: link.standing.code(),
            decider: link.decider.code(),
            doubt: link.doubt,
            model: link.model.clone(),
            reason: link.reason.clone(),
            decided_by: link.decided_by.clone(),
            information: None,
            records_joined: None,
            open_cases: None,
            created_at: link.created_at.to_string(),
            decided_at: link.decided_at.map(|at| at.to_string()),
        }
    }

    /// The summary of a pair that waits.
    pub(super) fn waiting(one: &Waiting) -> Self {
        Self {
            information: Some((one.information * 1000.0).round() / 1000.0),
            records_joined: one.hangs.map(|hangs| hangs.records),
            open_cases: one.hangs.map(|hangs| hangs.open_cases),
            ..Self::of(&one.link)
        }
    }
}

/// A pair with the evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkView {
    /// The pair.
    #[serde(flatten)]
    pub link: LinkSummary,
    /// Weights per field, without any value of a person.
    #[schema(value_type = Object)]
    pub explanation: serde_json::Value,
    /// Both records with the household of each beside them.
    pub records: Vec<RecordBeside>,
}

/// A record with its household.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordBeside {
    /// The record.
    pub record: RecordView,
    /// Who lives in the same household by the same system.
    pub household: Vec<MemberView>,
}

/// A member of a household.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberView {
    /// How the member relates to the head.
    pub relation: String,
    /// The member's record.
    pub record: RecordView,
}

/// An undone link.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UndoneView {
    /// The link.
    pub link: LinkSummary,
    /// Messages that were delivered about the person: for breach review.
    #[schema(value_type = Vec<String>)]
    pub disclosed: Vec<MessageId>,
}
