//! An organisation and the facts about it that rules test.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::category::Category;
use crate::model::id::OrganizationId;
use crate::model::purpose::Purpose;

/// What an organisation is in the eyes of the law, such as `CWS_AGENCY` or `HEALTH_PROVIDER`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationKind(String);

/// The text is not the name of a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a kind of organisation is written in capitals, digits and underscores")]
pub struct KindError;

impl OrganizationKind {
    /// Takes capitals, digits and underscores.
    ///
    /// # Errors
    /// When the text is empty or holds anything else.
    pub fn new(text: impl Into<String>) -> Result<Self, KindError> {
        let text = text.into();
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if text.is_empty() || !text.chars().all(fits) {
            return Err(KindError);
        }
        Ok(Self(text))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for OrganizationKind {
    type Error = KindError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<OrganizationKind> for String {
    fn from(kind: OrganizationKind) -> Self {
        kind.0
    }
}

/// A stretch of days, both ends included; an absent end is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// First day.
    #[serde(default, alias = "from", skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Last day.
    #[serde(default, alias = "to", skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
}

impl Term {
    /// Whether the day lies within.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.start.is_none_or(|start| start <= day) && self.end.is_none_or(|end| day <= end)
    }
}

/// What an agreement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgreementKind {
    /// Data sharing agreement.
    Dsa,
    /// Business associate agreement (45 CFR 164.504(e)).
    Baa,
    /// Qualified service organization agreement (42 CFR 2.11).
    Qsoa,
}

/// An agreement that an organisation holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its id.
    pub id: String,
    /// With whom: `gateway` for the operator, else an organisation.
    pub with: OrganizationId,
    /// What it is; a data sharing agreement when not said.
    #[serde(default = "dsa")]
    pub kind: AgreementKind,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Last day; open when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
    /// Categories that the agreement leaves out, whatever the law permits.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded_categories: BTreeSet<Category>,
    /// Purposes that the agreement leaves out, whatever the law permits.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded_purposes: BTreeSet<Purpose>,
}

const fn dsa() -> AgreementKind {
    AgreementKind::Dsa
}

impl Agreement {
    /// Its days.
    #[must_use]
    pub const fn term(&self) -> Term {
        Term {
            start: self.start,
            end: self.end,
        }
    }
}

/// The legal facts about an organisation. A fact that is not stated is not true.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationFacts {
    /// Covered entity under HIPAA (45 CFR 160.103).
    #[serde(alias = "covered_entity", skip_serializing_if = "Option::is_none")]
    pub hipaa_covered_entity: Option<bool>,
    /// The covered unit, when the organisation is a hybrid entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hybrid_unit: Option<String>,
    /// Part 2 program (42 CFR 2.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part2_program: Option<bool>,
    /// Victim service provider (34 USC 12291(a)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub victim_service_provider: Option<bool>,
    /// County or state mental-health services under WIC 5328.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lps_services: Option<bool>,
    /// Substance-use services paid by the county (HSC 11845.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county_funded_sud: Option<bool>,
    /// Federal or federally assisted program on the basis of need (45 CFR 205.50).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_based_program: Option<bool>,
    /// Government health plan or benefit program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub government_program: Option<bool>,
    /// Works under a contract that binds it to WIC 10850.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_to_10850: Option<bool>,
    /// Its posted privacy notice names coordination with other agencies (69 FR 45888, 4.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_notice_posted: Option<bool>,
    /// CalAIM partner (WIC 14184.102(j)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calaim_partner: Option<bool>,
    /// Signatory of California's Data Sharing Agreement (HSC 130290).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsa_signatory: Option<bool>,
    /// Tribe or tribal agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tribe: Option<bool>,
    /// Ids of the HMIS projects that runaway-and-homeless-youth grants fund.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rhy_project_ids: BTreeSet<String>,
    /// Days of the qualified service organization agreement with the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qsoa: Option<Term>,
    /// Days of the business associate agreement with the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baa: Option<Term>,
}

/// An organisation of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// What it does (HSDS asks for it).
    #[serde(default)]
    pub description: String,
    /// What it is in the eyes of the law.
    pub kinds: BTreeSet<OrganizationKind>,
    /// The legal facts about it.
    #[serde(default)]
    pub facts: OrganizationFacts,
    /// Its agreements.
    #[serde(default)]
    pub agreements: Vec<Agreement>,
}
