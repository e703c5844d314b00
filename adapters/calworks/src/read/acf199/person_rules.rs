//! The rules about people: adults, children, people of closed cases.

use super::cases::{FUNDED, Repetition};
use super::consistency::{self, AdultFacts};
use super::finding::{Finding, Findings, Weight};
use super::known::Standing;
use super::people::{age, usable};
use super::records::Role;
use super::run::Told;
use super::section::{Record, SectionRun, reporter, ssn_needed};
use super::values::{check_field, is_missing};
use super::view::View;
use crate::tables::{Program, Section};

impl SectionRun<'_> {
    pub(super) fn person(
        &mut self,
        record: Record<'_>,
        view: View<'_>,
        case_month: u64,
        told: &mut Told<'_>,
    ) -> bool {
        if !record.kind.is_known {
            let expected =
                "a layout of the tribal adult record, which is not published with the others";
            told.found(Finding::of_record(
                "tribal-t2",
                Weight::Note,
                record.line,
                &record.kind.layout.record,
                expected,
            ));
            let key = self.cases.fingerprint(&["line", record.text]);
            let repetition = self.known.record(key, key);
            let is_new = self.is_new(record, repetition, "K7", told);
            if is_new {
                self.cases.add_person(case_month, record.line, true);
            }
            return is_new;
        }
        let ssn = self.decoded(view.raw("ssn"));
        record.check_values(&record.kind.groups, told);
        self.check_ssn(record, "", &ssn, told);
        self.check_birth_day(record, view, told);
        let born = age(view.raw("date_of_birth"), view.raw("rpt_month_year"));
        let mut report = reporter(record, told);
        if self.header.section == Section::Active {
            let facts = AdultFacts {
                has_repeated_ssn: is_repeated(&ssn),
                age: born,
            };
            consistency::adult(view, self.header.program, facts, &mut report);
        } else {
            consistency::closed_person(view, self.header.program, born, &mut report);
        }
        drop(report);
        self.note_missing_ssn(record, view, &ssn, told);
        self.add_person(record, "", view, &ssn, case_month, told)
    }

    /// The children of a record. Says which are kept, one bit each.
    pub(super) fn children(
        &mut self,
        record: Record<'_>,
        case_month: u64,
        told: &mut Told<'_>,
    ) -> u8 {
        let mut kept = 0;
        for (place, group) in record.kind.groups.iter().enumerate() {
            if place > 0 && group.is_unused_in(record.text) {
                continue;
            }
            let shortest = record
                .kind
                .layout
                .second_group_minimum
                .unwrap_or(record.kind.layout.length);
            if place > 0 && record.text.len() < shortest {
                let expected = "a line long enough for its second child";
                let name = &record.kind.layout.record;
                told.found(Finding::of_record(
                    "R1",
                    Weight::Record,
                    record.line,
                    name,
                    expected,
                ));
                continue;
            }
            if place == 0 && group.is_unused_in(record.text) {
                let name = &record.kind.layout.record;
                told.found(Finding::of_record(
                    "R5",
                    Weight::Record,
                    record.line,
                    name,
                    "a first child",
                ));
                continue;
            }
            let view = View::new(&group.names, record.text);
            let ssn = self.decoded(view.raw("ssn"));
            record.check_values(std::slice::from_ref(group), told);
            self.check_ssn(record, &group.name, &ssn, told);
            self.check_birth_day(record, view, told);
            consistency::child(view, self.header.program, &mut reporter(record, told));
            if self.add_person(record, &group.name, view, &ssn, case_month, told) {
                kept |= 1 << place;
            }
        }
        kept
    }

    /// Rule K7 for an aided person, rule K5 for anybody. `group` is the person's place in a record of several.
    fn add_person(
        &mut self,
        record: Record<'_>,
        group: &str,
        view: View<'_>,
        ssn: &str,
        case_month: u64,
        told: &mut Told<'_>,
    ) -> bool {
        let affiliation = view.raw("family_affiliation");
        let is_unaided = match record.kind.role {
            Role::Children => matches!(affiliation, "2" | "4" | "5"),
            _ if self.header.section == Section::Closed => matches!(affiliation, "3" | "4" | "5"),
            _ => matches!(affiliation, "3" | "5"),
        };
        let (tag, birth) = (
            record.kind.layout.record.as_str(),
            view.raw("date_of_birth"),
        );
        // Two children of one line that have the same key are no identical lines.
        let text = self.cases.fingerprint(&["text", record.text, group]);
        let person = usable(ssn).map(|_| self.numbered_person(ssn, birth));
        let (month, case) = (view.raw("rpt_month_year"), view.raw("case_number"));
        let standing = Standing::of(tag, month, affiliation).filter(|_| !is_unaided);
        let remembered = person.zip(standing).and_then(|(person, standing)| {
            let case = self.cases.case(case);
            self.known.person(person, standing, case, text)
        });
        let repetition = remembered.unwrap_or_else(|| {
            // What cannot be decoded is compared as it stands.
            let ssn = if ssn.contains('?') {
                view.raw("ssn")
            } else {
                ssn
            };
            let parts = ["person", tag, month, case, affiliation, birth, ssn];
            let key = if is_unaided {
                self.cases.fingerprint(&["line", record.text, group])
            } else {
                self.cases.fingerprint(&parts)
            };
            self.known.record(key, text)
        });
        let is_new = self.is_new(record, repetition, "K7", told);
        if is_new {
            self.cases
                .add_person(case_month, record.line, affiliation == "1");
        }
        is_new
    }

    /// The fingerprint of a person with a usable number, in every record, month and case.
    pub(super) fn numbered_person(&self, ssn: &str, birth: &str) -> u64 {
        self.cases.fingerprint(&["person", ssn, birth])
    }

    pub(super) fn is_new(
        &mut self,
        record: Record<'_>,
        repetition: Repetition,
        rule: &'static str,
        told: &mut Told<'_>,
    ) -> bool {
        let (rule, expected) = match repetition {
            Repetition::New => return true,
            // What the second child of an identical line repeats has been told with the line.
            _ if self.identical_line == record.line => return false,
            Repetition::Identical => {
                self.identical_line = record.line;
                ("K5", "no two identical lines")
            }
            Repetition::SameKey => (
                rule,
                "no second record of the same family or person in a month",
            ),
        };
        told.found(Finding::of_record(
            rule,
            Weight::Record,
            record.line,
            &record.kind.layout.record,
            expected,
        ));
        false
    }

    pub(super) fn decoded(&self, raw: &str) -> String {
        if is_missing(raw) {
            String::new()
        } else if self.header.is_substituted {
            self.reader.substitution.decode(raw)
        } else {
            raw.to_owned()
        }
    }

    fn check_ssn(&self, record: Record<'_>, group: &str, ssn: &str, told: &mut Told<'_>) {
        let field = record
            .kind
            .layout
            .fields
            .iter()
            .find(|field| field.name == "ssn" && field.group() == group);
        if let Some(field) = field {
            check_field(field, ssn, record.line, &record.kind.layout.record, told);
        }
    }

    /// A birth date whose parts pass though no calendar has the day, or that lies after the report month.
    fn check_birth_day(&self, record: Record<'_>, view: View<'_>, told: &mut Told<'_>) {
        let (birth, month) = (view.raw("date_of_birth"), view.raw("rpt_month_year"));
        let parts_pass = crate::tables::day_faults(birth, 1900).is_empty();
        let years = age(birth, month);
        let is_later = birth.get(..6).is_some_and(|born| born > month);
        let name = &record.kind.layout.record;
        let mut doubt = |rule, what| {
            let (line, field) = (record.line, "date_of_birth");
            told.found(Finding {
                rule,
                weight: Weight::Doubt,
                line,
                record: name,
                item: "",
                field,
                what,
            });
        };
        if parts_pass && years.is_none() {
            doubt("no-such-day", "a day of the calendar");
        } else if parts_pass && is_later {
            doubt(
                "birth-after-month",
                "a birth date not after the report month",
            );
        }
    }

    /// Rule S1 can be decided at once when the T1 came before, else when every T1 has been seen.
    fn note_missing_ssn(
        &mut self,
        record: Record<'_>,
        view: View<'_>,
        ssn: &str,
        told: &mut Told<'_>,
    ) {
        let is_asked =
            self.header.program == Program::Tanf && self.header.section == Section::Active;
        if !is_asked || view.raw("family_affiliation") != "1" || is_valid(ssn) {
            return;
        }
        let case = self.cases.case(view.raw("case_number"));
        if self.cases.is_marked(case, FUNDED) {
            ssn_needed(record.line, told);
        } else {
            let line = u32::try_from(record.line).unwrap_or(u32::MAX);
            self.without_ssn.push((case, line));
        }
    }
}

fn is_repeated(ssn: &str) -> bool {
    let mut bytes = ssn.bytes();
    let first = bytes.next();
    ssn.len() == 9
        && first.is_some_and(|first| first.is_ascii_digit() && bytes.all(|byte| byte == first))
}

/// Rule S1: nine digits, area not 000 or 666, group not 00, serial not 0000. Areas of 900 and above pass.
fn is_valid(ssn: &str) -> bool {
    let is_nine_digits = ssn.len() == 9 && ssn.bytes().all(|byte| byte.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| ssn.get(range).unwrap_or("");
    is_nine_digits
        && !matches!(part(0..3), "000" | "666")
        && part(3..5) != "00"
        && part(5..9) != "0000"
}
