//! What Disabilities.csv and HealthAndDV.csv say of stays and people: only that there is something to guard.
//!
//! The first pass learns which answers say yes (FY 2026 HMIS Data Standards 4.05-4.11, W4, R10). A stay then hands the
//! codes of its yes-answers to the labelling step, which reads them and keeps none; an answer of domestic violence
//! marks the client, and whoever shares the household stay, for whose place is hers. Nothing else of a row goes on.
//!
//! Raised when in doubt: an answer that is no code of its list counts as yes, and so does a value that only a yes
//! allows. Rows of refused stays are not learnt, and deleted rows say nothing.

use tandem_adapter_port::package::Package;
use tandem_mappings::model::coding::Coding;

use super::household::Households;
use super::session::verdict;
use super::source::{Halt, scan};
use crate::describe::CODE_SYSTEM;
use crate::gates::{Gates, Verdict};
use crate::idset::{IdMap, IdSet, id_hash};
use crate::tables::FileLayout;
use crate::value;

/// The files whose rows hang on a stay and say what its labels must guard.
pub(crate) const FILES: [&str; 2] = ["Disabilities", "HealthAndDV"];

/// The columns of both files that count. A file lacks those of the other.
const COLUMNS: [&str; 15] = [
    "EnrollmentID",
    "PersonalID",
    "DateDeleted",
    "DisabilityType",
    "DisabilityResponse",
    "TCellCountAvailable",
    "TCellCount",
    "ViralLoadAvailable",
    "ViralLoad",
    "AntiRetroviral",
    "DomesticViolenceSurvivor",
    "WhenOccurred",
    "CurrentlyFleeing",
    "PregnancyStatus",
    "DueDate",
];

/// What a yes-answer is for the labelling step, by its bit: `list:code` for a disability, else `File.Column:code`.
const CODES: [&str; 9] = [
    "1.3:5",
    "1.3:6",
    "1.3:7",
    "1.3:8",
    "1.3:9",
    "1.3:10",
    "HealthAndDV.DomesticViolenceSurvivor:1",
    "HealthAndDV.CurrentlyFleeing:1",
    "HealthAndDV.PregnancyStatus:1",
];
/// The first `DisabilityType` of list 1.3; the types follow each other.
const FIRST_TYPE: u64 = 5;
const LAST_TYPE: u64 = 10;
const HIV: u16 = 1 << 3;
const SURVIVOR: u16 = 1 << 6;
const FLEEING: u16 = 1 << 7;
const PREGNANT: u16 = 1 << 8;

/// The yes-answers of one row or one stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answers(u16);

impl Answers {
    /// The answers of a row of either file, by its columns; a column that the file lacks is blank.
    pub(crate) fn of<'a>(column: impl Fn(&str) -> &'a str) -> Self {
        if is_date(column("DateDeleted")) {
            return Self(0);
        }
        let mut bits = disability(column("DisabilityType"), column("DisabilityResponse"));
        let yes = |names: &[&str]| names.iter().any(|name| is_yes(column(name)));
        let filled = |names: &[&str]| names.iter().any(|name| !is_blank(column(name)));
        if yes(&[
            "TCellCountAvailable",
            "ViralLoadAvailable",
            "AntiRetroviral",
        ]) || filled(&["TCellCount", "ViralLoad"])
        {
            bits |= HIV;
        }
        if yes(&["DomesticViolenceSurvivor", "WhenOccurred"]) {
            bits |= SURVIVOR;
        }
        if yes(&["CurrentlyFleeing"]) {
            bits |= FLEEING;
        }
        if yes(&["PregnancyStatus"]) || filled(&["DueDate"]) {
            bits |= PREGNANT;
        }
        Self(bits)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether an answer tells of domestic violence.
    pub(crate) const fn is_of_violence(self) -> bool {
        self.0 & (SURVIVOR | FLEEING) != 0
    }

    /// The codes for the labelling step.
    pub(crate) fn codes(self) -> impl Iterator<Item = Coding> {
        let is_given = move |bit: usize| self.0 & (1 << bit) != 0;
        let given = CODES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| is_given(*bit));
        given.map(|(_, code)| Coding::new(CODE_SYSTEM, *code))
    }
}

/// The bit of a disability; list 4.10.2 (substance use) has a code for each kind of yes.
fn disability(kind: &str, response: &str) -> u16 {
    let kind = value::whole(kind).map(|read| read.value);
    let listed = kind.filter(|kind| (FIRST_TYPE..=LAST_TYPE).contains(kind) && is_yes(response));
    listed.map_or(0, |kind| 1 << (kind - FIRST_TYPE))
}

fn is_blank(text: &str) -> bool {
    matches!(text.trim(), "" | "NULL" | "null")
}

/// Whether an answer is anything but a no or an unknown (0, 8, 9, 99 in every list of these columns).
fn is_yes(answer: &str) -> bool {
    let code = value::whole(answer).map(|read| read.value);
    !is_blank(answer) && !matches!(code, Some(0 | 8 | 9 | 99))
}

/// Whether a row is marked as deleted; what can't be read as a time marks nothing.
fn is_date(text: &str) -> bool {
    !is_blank(text) && value::instant(text, 0).is_some()
}

/// The yes-answers by stay, and the people whom domestic violence puts at risk, by hashed ids.
#[derive(Debug)]
pub(crate) struct Marks {
    stays: IdMap<u16>,
    at_risk: IdSet,
    has_violence: bool,
}

/// What must be known before rows that hang on a stay are learnt.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) gates: &'a Gates,
    pub(crate) households: &'a Households,
}

impl Marks {
    pub(crate) fn new() -> Self {
        Self {
            stays: IdMap::new(),
            at_risk: IdSet::new(),
            has_violence: false,
        }
    }

    /// The yes-answers of a stay.
    pub(crate) fn of_stay(&self, enrollment: &str) -> Answers {
        Answers(self.stays.get(id_hash(&[enrollment])).unwrap_or(0))
    }

    /// Whether a person is marked for safety.
    pub(crate) fn is_at_risk(&self, person: &str) -> bool {
        self.at_risk.contains(id_hash(&[person]))
    }

    /// Learns one of [`FILES`]; call after every Enrollment row.
    pub(crate) fn learn(
        &mut self,
        package: &mut dyn Package,
        file: (&str, &FileLayout),
        known: Known<'_>,
    ) -> Result<(), Halt> {
        scan(package, file, COLUMNS, |values| {
            let column = |name: &str| {
                let place = COLUMNS.iter().position(|column| *column == name);
                place
                    .and_then(|place| values.get(place))
                    .copied()
                    .unwrap_or_default()
            };
            let (enrollment, person) = (column("EnrollmentID"), column("PersonalID"));
            if may_be_learnt(known.gates, person, enrollment) {
                self.answered(enrollment, person, Answers::of(column));
            }
        })
    }

    fn answered(&mut self, enrollment: &str, person: &str, answers: Answers) {
        if answers.is_empty() {
            return;
        }
        if let Some((held, _)) = self.stays.entry(id_hash(&[enrollment]), 0) {
            *held |= answers.0;
        }
        if answers.is_of_violence() {
            self.has_violence = true;
            self.at_risk.insert(id_hash(&[person]));
        }
    }

    /// Marks whoever shares a household stay with somebody who is at risk. An id that names no one household (used in
    /// several projects, or for all single people) joins nobody.
    pub(crate) fn learn_households(
        &mut self,
        package: &mut dyn Package,
        file: (&str, &FileLayout),
        known: Known<'_>,
    ) -> Result<(), Halt> {
        if !self.has_violence {
            return Ok(());
        }
        let columns = ["EnrollmentID", "PersonalID", "HouseholdID", "DateDeleted"];
        let mut households = IdSet::new();
        // The household that a row of Enrollment joins.
        let joins = |[enrollment, person, household, deleted]: [&str; 4]| {
            let is_one = !household.is_empty() && !known.households.is_reused(household);
            let counts = deleted.is_empty() && may_be_learnt(known.gates, person, enrollment);
            (is_one && counts).then(|| id_hash(&[household]))
        };
        scan(package, file, columns, |row| {
            let [enrollment, ..] = row;
            if let Some(household) = joins(row)
                && self.of_stay(enrollment).is_of_violence()
            {
                households.insert(household);
            }
        })?;
        scan(package, file, columns, |row| {
            let [_, person, ..] = row;
            if joins(row).is_some_and(|household| households.contains(household)) {
                self.at_risk.insert(id_hash(&[person]));
            }
        })
    }
}

/// Whether the second pass will read a row that hangs on a stay.
fn may_be_learnt(gates: &Gates, person: &str, enrollment: &str) -> bool {
    match verdict(gates, person, enrollment) {
        Verdict::Clear => true,
        Verdict::Unknown => !gates.has_closed_projects(),
        Verdict::Refused(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(row: &[(&str, &str)]) -> Vec<String> {
        let column = |name: &str| {
            let found = row.iter().find(|(column, _)| *column == name);
            found.map_or("", |(_, value)| *value)
        };
        Answers::of(column).codes().map(|one| one.code).collect()
    }

    fn disability(kind: &str, response: &str) -> Vec<String> {
        codes(&[("DisabilityType", kind), ("DisabilityResponse", response)])
    }

    #[test]
    fn each_kind_of_disability_hands_over_its_own_code_when_the_answer_is_yes() {
        for kind in ["5", "6", "7", "8", "9", "10"] {
            assert_eq!(disability(kind, "1"), [format!("1.3:{kind}")]);
            for no in ["0", "8", "9", "99", "", "NULL"] {
                assert!(disability(kind, no).is_empty(), "{kind} {no}");
            }
        }
        for kind_of_yes in ["1", "2", "3"] {
            assert_eq!(disability("10", kind_of_yes), ["1.3:10"]);
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_counts_as_yes_and_a_type_that_cannot_as_nothing() {
        for odd in ["yes", "7", "-1", "1.0", " 01"] {
            assert_eq!(disability("8", odd), ["1.3:8"], "{odd}");
        }
        for odd in ["", "4", "11", "x", "18446744073709551615"] {
            assert!(disability(odd, "1").is_empty(), "{odd}");
        }
    }

    #[test]
    fn what_only_a_yes_allows_counts_as_yes() {
        for hiv in [
            ("TCellCount", "0"),
            ("ViralLoad", "0"),
            ("TCellCountAvailable", "1"),
            ("ViralLoadAvailable", "2"),
            ("AntiRetroviral", "1"),
        ] {
            assert_eq!(codes(&[hiv]), ["1.3:8"], "{hiv:?}");
        }
        let survivor = codes(&[("DomesticViolenceSurvivor", "99"), ("WhenOccurred", "1")]);
        assert_eq!(survivor, ["HealthAndDV.DomesticViolenceSurvivor:1"]);
        assert_eq!(
            codes(&[("DueDate", "2026-09-01")]),
            ["HealthAndDV.PregnancyStatus:1"]
        );
    }

    #[test]
    fn a_deleted_row_says_nothing_and_an_unreadable_mark_of_deletion_deletes_nothing() {
        let row = |deleted| {
            codes(&[
                ("CurrentlyFleeing", "1"),
                ("PregnancyStatus", "0"),
                ("DateDeleted", deleted),
            ])
        };
        assert!(row("2026-02-01 09:00:00").is_empty());
        for kept in ["", "NULL", "no"] {
            assert_eq!(row(kept), ["HealthAndDV.CurrentlyFleeing:1"], "{kept}");
        }
    }
}
