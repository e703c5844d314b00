//! What a source system says about a person.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::coding::{Coding, codes};
use super::date::{BirthDate, PartialDate};
use super::id::{SourceHouseholdId, SourcePersonId};
use super::name::PersonName;
use super::ssn::{Ssn, SsnQuality};

codes! {
    /// Sex as systems record it; the original code travels beside it.
    Sex {
        /// Female.
        Female = "female",
        /// Male.
        Male = "male",
        /// Recorded as neither (CWS/CMS `I`, NIEM `X`).
        Other = "other",
        /// Unknown or not recorded.
        Unknown = "unknown",
    }
}

codes! {
    /// A mark on a person that narrows what may be told.
    PersonFlag {
        /// Sensitive in child welfare (CWS/CMS `SENSTV_IND` = S): answered like no match.
        Sensitive = "sensitive",
        /// A safety flag: hides location and existence.
        Safety = "safety",
        /// Participant of an address confidentiality programme: only the substitute address may appear.
        AddressConfidential = "address-confidential",
        /// Family violence indicator (42 USC 654(26)): location not released.
        FamilyViolence = "family-violence",
    }
}

/// An identifier that several systems can share, or a system's further number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// What it is: `cin`, `county-id`, `meds-id`, `mrn`, or a URI.
    pub kind: String,
    /// The value.
    pub value: String,
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({}, [redacted])", self.kind)
    }
}

/// A postal address. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Address {
    /// Street line with number and unit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub street: String,
    /// City.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Two-letter state code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Five-digit postal code, as sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zip: String,
    /// Whether the source says that the person is homeless there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub homeless: bool,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address([redacted])")
    }
}

/// A Social Security number and how far it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SsnValue {
    /// The number.
    pub ssn: Ssn,
    /// How far it can be trusted.
    pub quality: SsnQuality,
}

/// What one source record says about one person. `Debug` shows nothing of the person.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonRecord {
    /// Names; the official one first.
    #[serde(default)]
    pub names: Vec<PersonName>,
    /// Birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<BirthDate>,
    /// Date of death.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub death: Option<PartialDate>,
    /// Sex; `None` when the source has no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Social Security number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssn: Option<SsnValue>,
    /// Shared and further identifiers, such as the CIN.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Addresses; the current one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Telephone numbers as digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Preferred language (BCP 47 or the source's word).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Marks that narrow what may be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<PersonFlag>,
}

impl PersonRecord {
    /// The official name, or the first one.
    #[must_use]
    pub fn official_name(&self) -> Option<&PersonName> {
        self.names.first()
    }

    /// The value of a shared identifier.
    #[must_use]
    pub fn identifier(&self, kind: &str) -> Option<&str> {
        self.identifiers
            .iter()
            .find(|id| id.kind == kind)
            .map(|id| id.value.as_str())
    }
}

impl fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PersonRecord([redacted], {} names, {} identifiers)",
            self.names.len(),
            self.identifiers.len()
        )
    }
}

codes! {
    /// How a person relates to the head of a household or to another person.
    Relation {
        /// The head of the household.
        HeadOfHousehold = "head-of-household",
        /// Spouse or partner of the head.
        Spouse = "spouse",
        /// Parent.
        Parent = "parent",
        /// Child of the head.
        Child = "child",
        /// Sibling.
        Sibling = "sibling",
        /// Another relative.
        OtherRelative = "other-relative",
        /// A caretaker who is not a parent.
        Caretaker = "caretaker",
        /// Not related.
        NonRelative = "non-relative",
        /// Unknown.
        Unknown = "unknown",
    }
}

/// Payload of `household.membership`: a person belongs to a household, or relates to another person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdMembership {
    /// The member.
    pub person: SourcePersonId,
    /// The household of the source (a case, a HouseholdID); none for a bare relationship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<SourceHouseholdId>,
    /// How the member relates to the head of the household or to `relative`.
    pub relation: Relation,
    /// The other person of a relationship; none when the relation is to the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<SourcePersonId>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PartialDate>,
    /// Last day; none while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PartialDate>,
    /// The sender's own code of the relation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

/// Payload of `record.received`: a source record about a person, as matching may use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordReceived {
    /// Kind of record in the source's words: `T2`, `Client`, `CLIENT_T`, `Patient`.
    pub record_kind: String,
    /// What it says about the person.
    pub person: PersonRecord,
}

/// Why a record left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordGone {
    /// Kind of record in the source's words.
    pub record_kind: String,
    /// `deleted`, `absent-from-full-refresh` or `sealed`.
    pub reason: String,
}
