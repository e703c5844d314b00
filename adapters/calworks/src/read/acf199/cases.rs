//! Category 4: what the records of one case in one month must have together (rules K1 to K4 and K6), in a few bytes a case.

use std::ops::Range;

use super::finding::{Finding, Findings, Weight};
use super::known::short;
use super::values::number;
use crate::read::compact::{CompactMap, Fingerprints};
use crate::tables::Section;

/// The most records of a case-month: 1 family, 6 adults, 10 children (rule K4).
const MOST_RECORDS: u32 = 17;

/// What is known about one case in one month: single bytes, so that none is lost to alignment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CaseMonth {
    people: u8,
    /// Marks, and the line of the family, or of the first person while there is no family.
    line: [u8; 4],
    /// A short hash of the family's line; while there is none, how often `people` has been full.
    family: [u8; 2],
}

const HAS_FAMILY: u32 = 1 << 28;
const HAS_AIDED_PERSON: u32 = 1 << 29;
/// The month is paid with federal funds.
pub(super) const FUNDED: u32 = 1 << 30;
/// The case's involvement has been told with this month.
pub(super) const TOLD: u32 = 1 << 31;

/// The bits that the marks leave for the line.
const LAST_LINE: u32 = HAS_FAMILY - 1;

/// Lines of which the faults are sorted at once.
const SORTED_LINES: u32 = 1 << 20;

/// Spreads the three months of a case over the map.
const MONTH_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl CaseMonth {
    fn has_family(&self) -> bool {
        self.has(HAS_FAMILY)
    }

    /// Adds a person. Beside a family, more than a case may have are not counted exactly.
    fn count_person(&mut self) {
        match (self.people.checked_add(1), self.has_family()) {
            (Some(people), _) => self.people = people,
            (None, true) => {}
            (None, false) => {
                let full = u16::from_ne_bytes(self.family);
                if let Some(full) = full.checked_add(1) {
                    (self.people, self.family) = (0, full.to_ne_bytes());
                }
            }
        }
    }

    /// The people of a case-month without a family.
    fn people_alone(&self) -> u32 {
        u32::from(self.people) + 256 * u32::from(u16::from_ne_bytes(self.family))
    }

    fn add_family(&mut self, line: u64, text: [u8; 2]) {
        if self.family != [0; 2] {
            self.people = u8::MAX;
        }
        self.mark(HAS_FAMILY);
        self.family = text;
        self.stands_at(line);
    }

    fn has(&self, mark: u32) -> bool {
        u32::from_ne_bytes(self.line) & mark != 0
    }

    fn mark(&mut self, mark: u32) {
        self.line = (u32::from_ne_bytes(self.line) | mark).to_ne_bytes();
    }

    fn line(&self) -> u32 {
        u32::from_ne_bytes(self.line) & LAST_LINE
    }

    fn stands_at(&mut self, line: u64) {
        let line = u32::try_from(line).unwrap_or(LAST_LINE).min(LAST_LINE);
        let marks = u32::from_ne_bytes(self.line) & !LAST_LINE;
        self.line = (marks | line).to_ne_bytes();
    }

    fn is_too_large(&self) -> bool {
        let people = if self.has_family() {
            1 + u32::from(self.people)
        } else {
            self.people_alone()
        };
        people > MOST_RECORDS
    }

    /// Whether the case stands as far as it has been read: family and people are there and it is not too large.
    #[must_use]
    pub(super) fn is_sound(&self, section: Section) -> bool {
        let is_aided = section != Section::Active || self.has(HAS_AIDED_PERSON);
        self.has_family() && self.people > 0 && is_aided && !self.is_too_large()
    }
}

/// How a record stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// It is the first of its kind.
    New,
    /// A line before it is identical (rule K5).
    Identical,
    /// Another line before it has the same key (rules K6, K7).
    SameKey,
}

/// All cases of a file.
#[derive(Debug, Default)]
pub(super) struct Cases {
    fingerprints: Fingerprints,
    months: CompactMap<CaseMonth>,
}

impl Cases {
    /// The fingerprint of a key.
    #[must_use]
    pub(super) fn fingerprint(&self, parts: &[&str]) -> u64 {
        self.fingerprints.of(parts)
    }

    /// The fingerprint of a case, alike in every month.
    #[must_use]
    pub(super) fn case(&self, number: &str) -> u64 {
        self.fingerprint(&["case", number.trim()])
    }

    /// The key of a case in a month `YYYYMM` of the file's quarter. It follows from the case's fingerprint, so that the
    /// other months of a case are found without a map of their own.
    #[must_use]
    pub(super) fn case_month(case: u64, month: &str) -> u64 {
        let place = month.get(4..).and_then(number).unwrap_or(0) % 3;
        case.wrapping_add(MONTH_STEP.wrapping_mul(place)).max(1)
    }

    /// Marks a case-month.
    pub(super) fn mark(&mut self, case_month: u64, mark: u32) {
        if let (Some(month), _) = self.months.entry(case_month) {
            month.mark(mark);
        }
    }

    /// Whether any month of a case is marked so.
    #[must_use]
    pub(super) fn is_marked(&self, case: u64, mark: u32) -> bool {
        ["YYYY01", "YYYY02", "YYYY03"].into_iter().any(|month| {
            self.months
                .get(Self::case_month(case, month))
                .is_some_and(|known| known.has(mark))
        })
    }

    /// Adds a family record to a case-month, unless there is one already. `text` is the fingerprint of the line.
    pub(super) fn add_family(&mut self, case_month: u64, line: u64, text: u64) -> Repetition {
        let (Some(month), _) = self.months.entry(case_month) else {
            return Repetition::New;
        };
        let text = short(text);
        if !month.has_family() {
            month.add_family(line, text);
            Repetition::New
        } else if month.family == text {
            Repetition::Identical
        } else {
            Repetition::SameKey
        }
    }

    /// Adds a person to a case-month.
    pub(super) fn add_person(&mut self, case_month: u64, line: u64, is_aided: bool) {
        if let (Some(month), _) = self.months.entry(case_month) {
            if !month.has_family() && month.people_alone() == 0 {
                month.stands_at(line);
            }
            month.count_person();
            if is_aided {
                month.mark(HAS_AIDED_PERSON);
            }
        }
    }

    /// Whether a case-month stands, as far as it has been read.
    #[must_use]
    pub(super) fn is_sound(&self, case_month: u64, section: Section) -> bool {
        self.months
            .get(case_month)
            .is_some_and(|month| month.is_sound(section))
    }

    /// At the end of the file: reports the case-months that do not stand, and says whether any record is left.
    pub(super) fn close(&self, section: Section, findings: &mut dyn Findings) -> bool {
        let (mut is_any_kept, mut last) = (false, 0);
        for month in self.months.values() {
            is_any_kept |= month.is_sound(section);
            last = last.max(month.line());
        }
        // A bad file has as many faults as cases: they are gathered and sorted a part of the file at a time.
        let step = SORTED_LINES.max(last / 16);
        let mut from = 0;
        while from <= last {
            self.tell_faults(section, from..from.saturating_add(step), findings);
            from = from.saturating_add(step);
        }
        is_any_kept
    }

    /// Reports what is wrong with the case-months that stand at these lines.
    fn tell_faults(&self, section: Section, lines: Range<u32>, findings: &mut dyn Findings) {
        let mut faults: Vec<(u32, Fault, u32)> = Vec::new();
        for month in self.months.values() {
            if lines.contains(&month.line()) {
                month.collect_faults(section, &mut faults);
            }
        }
        faults.sort_unstable();
        for (line, fault, count) in faults {
            let (rule, record, expected) = fault.told();
            for _ in 0..count {
                findings.found(Finding::of_record(
                    rule,
                    Weight::Record,
                    u64::from(line),
                    record,
                    expected,
                ));
            }
        }
    }
}

/// Why a case-month does not stand. Small, since a bad file has as many as it has cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    NoAidedPerson,
    NoFamily,
    NoPerson,
    NoClosedFamily,
    TooLarge,
}

impl Fault {
    const fn told(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NoAidedPerson => (
                "K1",
                "T1",
                "a person with affiliation 1 in the same month and case",
            ),
            Self::NoFamily => ("K2", "T2/T3", "a family record of the same month and case"),
            Self::NoPerson => ("K3", "T4", "a person record of the same month and case"),
            Self::NoClosedFamily => ("K3", "T5", "a family record of the same month and case"),
            Self::TooLarge => ("K4", "", "at most 17 records in a case and month"),
        }
    }
}

impl CaseMonth {
    fn collect_faults(&self, section: Section, faults: &mut Vec<(u32, Fault, u32)>) {
        let is_active = section == Section::Active;
        let line = self.line();
        if !self.has_family() {
            let fault = if is_active {
                Fault::NoFamily
            } else {
                Fault::NoClosedFamily
            };
            faults.push((line, fault, self.people_alone()));
        } else if is_active && !self.has(HAS_AIDED_PERSON) {
            faults.push((line, Fault::NoAidedPerson, 1));
        } else if self.people == 0 {
            faults.push((line, Fault::NoPerson, 1));
        }
        if self.is_too_large() {
            faults.push((line, Fault::TooLarge, 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Rules(Vec<(&'static str, u64)>);

    impl Findings for Rules {
        fn found(&mut self, finding: Finding<'_>) {
            self.0.push((finding.rule, finding.line));
        }
    }

    fn closed(cases: &Cases, section: Section) -> (bool, Vec<(&'static str, u64)>) {
        let mut rules = Rules::default();
        (cases.close(section, &mut rules), rules.0)
    }

    #[test]
    fn a_family_needs_an_aided_person() {
        let mut cases = Cases::default();
        cases.add_family(1, 2, 100);
        cases.add_person(1, 3, false);
        assert_eq!(closed(&cases, Section::Active), (false, vec![("K1", 2)]));
        cases.add_person(1, 4, true);
        assert_eq!(closed(&cases, Section::Active), (true, vec![]));
    }

    #[test]
    fn each_person_without_a_family_is_an_error() {
        let mut cases = Cases::default();
        cases.add_person(7, 2, true);
        cases.add_person(7, 3, true);
        assert_eq!(
            closed(&cases, Section::Active),
            (false, vec![("K2", 2), ("K2", 2)])
        );
    }

    #[test]
    fn however_many_people_lack_a_family_each_is_an_error() {
        let mut cases = Cases::default();
        (0..700).for_each(|n| cases.add_person(7, 2 + n, true));
        let found = closed(&cases, Section::Active).1;
        let count = |rule| found.iter().filter(|(known, _)| *known == rule).count();
        assert_eq!((count("K2"), count("K4")), (700, 1));
        cases.add_family(7, 900, 100);
        assert_eq!(closed(&cases, Section::Active), (false, vec![("K4", 900)]));
    }

    #[test]
    fn a_mark_of_one_month_holds_for_the_case_and_no_other() {
        let mut cases = Cases::default();
        let (one, other) = (cases.case("58A   "), cases.case("58B"));
        assert_eq!(one, cases.case("58A"));
        cases.mark(Cases::case_month(one, "202012"), FUNDED);
        assert!(cases.is_marked(one, FUNDED) && !cases.is_marked(one, TOLD));
        assert!(!cases.is_marked(other, FUNDED));
        assert_eq!(cases.months.values().count(), 1);
    }

    #[test]
    fn a_case_of_eighteen_records_is_dropped() {
        let mut cases = Cases::default();
        cases.add_family(1, 2, 100);
        (0..16).for_each(|n| cases.add_person(1, 3 + n, true));
        assert_eq!(closed(&cases, Section::Active).1, vec![]);
        cases.add_person(1, 19, true);
        assert_eq!(closed(&cases, Section::Active), (false, vec![("K4", 2)]));
    }

    #[test]
    fn a_closed_family_and_its_person_need_each_other() {
        let mut cases = Cases::default();
        cases.add_family(1, 2, 100);
        cases.add_person(2, 3, false);
        assert_eq!(
            closed(&cases, Section::Closed),
            (false, vec![("K3", 2), ("K3", 3)])
        );
    }

    #[test]
    fn identical_families_differ_from_families_of_the_same_case() {
        let mut cases = Cases::default();
        assert_eq!(cases.add_family(1, 2, 100), Repetition::New);
        assert_eq!(cases.add_family(1, 3, 100), Repetition::Identical);
        assert_eq!(cases.add_family(1, 4, 101), Repetition::SameKey);
    }

    #[test]
    fn faults_come_in_order_of_their_lines_however_long_the_file_is() {
        let mut cases = Cases::default();
        let lines = [u64::from(SORTED_LINES) * 3, 9, u64::from(SORTED_LINES), 2];
        for line in lines {
            let case = cases.case(&line.to_string());
            cases.add_family(case, line, 0);
        }
        let (_, faults) = closed(&cases, Section::Closed);
        let lines: Vec<u64> = faults.iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, [2, 9, 1 << 20, 3 << 20]);
    }
}
