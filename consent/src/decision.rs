//! The answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// The outcome of a whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every item may be told.
    Permit,
    /// Some items may be told; the others are left out without a word.
    PermitWithRedaction,
    /// Nothing may be told.
    Deny,
    /// Nothing may be told before a person has looked at it.
    NeedsHuman,
    /// The request holds no item.
    NotApplicable,
}

/// Permit or deny, of an item or of one regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// May be told.
    Permit,
    /// May not be told.
    Deny,
}

/// What one regime says about one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeDecision {
    /// The regime.
    pub regime: String,
    /// What it says.
    pub outcome: Verdict,
    /// The rules that say so, sorted.
    pub rules: Vec<String>,
    /// Their citations, in the order of the rules.
    pub citations: Vec<String>,
    /// The directive that opened or closed it.
    pub consent: Option<String>,
    /// The kind of basis of a permit.
    pub basis: Option<String>,
}

/// What is decided about one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDecision {
    /// The item.
    pub id: String,
    /// Permit only when every regime permits.
    pub outcome: Verdict,
    /// The category under which it was decided.
    pub category: String,
    /// Every covering regime, sorted by name; after a hard bar only the regime of the bar.
    pub regimes: Vec<RegimeDecision>,
}

/// A duty that comes along with a permit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// HL7 obligation code, or `NOTICE` and `CONSENT_COPY`.
    pub code: String,
    /// Parameters, such as the code of the notice.
    pub params: BTreeMap<String, String>,
    /// The rules that ask for it, sorted.
    pub rules: Vec<String>,
}

/// The kind of thing that would turn a deny into a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Needs {
    /// A directive with these elements.
    Consent,
    /// An agreement in force with these organisations.
    Agreement,
    /// A common team of one of these kinds.
    TeamMembership,
}

/// What would turn a deny of a regime into a permit. For staff who may see it, never for the asker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The item.
    pub item: String,
    /// The regime.
    pub regime: String,
    /// What is missing.
    pub needs: Needs,
    /// The missing parts of it, sorted.
    pub elements: Vec<String>,
}

/// The answer in plain sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
}

/// What the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Hash of the facts and directives relied on.
    pub facts: String,
    /// How many rules were evaluated.
    pub rules_evaluated: usize,
}

/// An instant written with the offset of the jurisdiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalInstant {
    at: Timestamp,
    offset: Offset,
}

impl LocalInstant {
    /// The instant as read in a zone.
    #[must_use]
    pub fn new(at: Timestamp, zone: &TimeZone) -> Self {
        Self {
            at,
            offset: zone.to_offset(at),
        }
    }

    /// The instant.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        self.at
    }
}

impl TryFrom<String> for LocalInstant {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let at: Timestamp = text.parse()?;
        let offset = Pieces::parse(&text)?
            .to_numeric_offset()
            .unwrap_or(Offset::UTC);
        Ok(Self { at, offset })
    }
}

impl From<LocalInstant> for String {
    fn from(instant: LocalInstant) -> Self {
        instant.at.display_with_offset(instant.offset).to_string()
    }
}

/// The decision on a request: a pure function of its inputs, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// Hash of the rules.
    pub bundle: String,
    /// Every item, in the order of the request.
    pub items: Vec<ItemDecision>,
    /// Duties of whoever sends and receives, sorted.
    pub obligations: Vec<Obligation>,
    /// HL7 refrain codes, sorted.
    pub refrains: BTreeSet<String>,
    /// Until when the answer may be relied on; `None` when nothing known ends it.
    pub valid_until: Option<LocalInstant>,
    /// What would turn denies into permits, sorted.
    pub missing: Vec<Missing>,
    /// The answer in plain sentences.
    pub explanation: Explanation,
    /// What it rests on.
    pub evidence: Evidence,
}

impl Decision {
    /// Whether an item may be told at an instant: it was permitted and the answer still holds.
    #[must_use]
    pub fn permits(&self, item: &str, at: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| at < until.timestamp())
            && self.permitted().any(|permitted| permitted == item)
    }

    /// The ids of the permitted items. None when a person must look first.
    pub fn permitted(&self) -> impl Iterator<Item = &str> {
        let open = matches!(self.outcome, Outcome::Permit | Outcome::PermitWithRedaction);
        self.items
            .iter()
            .filter(move |item| open && item.outcome == Verdict::Permit)
            .map(|item| item.id.as_str())
    }

    /// The canonical JSON of the decision.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        crate::canonical::canonical_json(self)
    }
}
