//! Data categories: what a piece of information is about, seen by the laws that guard it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A data category. The names on the wire are the capitals of [`Category::as_str`].
///
/// A category decides which legal regimes must permit a disclosure. A source adapter sets it and
/// on the way it may only become stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Category {
    /// Name, birth date, identifiers, aliases.
    PersonIndex,
    /// Address, phone, whereabouts, names of sites.
    ContactLocation,
    /// Race, gender, language, marital status, religion.
    Demographics,
    /// TANF or CalWORKs eligibility, grant, work activity, sanction.
    CashAid,
    /// CalFresh (SNAP).
    FoodAid,
    /// Medi-Cal eligibility and enrollment.
    MedicaidElig,
    /// Abuse report, investigation, finding.
    CwReferral,
    /// Who reported an abuse: never routed.
    CwReporter,
    /// Child-welfare case plan, placement, services, contacts.
    CwCase,
    /// Juvenile court file, sealed and adoption files included.
    JuvCourt,
    /// Problems, medication, visits, care plan.
    HealthGeneral,
    /// County mental-health services, diagnosis, plan.
    MentalHealth,
    /// Separate notes of a therapist.
    PsychotherapyNotes,
    /// Anything that shows that a person is or was a patient of a Part 2 program.
    SudPart2,
    /// Separate notes of a substance-use counselor.
    SudCounselingNotes,
    /// Substance-use facts from a general provider.
    SudNonpart2,
    /// HIV test results and status.
    Hiv,
    /// Sexual and reproductive care.
    ReproHealth,
    /// Violence facts held by a source that is not a victim service provider.
    DvInfo,
    /// Anything from a victim service provider: never enters.
    VspRecord,
    /// HMIS enrollment, services, assessment, bed.
    HomelessServices,
    /// HMIS data of a runaway-and-homeless-youth project.
    RhyRecord,
    /// School records.
    Education,
    /// Custody, probation, release date.
    Justice,
    /// Tribal membership, data of a tribal agency.
    Tribal,
    /// Immigration status and documents: never routed.
    Immigration,
}

/// The text is not the name of a category.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown data category {0:?}")]
pub struct UnknownCategory(pub String);

impl Category {
    /// Every category, in the order of the declaration.
    pub const ALL: [Self; 26] = [
        Self::PersonIndex,
        Self::ContactLocation,
        Self::Demographics,
        Self::CashAid,
        Self::FoodAid,
        Self::MedicaidElig,
        Self::CwReferral,
        Self::CwReporter,
        Self::CwCase,
        Self::JuvCourt,
        Self::HealthGeneral,
        Self::MentalHealth,
        Self::PsychotherapyNotes,
        Self::SudPart2,
        Self::SudCounselingNotes,
        Self::SudNonpart2,
        Self::Hiv,
        Self::ReproHealth,
        Self::DvInfo,
        Self::VspRecord,
        Self::HomelessServices,
        Self::RhyRecord,
        Self::Education,
        Self::Justice,
        Self::Tribal,
        Self::Immigration,
    ];

    /// The name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PersonIndex => "PERSON_INDEX",
            Self::ContactLocation => "CONTACT_LOCATION",
            Self::Demographics => "DEMOGRAPHICS",
            Self::CashAid => "CASH_AID",
            Self::FoodAid => "FOOD_AID",
            Self::MedicaidElig => "MEDICAID_ELIG",
            Self::CwReferral => "CW_REFERRAL",
            Self::CwReporter => "CW_REPORTER",
            Self::CwCase => "CW_CASE",
            Self::JuvCourt => "JUV_COURT",
            Self::HealthGeneral => "HEALTH_GENERAL",
            Self::MentalHealth => "MENTAL_HEALTH",
            Self::PsychotherapyNotes => "PSYCHOTHERAPY_NOTES",
            Self::SudPart2 => "SUD_PART2",
            Self::SudCounselingNotes => "SUD_COUNSELING_NOTES",
            Self::SudNonpart2 => "SUD_NONPART2",
            Self::Hiv => "HIV",
            Self::ReproHealth => "REPRO_HEALTH",
            Self::DvInfo => "DV_INFO",
            Self::VspRecord => "VSP_RECORD",
            Self::HomelessServices => "HOMELESS_SERVICES",
            Self::RhyRecord => "RHY_RECORD",
            Self::Education => "EDUCATION",
            Self::Justice => "JUSTICE",
            Self::Tribal => "TRIBAL",
            Self::Immigration => "IMMIGRATION",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == text)
            .ok_or_else(|| UnknownCategory(text.to_owned()))
    }
}

impl TryFrom<String> for Category {
    type Error = UnknownCategory;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_reads_back_from_its_own_name() {
        for category in Category::ALL {
            assert_eq!(category.as_str().parse(), Ok(category));
            let json = serde_json::to_string(&category).unwrap();
            assert_eq!(serde_json::from_str::<Category>(&json).unwrap(), category);
        }
    }

    #[test]
    fn an_unknown_category_is_refused() {
        assert!(serde_json::from_str::<Category>("\"HOTLINE\"").is_err());
        assert!("cash_aid".parse::<Category>().is_err());
    }
}
