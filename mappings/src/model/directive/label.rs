//! Which HL7 sensitivity labels data of a category may carry, whether or not somebody wrote them.

use crate::model::category::Category;

/// The HL7 v3-ActCode labels that data of a category carry, the broader ones included: behavioural health covers mental
/// health and substance use (HL7 Terminology 6, ActInformationSensitivityPolicy). What is refused by a label is refused
/// for all of these, since the absence of a label does not make data harmless.
#[must_use]
pub const fn implied_labels(category: Category) -> &'static [&'static str] {
    match category {
        Category::PersonIndex => &["DEMO", "DOB", "IDS"],
        Category::ContactLocation => &["LOCIS", "PATLOC", "LIVARG"],
        Category::Demographics => &["RACE", "GENDER", "MARST", "REL", "DEMO"],
        Category::CashAid => &["DEMO", "EMPL"],
        Category::CwReferral => &["VIO", "SDV"],
        Category::CwReporter => &["IDS"],
        Category::MentalHealth => &["MH", "PSY", "BH"],
        Category::PsychotherapyNotes => &["PSYTHPN", "MH", "PSY", "BH"],
        Category::SudPart2 | Category::SudCounselingNotes => {
            &["SUD", "ETH", "ETHUD", "OPIOIDUD", "BH", "42CFRPart2"]
        }
        Category::SudNonpart2 => &["SUD", "ETH", "ETHUD", "OPIOIDUD", "BH"],
        Category::Hiv => &["HIV", "STD"],
        Category::ReproHealth => &["SEX", "PREGNANT", "STD"],
        Category::DvInfo => &["SDV", "VIO", "LOCIS"],
        Category::VspRecord => &["SDV", "SSP", "VIO"],
        Category::HomelessServices => &["LIVARG", "LOCIS"],
        Category::RhyRecord => &["LIVARG"],
        Category::Tribal => &["RACE"],
        Category::FoodAid
        | Category::MedicaidElig
        | Category::CwCase
        | Category::JuvCourt
        | Category::HealthGeneral
        | Category::Education
        | Category::Justice
        | Category::Immigration => &[],
    }
}

/// The label of which a label is a kind (HL7 Terminology 6, v3-ActCode).
fn broader(label: &str) -> Option<&'static str> {
    match label {
        "ETHUD" | "OPIOIDUD" => Some("SUD"),
        "PSYTHPN" => Some("MH"),
        "SUD" | "ETH" | "MH" | "PSY" | "COGN" | "DVD" | "EMOTDIS" => Some("BH"),
        _ => None,
    }
}

/// Whether data of a category that somebody labelled in some way carry a label, by themselves or as a kind of it.
#[must_use]
pub fn carries<'a>(
    category: Option<Category>,
    labels: impl IntoIterator<Item = &'a str>,
    wanted: &str,
) -> bool {
    let is_wanted = |label: &str| {
        std::iter::successors(Some(label), |one| broader(one)).any(|one| one == wanted)
    };
    let implied = category.map(implied_labels).unwrap_or_default();
    implied.contains(&wanted) || labels.into_iter().any(is_wanted)
}

/// Whether a label is one by which data can be told apart here.
#[must_use]
pub fn is_known_label(label: &str) -> bool {
    let implied = Category::ALL.into_iter().flat_map(implied_labels);
    implied.into_iter().any(|one| *one == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_carry_the_labels_of_their_category_and_those_of_which_their_own_are_a_kind() {
        assert!(carries(Some(Category::SudPart2), [], "SUD"));
        assert!(carries(Some(Category::HealthGeneral), ["OPIOIDUD"], "BH"));
        assert!(!carries(Some(Category::HealthGeneral), ["SUD"], "OPIOIDUD"));
        assert!(!carries(None, [], "MH"));
    }
}
