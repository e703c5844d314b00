//! A link between two source records, or a doubtful pair.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{LinkId, RecordKey};
use tandem_mappings::model::link::{LinkDecider, LinkDecision};
use tandem_matching::Note;

use super::record::RecordDoc;
use crate::store::{Document, Index};

/// Whether a pair counts as one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkStanding {
    /// The two records are one person.
    Linked,
    /// Waits for a steward.
    Candidate,
    /// A steward said that they are two people; never offered again.
    Rejected,
    /// A link that was undone by a steward: the pair is never linked by score again. Or by the matcher: a record was
    /// withdrawn, or another model does not doubt any more that they are two people; such a pair may be offered again.
    Undone,
}

impl LinkStanding {
    /// The standing as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Candidate => "candidate",
            Self::Rejected => "rejected",
            Self::Undone => "undone",
        }
    }
}

/// A pair of records and what was decided about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkDoc {
    /// Its id.
    pub id: LinkId,
    /// One record; the smaller key.
    pub a: RecordKey,
    /// The other record.
    pub b: RecordKey,
    /// Match weight in hundredths of a bit.
    pub score_centibits: i32,
    /// What the matcher said.
    pub matcher_decision: LinkDecision,
    /// Whether it counts.
    pub standing: LinkStanding,
    /// Who decided last.
    pub decider: LinkDecider,
    /// A steward's reason.
    pub reason: Option<String>,
    /// The steward who decided last.
    #[serde(default)]
    pub decided_by: Option<String>,
    /// Weights per field, without any value of a person.
    pub explanation: serde_json::Value,
    /// Version of the model by which the score was found; none of a pair that an earlier version of the program kept.
    #[serde(default)]
    pub model: Option<String>,
    /// Of a link that stands: why a steward should look at it again. Other records have come since it was made, and
    /// with them it would not be made.
    #[serde(default)]
    pub doubt: Option<Note>,
    /// When the pair was found.
    pub created_at: Timestamp,
    /// When it was decided last.
    pub decided_at: Option<Timestamp>,
}

impl LinkDoc {
    /// Field of the index by which links that a steward should look at again are found.
    pub const DOUBTED: &'static str = "link.doubted";
    /// Field of the index of the waiting pairs by the model that scored them.
    pub const WAITING_BY: &'static str = "link.waiting-by";

    /// Whether a steward has confirmed it although the given names have nothing in common.
    fn teaches_a_name(&self) -> bool {
        let fields = self.explanation.get("fields");
        let names = |field: &serde_json::Value| {
            field.get("field") == Some(&"first_name".into())
                && field.get("level") == Some(&"different".into())
        };
        self.standing == LinkStanding::Linked
            && self.decider == LinkDecider::Steward
            && fields
                .and_then(serde_json::Value::as_array)
                .is_some_and(|fields| fields.iter().any(names))
    }

    /// Key of a pair, whichever way round.
    #[must_use]
    pub fn key_of_pair(a: &RecordKey, b: &RecordKey) -> String {
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        format!(
            "{}\u{1e}{}",
            RecordDoc::key_of(first),
            RecordDoc::key_of(second)
        )
    }
}

impl Document for LinkDoc {
    const KIND: &'static str = "link";
    const IS_FOLLOWED: bool = true;

    fn key(&self) -> String {
        Self::key_of_pair(&self.a, &self.b)
    }

    fn indexes(&self) -> Vec<Index> {
        let mut indexes = vec![
            Index::new("link.id", self.id.to_string()),
            Index::new("link.record", RecordDoc::key_of(&self.a)),
            Index::new("link.record", RecordDoc::key_of(&self.b)),
            Index::new("link.standing", self.standing.code()),
        ];
        if self.doubt.is_some() {
            indexes.push(Index::new(Self::DOUBTED, "yes"));
        }
        if let (LinkStanding::Candidate, Some(model)) = (self.standing, &self.model) {
            indexes.push(Index::new(Self::WAITING_BY, model));
        }
        if self.teaches_a_name() {
            indexes.push(Index::new("link.teaches", "given-name"));
        }
        indexes
    }
}
