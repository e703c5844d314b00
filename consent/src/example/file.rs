//! The examples of one rule: `examples/<RULE>.toml` beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Table;

/// The examples of a rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleExamples {
    /// The scene in which the rule applies, as changes to the world's.
    pub(super) scene: Table,
    /// What comes along with the rule: codes of notices, obligations and refrains.
    #[serde(default)]
    pub(super) brings: BTreeSet<String>,
    /// The regimes whose secrecy it lifts.
    #[serde(default)]
    pub(super) lifts: BTreeSet<String>,
    /// Whether a person must look before anything is told.
    #[serde(default)]
    pub(super) by_hand: bool,
    /// Scenes that the rule opens, or that a closing rule leaves alone, or in which the duty comes along.
    #[serde(default)]
    pub(super) permit: Vec<Example>,
    /// Scenes that the rule does not open, or that it closes, or without the duty.
    #[serde(default)]
    pub(super) deny: Vec<Example>,
    /// The only values of a field with which the rule applies.
    #[serde(default)]
    pub(super) only: BTreeMap<Field, BTreeSet<String>>,
    /// How a consent may mean the recipient, when the rule rests on one: every limit of the document
    /// is then tried.
    #[serde(default)]
    pub(super) limits: BTreeSet<Reach>,
    /// The agreements that must be in force.
    #[serde(default)]
    pub(super) in_force: BTreeSet<Held>,
    /// The ages at which the rule applies.
    #[serde(default)]
    pub(super) ages: Option<Ages>,
}

/// One example.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Example {
    /// Why, in a sentence.
    pub(super) why: String,
    /// The rule by which the regime closes the scene although this rule applies.
    #[serde(default)]
    pub(super) closed_by: Option<String>,
    /// The regime whose answer cites the rule, when it lifts that regime's secrecy.
    #[serde(default)]
    pub(super) in_regime: Option<String>,
    /// Whether the rule's text alone is looked at: other rules of the regime say the same, or close first.
    #[serde(default)]
    pub(super) by_text: bool,
    /// The changes to the scene.
    #[serde(flatten)]
    pub(super) changes: Table,
}

/// A field of a scene with a list of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Field {
    Action,
    Basis,
    Category,
    Flags,
    FromKinds,
    Labels,
    Purpose,
    Role,
    Signer,
    Teams,
    ToKinds,
}

/// How a consent means its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reach {
    Named,
    Class,
    Team,
}

/// An agreement of one of the sides with the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Held {
    /// The recipient's data sharing agreement.
    Recipient,
    /// The source's data sharing agreement.
    Source,
    /// The source's business associate agreement.
    SourceBaa,
    /// The source's qualified service organization agreement.
    SourceQsoa,
}

/// A range of ages in whole years, both ends included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ages {
    #[serde(default)]
    pub(super) from: Option<i16>,
    #[serde(default)]
    pub(super) to: Option<i16>,
    /// Whether the rule applies to a person whose age is not known.
    #[serde(default)]
    pub(super) unknown: bool,
}
