//! A consent directive: what a person has permitted, refused or taken back, as data.
//!
//! A directive is never a policy. The rules of each legal regime decide whether a directive that
//! is in force serves as a basis, so one wording of the law applies to every person alike.

mod expiry;
mod fhir;
mod file;
mod label;
mod lifecycle;
mod moment;
mod party;
mod revocation;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::expiry::{Expiry, ExpiryError};
pub use self::fhir::{CATEGORY_SYSTEM, Dialect, DialectError, FhirConsentError};
pub use self::file::DirectivesError;
pub use self::label::{carries, implied_labels, is_known_label};
pub use self::moment::{Moment, MomentError};
pub use self::party::Parties;
pub use self::revocation::Revocation;
use super::category::Category;
use super::coding::codes;
use super::id::{DirectiveId, IdError};
use super::purpose::Purpose;
use super::redacted::Redacted;

codes! {
    /// What a directive does within its scope.
    Effect {
        /// The person allows it; the rules may use it as a basis.
        Permit = "permit",
        /// The person refuses it.
        Deny = "deny",
    }
}

codes! {
    /// Where a directive stands in its life.
    DirectiveState {
        /// Being prepared.
        Draft = "draft",
        /// Put before the person.
        Offered = "offered",
        /// Signed; nobody else has checked it yet.
        SignedUnverified = "signed_unverified",
        /// In force.
        Active = "active",
        /// In force, its end is near.
        Expiring = "expiring",
        /// Ended by time, event or condition.
        Expired = "expired",
        /// Held back until somebody reviews it.
        Suspended = "suspended",
        /// Taken back by the person.
        Revoked = "revoked",
        /// Replaced by a later version.
        Superseded = "superseded",
        /// Should never have been recorded.
        EnteredInError = "entered_in_error",
        /// The person was asked and said no: an answer, not an absence.
        Refused = "refused",
    }
}

codes! {
    /// In which capacity the signer signed.
    Capacity {
        /// The person about whom the data are.
        OwnSelf = "self",
        /// A parent of a minor.
        Parent = "parent",
        /// A guardian.
        Guardian = "guardian",
        /// A court.
        Court = "court",
        /// A conservator.
        Conservator = "conservator",
        /// An agent under a power of attorney.
        Agent = "agent",
        /// A minor whom the law lets sign alone.
        MinorByOwnRight = "minor_by_own_right",
    }
}

codes! {
    /// How the directive was given.
    Method {
        /// A signed paper, scanned.
        PaperScan = "paper_scan",
        /// An electronic signature.
        ESignature = "e_signature",
        /// Spoken before a witness.
        VerbalWithWitness = "verbal_with_witness",
        /// Staff attest that it was given.
        StaffAttestation = "staff_attestation",
        /// Inferred from a posted notice.
        InferredByPostedNotice = "inferred_by_posted_notice",
    }
}

impl Method {
    /// Whether there is a signature of the person in writing or in electronic form.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::PaperScan | Self::ESignature)
    }
}

codes! {
    /// A statement that the text of a form makes to its signer.
    Statement {
        /// How to revoke, and what revoking does.
        RightToRevoke = "right_to_revoke",
        /// That services do not depend on signing, or what depends on it.
        NotConditioned = "not_conditioned",
        /// That the recipient may pass the data on.
        Redisclosure = "redisclosure",
        /// That the signer gets a copy.
        CopyOffered = "copy_offered",
    }
}

codes! {
    /// A part of a directive that lists everything because its words leave nothing out, not because they name it. A law that
    /// asks for a description is not satisfied by such words.
    General {
        /// All data.
        Categories = "categories",
        /// Whoever holds data.
        Disclosers = "disclosers",
        /// Any purpose.
        Purposes = "purposes",
    }
}

/// Whom a directive is about: the local key of the person, never a name or number of an agency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectKey(String);

impl SubjectKey {
    /// Takes a non-empty key of at most 200 characters without control characters.
    ///
    /// # Errors
    /// As for every text id.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        DirectiveId::new(text).map(|checked| Self(checked.into()))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SubjectKey {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<SubjectKey> for String {
    fn from(key: SubjectKey) -> Self {
        key.0
    }
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Name or key of the signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Redacted<String>>,
    /// The signer's capacity.
    pub capacity: Capacity,
}

/// The printed or electronic form that was signed. Forms with one id are one form series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormTemplate {
    /// The form series.
    pub id: String,
    /// The version of its words.
    pub version: String,
    /// The language of its words, BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The period from which data may come, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPeriod {
    /// First day.
    #[serde(default, alias = "from", skip_serializing_if = "Option::is_none")]
    pub start: Option<jiff::civil::Date>,
    /// Last day.
    #[serde(default, alias = "to", skip_serializing_if = "Option::is_none")]
    pub end: Option<jiff::civil::Date>,
}

/// A consent directive in Tandem's own form.
///
/// What narrows a directive is never ignored: an unknown field is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directive {
    /// The directive.
    pub id: DirectiveId,
    /// Its version; a later version replaces the earlier one.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Whom it is about.
    pub subject: SubjectKey,
    /// Where it stands; see [`Directive::standing`] when it is not given.
    #[serde(default, alias = "status", skip_serializing_if = "Option::is_none")]
    pub state: Option<DirectiveState>,
    /// Who signed.
    pub signer: Signer,
    /// What shows the signer's authority: letters, order, power of attorney.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_evidence: Option<String>,
    /// The form that was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_template: Option<FormTemplate>,
    /// How it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Who recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_by: Option<String>,
    /// When it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<Moment>,
    /// The second person, who checked the record against the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<String>,
    /// When it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Moment>,
    /// Permit or deny.
    pub effect: Effect,
    /// The categories; for a deny, none means all.
    #[serde(default)]
    pub categories: BTreeSet<Category>,
    /// HL7 sensitivity labels of which the data must carry one, by themselves or by their category; any data when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
    /// Categories or HL7 sensitivity codes that the signer ticked one by one. Absent when the form
    /// has no such boxes; present and empty when there are boxes and none was ticked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive_opt_ins: Option<BTreeSet<String>>,
    /// Who may tell; for a deny, nobody means everybody.
    #[serde(default)]
    pub disclosers: Parties,
    /// Who wrote the data, whoever holds them now; anybody when nobody is named.
    #[serde(default, skip_serializing_if = "Parties::is_empty")]
    pub authors: Parties,
    /// Who may be told; for a deny, nobody means everybody.
    #[serde(default)]
    pub recipients: Parties,
    /// For what; for a deny, none means all.
    #[serde(default)]
    pub purposes: BTreeSet<Purpose>,
    /// The parts of which the words say only that nothing is left out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub general_words: BTreeSet<General>,
    /// From which period; all of it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_period: Option<DataPeriod>,
    /// From when the directive counts; from its capture when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// When it ends. Absent means that the form does not say, which is not the same as `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// That the person took it back, all or part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// Parts that were taken back before the last revocation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_revocations: Vec<Revocation>,
    /// Words on the form that no field holds. A human reads them; they open nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_notes: Option<Redacted<String>>,
    /// Hash of the scanned document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_document_hash: Option<String>,
    /// The version that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_version: Option<u32>,
    /// The notices that the signer was given, with their versions.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notice_versions_given: BTreeSet<String>,
    /// Whether an interpreter helped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter_used: Option<bool>,
    /// The statements that the form makes; absent when only the form template knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statements: Option<BTreeSet<Statement>>,
    /// Whether the document holds this one permission and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_alone: Option<bool>,
}

const fn first_version() -> u32 {
    1
}

impl Directive {
    /// The directive's state: as recorded, else from what the record shows. A directive that
    /// nobody has verified is [`DirectiveState::SignedUnverified`].
    #[must_use]
    pub fn standing(&self) -> DirectiveState {
        match self.state {
            Some(state) => state,
            None if self.verified_by.is_some() && self.verified_at.is_some() => {
                DirectiveState::Active
            }
            None => DirectiveState::SignedUnverified,
        }
    }

    /// Everything that was taken back, the latest last.
    pub fn revocations(&self) -> impl Iterator<Item = &Revocation> {
        self.earlier_revocations.iter().chain(&self.revocation)
    }

    /// Whether a second person checked the record. Whoever captured it cannot verify it.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verified_at.is_some()
            && self.verified_by.is_some()
            && self.verified_by != self.captured_by
    }
}
