//! Which living-situation codes (list 3.12.1) may stand in which column.

use std::collections::HashMap;

/// The three uses of list 3.12.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SituationUse {
    /// `Enrollment.LivingSituation` (element 3.917).
    Prior,
    /// `CurrentLivingSituation.CurrentLivingSituation` (element 4.12).
    Current,
    /// `Exit.Destination` (element 3.12).
    Destination,
}

impl SituationUse {
    /// The use that a column makes of the list, and the column that takes its subsidy code.
    #[must_use]
    pub fn of_column(file: &str, column: &str) -> Option<(Self, &'static str)> {
        match (file, column) {
            ("Enrollment", "LivingSituation") => Some((Self::Prior, "RentalSubsidyType")),
            ("CurrentLivingSituation", "CurrentLivingSituation") => {
                Some((Self::Current, "CLSSubsidyType"))
            }
            ("Exit", "Destination") => Some((Self::Destination, "DestinationSubsidyType")),
            _ => None,
        }
    }
}

/// Subsidy codes that stood in the situation columns before FY 2024; read as 435 plus the subsidy.
const RETIRED_SUBSIDIES: [&str; 11] = [
    "419", "420", "428", "431", "433", "434", "436", "437", "438", "439", "440",
];

/// Whether the code is a subsidy code that is an error in a situation column since FY 2024.
#[must_use]
pub fn is_retired_subsidy(code: &str) -> bool {
    RETIRED_SUBSIDIES.contains(&code)
}

/// The contexts of list 3.12.1.
#[derive(Debug, Default)]
pub struct LivingSituations {
    contexts: HashMap<String, [bool; 3]>,
}

impl LivingSituations {
    pub(super) fn insert(&mut self, code: &str, contexts: [bool; 3]) {
        self.contexts.insert(code.to_owned(), contexts);
    }

    /// Whether the code may stand in that use. Codes unknown to the table may not.
    #[must_use]
    pub fn allows(&self, code: &str, place: SituationUse) -> bool {
        let index = match place {
            SituationUse::Prior => 0,
            SituationUse::Current => 1,
            SituationUse::Destination => 2,
        };
        self.contexts
            .get(code)
            .is_some_and(|contexts| contexts.get(index) == Some(&true))
    }
}
