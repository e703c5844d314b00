//! Links between source records: who is the same person. Links, never merges.

use serde::{Deserialize, Serialize};

use super::coding::codes;
use super::id::{LinkId, PersonId, RecordKey};

codes! {
    /// What was decided about a pair of records.
    LinkDecision {
        /// The same person.
        Link = "link",
        /// Doubtful: a steward decides.
        Review = "review",
        /// Not the same person.
        NoLink = "no-link",
    }
}

codes! {
    /// Who decided.
    LinkDecider {
        /// The matcher, by score.
        Matcher = "matcher",
        /// A data steward.
        Steward = "steward",
    }
}

/// Payload of `link.candidate`, `link.decided`, `person.linked` and `person.unlinked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTold {
    /// The link.
    pub link: LinkId,
    /// One record.
    pub a: RecordKey,
    /// The other record.
    pub b: RecordKey,
    /// Match weight in hundredths of a bit, so that events compare exactly.
    pub score_centibits: i32,
    /// What was decided.
    pub decision: LinkDecision,
    /// Who decided.
    pub decider: LinkDecider,
    /// The person to whom both belong, once linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Why, in a steward's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The steward who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}
