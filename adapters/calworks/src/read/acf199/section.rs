//! Reads the data records of one file by the rules of its section.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::coding::Coding;

use super::Acf199Reader;
use super::cases::{Cases, Repetition};
use crate::read::compact::CompactSet;
use super::consistency::{self, AdultFacts};
use super::emit::{Emitter, Family};
use super::finding::{Finding, Findings, Weight};
use super::group::{Groups, Kept};
use super::header::Header;
use super::people::{CODE_SYSTEM, Person, age};
use super::records::{RecordType, Role};
use super::run::Told;
use super::values::{check_field, check_fields, is_missing, is_unused};
use super::view::{Names, View};
use crate::tables::{Program, Section};

/// The records of one file.
#[derive(Debug)]
pub(super) struct SectionRun<'a> {
    reader: &'a Acf199Reader,
    header: Header,
    context: &'a ReadContext,
    cases: Cases,
    groups: Groups,
    emitter: Emitter,
    funded: CompactSet,
    without_ssn: Vec<(u64, u32)>,
    data_lines: u64,
    is_any_count_kept: bool,
}

/// One record on its way through the rules.
#[derive(Clone, Copy)]
struct Record<'a> {
    kind: &'a RecordType,
    text: &'a str,
    line: u64,
}

impl<'a> SectionRun<'a> {
    /// The records below a header.
    #[must_use]
    pub(super) fn new(reader: &'a Acf199Reader, header: Header, context: &'a ReadContext) -> Self {
        Self {
            reader,
            header,
            context,
            cases: Cases::default(),
            groups: Groups::default(),
            emitter: Emitter::new(format!("{}Q{}", header.year, header.quarter)),
            funded: CompactSet::default(),
            without_ssn: Vec::new(),
            data_lines: 0,
            is_any_count_kept: false,
        }
    }

    /// How many data lines there were.
    #[must_use]
    pub(super) fn data_lines(&self) -> u64 {
        self.data_lines
    }

    /// Reads one data line.
    ///
    /// # Errors
    /// When the receiver stopped the reader.
    pub(super) fn record(&mut self, text: &str, line: u64, told: &mut Told<'_>) -> Result<(), Stopped> {
        self.data_lines += 1;
        let tag = text.get(..2).unwrap_or("");
        let kind = self.reader.programs.get(self.header.program, tag);
        told.sink.record(kind.map_or("unknown", |kind| kind.layout.record.as_str()));
        let Some(kind) = kind.filter(|kind| kind.section == self.header.section) else {
            told.found(Finding::of_record("R6", Weight::Record, line, "", "a record type of the file's section"));
            return Ok(());
        };
        let record = Record { kind, text, line };
        if text.len() > kind.layout.length && text.get(kind.layout.length..).is_some_and(|rest| !is_missing(rest)) {
            let expected = "nothing after the last position of the layout";
            told.found(Finding::of_record("line-beyond-layout", Weight::Doubt, line, &kind.layout.record, expected));
        }
        if text.len() < kind.layout.minimum {
            let expected = "a line of at least the shortest accepted length";
            told.found(Finding::of_record("R1", Weight::Record, line, &kind.layout.record, expected));
            return Ok(());
        }
        match kind.role {
            Role::Counts | Role::Strata => self.quarter_record(record, told),
            _ => return self.case_record(record, told),
        }
        Ok(())
    }

    fn quarter_record(&mut self, record: Record<'_>, told: &mut Told<'_>) {
        let name = &record.kind.layout.record;
        let names = Names::of(&record.kind.layout, "stratum1");
        let view = View::new(&names, record.text);
        if !self.header.is_quarter(view.raw("calendar_quarter")) {
            told.found(Finding::of_record("R4", Weight::Record, record.line, name, "the quarter of the header"));
            return;
        }
        if record.kind.role == Role::Counts {
            check_fields(&record.kind.layout, record.text, record.line, |_| true, told);
            consistency::counts(view, self.header.program, &mut reporter(record, told));
        } else {
            // Only the strata that are in use are checked; the first one must be.
            for (place, (group, _)) in record.kind.groups.iter().enumerate() {
                if place == 0 || !is_group_unused(record, group) {
                    let wants = |field: &crate::tables::Field| field.group() == group;
                    check_fields(&record.kind.layout, record.text, record.line, wants, told);
                }
            }
        }
        let key = self.cases.fingerprint(&["line", record.text]);
        if self.cases.repetition(key, key) == Repetition::New {
            self.is_any_count_kept = true;
        } else {
            told.found(Finding::of_record("K5", Weight::Record, record.line, name, "no two identical lines"));
        }
    }

    fn case_record(&mut self, record: Record<'_>, told: &mut Told<'_>) -> Result<(), Stopped> {
        let Some((_, names)) = record.kind.groups.first() else { return Ok(()) };
        let view = View::new(names, record.text);
        let (month, case) = (view.raw("rpt_month_year"), view.raw("case_number"));
        let name = &record.kind.layout.record;
        let mut is_usable = true;
        if is_missing(case) {
            told.found(Finding::of_record("R2", Weight::Record, record.line, name, "a case number"));
            is_usable = false;
        }
        if !self.header.holds_month(month) {
            told.found(Finding::of_record("R3", Weight::Record, record.line, name, "a month of the header quarter"));
            is_usable = false;
        }
        if !is_usable {
            return Ok(());
        }
        let case_month = self.cases.fingerprint(&["month", month, case]);
        let is_kept = match record.kind.role {
            Role::Family => self.family(record, view, case_month, told),
            Role::Children => self.children(record, case_month, told),
            _ => self.person(record, names, case_month, told),
        };
        if is_kept {
            let kept = Kept { case_month, line: record.line, text: record.text.to_owned() };
            if let Some(group) = self.groups.add(kept) {
                self.settle(group, told)?;
            }
        }
        Ok(())
    }

    fn family(&mut self, record: Record<'_>, view: View<'_>, case_month: u64, told: &mut Told<'_>) -> bool {
        check_fields(&record.kind.layout, record.text, record.line, |_| true, told);
        if self.header.section == Section::Active {
            consistency::family(view, self.header.program, &mut reporter(record, told));
            if view.number("funding_stream") == Some(1) {
                let case = self.cases.fingerprint(&["case", view.raw("case_number")]);
                self.funded.insert(case);
            }
        }
        let key = self.cases.fingerprint(&["family", view.raw("rpt_month_year"), view.raw("case_number")]);
        let is_new = self.is_new(record, key, "K6", told);
        if is_new {
            self.cases.add_family(case_month, record.line);
        }
        is_new
    }

    fn person(&mut self, record: Record<'_>, names: &Names, case_month: u64, told: &mut Told<'_>) -> bool {
        if !record.kind.is_known {
            let expected = "a layout of the tribal adult record, which is not published with the others";
            told.found(Finding::of_record("tribal-t2", Weight::Note, record.line, &record.kind.layout.record, expected));
            let key = self.cases.fingerprint(&["line", record.text]);
            let is_new = self.is_new(record, key, "K7", told);
            if is_new {
                self.cases.add_person(case_month, record.line, true);
            }
            return is_new;
        }
        let view = View::new(names, record.text);
        let ssn = self.decoded(view.raw("ssn"));
        check_fields(&record.kind.layout, record.text, record.line, |_| true, told);
        self.check_ssn(record, "", &ssn, told);
        self.check_birth_day(record, view, told);
        let born = age(view.raw("date_of_birth"), view.raw("rpt_month_year"));
        let mut report = reporter(record, told);
        if self.header.section == Section::Active {
            let facts = AdultFacts { has_repeated_ssn: is_repeated(&ssn), age: born };
            consistency::adult(view, self.header.program, facts, &mut report);
        } else {
            consistency::closed_person(view, self.header.program, born, &mut report);
        }
        drop(report);
        self.note_missing_ssn(record, view, &ssn);
        self.add_person(record, view, &ssn, case_month, told)
    }

    fn children(&mut self, record: Record<'_>, case_month: u64, told: &mut Told<'_>) -> bool {
        let mut is_any_kept = false;
        for (place, (group, names)) in record.kind.groups.iter().enumerate() {
            if place > 0 && is_group_unused(record, group) {
                continue;
            }
            let shortest = record.kind.layout.second_group_minimum.unwrap_or(record.kind.layout.length);
            if place > 0 && record.text.len() < shortest {
                let expected = "a line long enough for its second child";
                let name = &record.kind.layout.record;
                told.found(Finding::of_record("R1", Weight::Record, record.line, name, expected));
                continue;
            }
            if place == 0 && is_group_unused(record, group) {
                let name = &record.kind.layout.record;
                told.found(Finding::of_record("R5", Weight::Record, record.line, name, "a first child"));
                continue;
            }
            let view = View::new(names, record.text);
            let ssn = self.decoded(view.raw("ssn"));
            let wants = |field: &crate::tables::Field| {
                field.group() == group || (place == 0 && field.group().is_empty())
            };
            check_fields(&record.kind.layout, record.text, record.line, wants, told);
            self.check_ssn(record, group, &ssn, told);
            self.check_birth_day(record, view, told);
            consistency::child(view, self.header.program, &mut reporter(record, told));
            is_any_kept |= self.add_person(record, view, &ssn, case_month, told);
        }
        is_any_kept
    }

    /// Rule K7 for an aided person, rule K5 for anybody.
    fn add_person(
        &mut self,
        record: Record<'_>,
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
        let (tag, birth) = (record.kind.layout.record.as_str(), view.raw("date_of_birth"));
        let (month, case) = (view.raw("rpt_month_year"), view.raw("case_number"));
        let key = if is_unaided {
            self.cases.fingerprint(&["line", record.text, birth, ssn])
        } else {
            self.cases.fingerprint(&["person", tag, month, case, affiliation, birth, ssn])
        };
        let is_new = self.is_new(record, key, "K7", told);
        if is_new {
            self.cases.add_person(case_month, record.line, affiliation == "1");
        }
        is_new
    }

    fn is_new(&mut self, record: Record<'_>, key: u64, rule: &'static str, told: &mut Told<'_>) -> bool {
        let line = self.cases.fingerprint(&["text", record.text]);
        let (rule, expected) = match self.cases.repetition(key, line) {
            Repetition::New => return true,
            Repetition::Identical => ("K5", "no two identical lines"),
            Repetition::SameKey => (rule, "no second record of the same family or person in a month"),
        };
        told.found(Finding::of_record(rule, Weight::Record, record.line, &record.kind.layout.record, expected));
        false
    }

    fn decoded(&self, raw: &str) -> String {
        if is_missing(raw) {
            String::new()
        } else if self.header.is_substituted {
            self.reader.substitution.decode(raw)
        } else {
            raw.to_owned()
        }
    }

    fn check_ssn(&self, record: Record<'_>, group: &str, ssn: &str, told: &mut Told<'_>) {
        let field = record.kind.layout.fields.iter().find(|field| field.name == "ssn" && field.group() == group);
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
            told.found(Finding { rule, weight: Weight::Doubt, line, record: name, item: "", field, what });
        };
        if parts_pass && years.is_none() {
            doubt("no-such-day", "a day of the calendar");
        } else if parts_pass && is_later {
            doubt("birth-after-month", "a birth date not after the report month");
        }
    }

    /// Rule S1 can be decided only when every T1 has been seen.
    fn note_missing_ssn(&mut self, record: Record<'_>, view: View<'_>, ssn: &str) {
        let is_asked = self.header.program == Program::Tanf && self.header.section == Section::Active;
        if is_asked && view.raw("family_affiliation") == "1" && !is_valid(ssn) {
            let case = self.cases.fingerprint(&["case", view.raw("case_number")]);
            self.without_ssn.push((case, u32::try_from(record.line).unwrap_or(u32::MAX)));
        }
    }

    /// The end of the file. Says whether any record was kept.
    ///
    /// # Errors
    /// When the receiver stopped the reader.
    pub(super) fn close(&mut self, told: &mut Told<'_>) -> Result<bool, Stopped> {
        let missing = std::mem::take(&mut self.without_ssn);
        for (_, line) in missing.into_iter().filter(|(case, _)| self.funded.contains(*case)) {
            told.found(Finding {
                rule: "S1",
                weight: Weight::Value,
                line: u64::from(line),
                record: "T2",
                item: "33",
                field: "ssn",
                what: "a valid number for an aided person of a federally funded family",
            });
        }
        for group in self.groups.close() {
            let is_sound =
                group.first().is_some_and(|first| self.cases.is_sound(first.case_month, self.header.section));
            if is_sound {
                self.tell(&group, told)?;
            }
        }
        let is_case_kept = self.cases.close(self.header.section, told);
        Ok(is_case_kept || self.is_any_count_kept)
    }

    fn settle(&mut self, group: Vec<Kept>, told: &mut Told<'_>) -> Result<(), Stopped> {
        let is_sound = group.first().is_some_and(|first| self.cases.is_sound(first.case_month, self.header.section));
        let ready = if is_sound { Some(group) } else { self.groups.wait(group) };
        match ready {
            Some(group) => self.tell(&group, told),
            None => Ok(()),
        }
    }

    fn tell(&mut self, group: &[Kept], told: &mut Told<'_>) -> Result<(), Stopped> {
        if told.is_rejected() {
            return Ok(());
        }
        let mut family = Family { is_closed: self.header.section == Section::Closed, ..Family::default() };
        let mut people = Vec::new();
        for kept in group {
            let tag = kept.text.get(..2).unwrap_or("");
            let Some(kind) = self.reader.programs.get(self.header.program, tag) else { continue };
            let record = Record { kind, text: &kept.text, line: kept.line };
            self.collect(record, &mut family, &mut people);
        }
        self.emitter.tell(&family, &people, self.context, told.sink)
    }

    fn collect(&self, record: Record<'_>, family: &mut Family, people: &mut Vec<Person>) {
        for (place, (group, names)) in record.kind.groups.iter().enumerate() {
            let view = View::new(names, record.text);
            view.raw("case_number").trim().clone_into(&mut family.case);
            view.raw("rpt_month_year").clone_into(&mut family.month);
            if record.kind.role == Role::Family {
                read_family(view, family);
                continue;
            }
            let shortest = record.kind.layout.second_group_minimum.unwrap_or(0);
            let is_absent = is_group_unused(record, group) || (place > 0 && record.text.len() < shortest);
            if record.kind.is_known && !is_absent {
                let ssn = self.decoded(view.raw("ssn"));
                people.extend(Person::read(&record.kind.layout.record, view, &ssn, &family.case, self.context));
            }
        }
    }
}

fn read_family(view: View<'_>, family: &mut Family) {
    let zip = view.raw("zip_code");
    let is_zip = zip.len() == 5 && zip.bytes().all(|byte| byte.is_ascii_digit()) && zip != "00000";
    family.zip = is_zip.then(|| zip.to_owned());
    let field = if family.is_closed { "closure_reason" } else { "funding_stream" };
    let code = view.raw(field).trim();
    family.original = (!code.is_empty()).then(|| Coding::new(CODE_SYSTEM, format!("{field}:{code}")));
}

/// Whether a repeating group of a record is blank or zero over its whole width. Never for the shared fields.
fn is_group_unused(record: Record<'_>, group: &str) -> bool {
    let mut fields = record.kind.layout.fields.iter().filter(|field| field.group() == group);
    !group.is_empty() && fields.all(|field| is_unused(field.span.of(record.text)))
}

fn reporter<'b, 'c: 'b>(
    record: Record<'b>,
    told: &'b mut Told<'c>,
) -> impl FnMut(&'static str, &'static str, &'static str) + 'b {
    move |rule, field, what| {
        let place = record.kind.layout.fields.iter().find(|known| known.name == field);
        let item = place.map_or("", |place| place.item.as_str());
        let (line, name) = (record.line, record.kind.layout.record.as_str());
        told.found(Finding { rule, weight: Weight::Value, line, record: name, item, field, what });
    }
}

fn is_repeated(ssn: &str) -> bool {
    let mut bytes = ssn.bytes();
    let first = bytes.next();
    ssn.len() == 9 && first.is_some_and(|first| first.is_ascii_digit() && bytes.all(|byte| byte == first))
}

/// Rule S1: nine digits, area not 000 or 666, group not 00, serial not 0000. Areas of 900 and above pass.
fn is_valid(ssn: &str) -> bool {
    let is_nine_digits = ssn.len() == 9 && ssn.bytes().all(|byte| byte.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| ssn.get(range).unwrap_or("");
    is_nine_digits && !matches!(part(0..3), "000" | "666") && part(3..5) != "00" && part(5..9) != "0000"
}
