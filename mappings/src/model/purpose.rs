//! Purposes of use: why somebody asks for data.
//!
//! Codes are HL7 v3-ActReason PurposeOfUse where one fits; own codes start with `X_`. Law
//! enforcement, immigration enforcement and debt collection have no code, so that they cannot be
//! expressed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A purpose of use. A request names exactly one.
///
/// Purposes are compared for equality only: HL7 puts coordination of care and break the glass
/// under treatment, and a consent for treatment must not open either by subsumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Purpose {
    /// `TREAT`: treatment.
    Treat,
    /// `COC`: coordination of care.
    CoordinationOfCare,
    /// `ETREAT`: emergency treatment.
    EmergencyTreatment,
    /// `BTG`: break the glass.
    BreakTheGlass,
    /// `CAREMGT`: care management.
    CareManagement,
    /// `HPAYMT`: healthcare payment.
    HealthcarePayment,
    /// `HOPERAT`: healthcare operations.
    HealthcareOperations,
    /// `COVERAGE`: coverage under a policy or program.
    Coverage,
    /// `ELIGDTRM`: eligibility determination.
    EligibilityDetermination,
    /// `ELIGVER`: eligibility verification.
    EligibilityVerification,
    /// `ENROLLM`: enrollment.
    Enrollment,
    /// `PATRQT`: request of the person.
    PatientRequest,
    /// `FAMRQT`: request of the family.
    FamilyRequest,
    /// `PWATRNY`: power of attorney.
    PowerOfAttorney,
    /// `SUPNWK`: support network.
    SupportNetwork,
    /// `PUBHLTH`: public health.
    PublicHealth,
    /// `DISASTER`: disaster.
    Disaster,
    /// `THREAT`: serious threat.
    Threat,
    /// `HRESCH`: healthcare research.
    Research,
    /// `HLEGAL`: legal proceedings.
    Legal,
    /// `HPRGRP`: health program reporting.
    ProgramReporting,
    /// `HSYSADMIN`: health system administration.
    SystemAdministration,
    /// `RECORDMGT`: records management.
    RecordsManagement,
    /// `PATADMIN`: patient administration.
    PatientAdministration,
    /// `FRAUD`: fraud detection.
    Fraud,
    /// `X_HOUSING`: housing placement and retention (own code).
    Housing,
    /// `X_CHILD_SAFETY`: child protection (own code).
    ChildSafety,
    /// `X_ABUSE_REPORT`: report of abuse or neglect (own code).
    AbuseReport,
    /// `X_EDU_NEEDS`: education needs of a foster child (own code).
    EducationNeeds,
    /// `X_ICWA`: Indian child welfare proceeding (own code).
    IndianChildWelfare,
    /// `X_ICWA_NOTICE`: Indian child welfare notice (own code).
    IndianChildWelfareNotice,
    /// `X_ICWA_INQUIRY`: Indian child welfare inquiry (own code).
    IndianChildWelfareInquiry,
    /// `X_MATCH`: identity matching (own code).
    Match,
}

/// The text is not the code of a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown purpose of use {0:?}")]
pub struct UnknownPurpose(pub String);

impl Purpose {
    /// Every purpose, in the order of the declaration.
    pub const ALL: [Self; 33] = [
        Self::Treat,
        Self::CoordinationOfCare,
        Self::EmergencyTreatment,
        Self::BreakTheGlass,
        Self::CareManagement,
        Self::HealthcarePayment,
        Self::HealthcareOperations,
        Self::Coverage,
        Self::EligibilityDetermination,
        Self::EligibilityVerification,
        Self::Enrollment,
        Self::PatientRequest,
        Self::FamilyRequest,
        Self::PowerOfAttorney,
        Self::SupportNetwork,
        Self::PublicHealth,
        Self::Disaster,
        Self::Threat,
        Self::Research,
        Self::Legal,
        Self::ProgramReporting,
        Self::SystemAdministration,
        Self::RecordsManagement,
        Self::PatientAdministration,
        Self::Fraud,
        Self::Housing,
        Self::ChildSafety,
        Self::AbuseReport,
        Self::EducationNeeds,
        Self::IndianChildWelfare,
        Self::IndianChildWelfareNotice,
        Self::IndianChildWelfareInquiry,
        Self::Match,
    ];

    /// The code on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Treat => "TREAT",
            Self::CoordinationOfCare => "COC",
            Self::EmergencyTreatment => "ETREAT",
            Self::BreakTheGlass => "BTG",
            Self::CareManagement => "CAREMGT",
            Self::HealthcarePayment => "HPAYMT",
            Self::HealthcareOperations => "HOPERAT",
            Self::Coverage => "COVERAGE",
            Self::EligibilityDetermination => "ELIGDTRM",
            Self::EligibilityVerification => "ELIGVER",
            Self::Enrollment => "ENROLLM",
            Self::PatientRequest => "PATRQT",
            Self::FamilyRequest => "FAMRQT",
            Self::PowerOfAttorney => "PWATRNY",
            Self::SupportNetwork => "SUPNWK",
            Self::PublicHealth => "PUBHLTH",
            Self::Disaster => "DISASTER",
            Self::Threat => "THREAT",
            Self::Research => "HRESCH",
            Self::Legal => "HLEGAL",
            Self::ProgramReporting => "HPRGRP",
            Self::SystemAdministration => "HSYSADMIN",
            Self::RecordsManagement => "RECORDMGT",
            Self::PatientAdministration => "PATADMIN",
            Self::Fraud => "FRAUD",
            Self::Housing => "X_HOUSING",
            Self::ChildSafety => "X_CHILD_SAFETY",
            Self::AbuseReport => "X_ABUSE_REPORT",
            Self::EducationNeeds => "X_EDU_NEEDS",
            Self::IndianChildWelfare => "X_ICWA",
            Self::IndianChildWelfareNotice => "X_ICWA_NOTICE",
            Self::IndianChildWelfareInquiry => "X_ICWA_INQUIRY",
            Self::Match => "X_MATCH",
        }
    }

    /// The purpose of which this one is a kind (HL7 Terminology 6, v3-ActReason). Whoever permits a purpose permits that
    /// one alone; whoever refuses a purpose refuses its kinds with it.
    #[must_use]
    pub const fn broader(self) -> Option<Self> {
        Some(match self {
            Self::CoordinationOfCare | Self::EmergencyTreatment => Self::Treat,
            Self::BreakTheGlass => Self::EmergencyTreatment,
            Self::CareManagement
            | Self::Legal
            | Self::ProgramReporting
            | Self::SystemAdministration
            | Self::RecordsManagement
            | Self::PatientAdministration
            | Self::Fraud => Self::HealthcareOperations,
            Self::Coverage => Self::HealthcarePayment,
            Self::EligibilityDetermination | Self::EligibilityVerification | Self::Enrollment => {
                Self::Coverage
            }
            Self::FamilyRequest | Self::PowerOfAttorney | Self::SupportNetwork => {
                Self::PatientRequest
            }
            Self::Disaster | Self::Threat => Self::PublicHealth,
            _ => return None,
        })
    }

    /// Whether this purpose is another one or a kind of it.
    #[must_use]
    pub fn is_kind_of(self, other: Self) -> bool {
        std::iter::successors(Some(self), |one| one.broader()).any(|one| one == other)
    }

    /// The purpose itself and all kinds of it.
    pub fn kinds(self) -> impl Iterator<Item = Self> {
        let all = Self::ALL.into_iter();
        all.filter(move |kind| kind.is_kind_of(self))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = UnknownPurpose;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or_else(|| UnknownPurpose(text.to_owned()))
    }
}

impl TryFrom<String> for Purpose {
    type Error = UnknownPurpose;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_reads_back_from_its_own_code() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
        }
    }

    #[test]
    fn breaking_the_glass_is_a_kind_of_treatment_and_not_the_other_way_round() {
        assert!(Purpose::BreakTheGlass.is_kind_of(Purpose::Treat));
        assert!(!Purpose::Treat.is_kind_of(Purpose::CoordinationOfCare));
        assert!(!Purpose::Housing.is_kind_of(Purpose::Treat));
    }

    #[test]
    fn law_enforcement_cannot_be_expressed() {
        assert!("LAWENF".parse::<Purpose>().is_err());
        assert!(serde_json::from_str::<Purpose>("\"DEBT\"").is_err());
    }
}
