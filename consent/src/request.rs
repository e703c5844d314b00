//! What is asked: who wants to tell what to whom, about whom, why and when.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Moment, SubjectKey};
use tandem_mappings::model::id::{Jurisdiction, OrganizationId};
use tandem_mappings::model::purpose::Purpose;

use crate::coded::Coded;

/// What would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Enter the match index (recipient: the gateway), or answer that a person is known.
    Match,
    /// Tell.
    Disclose,
    /// Send a referral.
    Refer,
    /// Send a change of a case plan.
    UpdateCasePlan,
    /// Recall or cancel: message ids and duties, to holders of a delivered copy.
    Notify,
    /// Keep telling about changes.
    Subscribe,
    /// Export many records at once.
    BulkExport,
    /// Read the audit log.
    ReadAudit,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 8] = [
        Self::Match,
        Self::Disclose,
        Self::Refer,
        Self::UpdateCasePlan,
        Self::Notify,
        Self::Subscribe,
        Self::BulkExport,
        Self::ReadAudit,
    ];

    /// The name on the wire and in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Disclose => "disclose",
            Self::Refer => "refer",
            Self::UpdateCasePlan => "update_case_plan",
            Self::Notify => "notify",
            Self::Subscribe => "subscribe",
            Self::BulkExport => "bulk_export",
            Self::ReadAudit => "read_audit",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Who asks. The caller has verified it; the engine believes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The person, as the organisation's own system knows him or her.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The organisation.
    pub organization: OrganizationId,
    /// The role, such as `caseworker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The teams in which the person acts. Absent when the organisation as such acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<BTreeSet<String>>,
    /// Last day of the person's privacy training. A person past it acts in no team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_valid_to: Option<Date>,
    /// How strongly the person is authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication_strength: Option<String>,
}

/// Who would be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The organisation; [`crate::GATEWAY`] for the match index.
    pub organization: OrganizationId,
    /// The programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The individual, when the consent names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual: Option<String>,
    /// The individual's relation to the person: `CLIENT`, `PARENT`, `GUARDIAN`, `POLICYHOLDER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// Whether the recipient serves or served the person, as links show.
    #[serde(default, skip_serializing_if = "is_false")]
    pub serves_subject: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// Whom the data are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The local key.
    pub id: SubjectKey,
    /// Birth date, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Date>,
    /// Who may sign for the person: `self`, `minor`, `conserved`. With any other word, as with
    /// `conserved`, the person's own signature opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// Facts that rules test, such as `safety`; the list is in `coverage.toml`.
    #[serde(default)]
    pub flags: BTreeSet<String>,
}

/// When an item was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// The first day or instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// The last; still going on when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
}

/// Whether the source wrote the item or received it from somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The source's own.
    #[default]
    Direct,
    /// Received from somebody else.
    Redisclosed,
}

/// One step by which a redisclosed item came to its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainLink {
    /// Who held it.
    pub organization: OrganizationId,
    /// The directive under which it was passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
}

/// One data element group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id within the request.
    pub id: String,
    /// Its category; that of its source by default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Coded<Category>>,
    /// HL7 sensitivity labels.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// The organisation that holds it.
    pub source_organization: OrganizationId,
    /// The programme or project that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authored: Option<Authored>,
    /// Own or received.
    #[serde(default)]
    pub origin: Origin,
    /// Through whom it came, first holder first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consent_chain: Vec<ChainLink>,
}

/// Items whose ids tell them apart. An answer names items by id, so that an id used twice would let
/// the permit of one stand for the other.
fn items_with_own_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    let items = Vec::<Item>::deserialize(deserializer)?;
    if have_own_ids(&items) {
        return Ok(items);
    }
    let expected = "items that each have an id of their own";
    Err(D::Error::invalid_value(Unexpected::Seq, &expected))
}

/// Whether no id is empty or used twice.
pub(crate) fn have_own_ids(items: &[Item]) -> bool {
    let ids: BTreeSet<&str> = items.iter().map(|item| item.id.as_str()).collect();
    ids.len() == items.len() && !ids.contains("")
}

/// Breaking the glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// The reason.
    pub reason: String,
    /// Who declared it.
    pub declared_by: String,
    /// Whether a second factor was checked.
    pub second_factor: bool,
}

/// A request for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The caller's id of the decision; it does not change the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// The caller's id of the conversation; it does not change the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The instant for which to decide.
    pub as_of: Timestamp,
    /// What would be done.
    pub action: Action,
    /// Why; exactly one.
    pub purpose: Coded<Purpose>,
    /// Under whose rules.
    pub jurisdiction: Jurisdiction,
    /// Who asks.
    pub requester: Requester,
    /// Who would be told.
    pub recipient: Recipient,
    /// About whom.
    pub subject: Subject,
    /// What; each item under an id of its own.
    #[serde(deserialize_with = "items_with_own_ids")]
    pub items: Vec<Item>,
    /// A rule id as a hint for explanations; it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_basis: Option<String>,
    /// Breaking the glass.
    #[serde(default)]
    pub emergency: Option<Emergency>,
    /// The bundle that must be in force; any other denies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// Whether the recipient holds a delivered copy of what a notice recalls.
    #[serde(default, skip_serializing_if = "is_false")]
    pub holds_copy: bool,
}

impl Request {
    /// The organisations about which a decision asks the facts.
    #[must_use]
    pub fn organizations(&self) -> BTreeSet<&OrganizationId> {
        let sources = self.items.iter().flat_map(|item| {
            let chain = item.consent_chain.iter().map(|link| &link.organization);
            chain.chain([&item.source_organization])
        });
        sources
            .chain([&self.recipient.organization, &self.requester.organization])
            .collect()
    }
}
