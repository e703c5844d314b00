//! Reads the data records of one file by the rules of its section.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::Stopped;

use super::Acf199Reader;
use super::cases::{Cases, FUNDED, Repetition};
use super::consistency;
use super::emit::Emitter;
use super::finding::{Finding, Findings, Weight};
use super::group::{Groups, Kept};
use super::header::Header;
use super::known::Known;
use super::records::{Group, RecordType, Role};
use super::run::Told;
use super::values::{check_fields, is_missing};
use super::view::{Names, View};
use crate::tables::Section;

/// The records of one file.
#[derive(Debug)]
pub(super) struct SectionRun<'a> {
    pub(super) reader: &'a Acf199Reader,
    pub(super) header: Header,
    pub(super) context: &'a ReadContext,
    pub(super) cases: Cases,
    pub(super) known: Known,
    pub(super) groups: Groups,
    pub(super) emitter: Emitter,
    /// Aided adults without a valid number whose case is not known to be federally funded, and their lines.
    pub(super) without_ssn: Vec<(u64, u32)>,
    /// The last line that rule K5 was told for; 0 before any.
    pub(super) identical_line: u64,
    data_lines: u64,
    is_any_count_kept: bool,
}

/// One record on its way through the rules.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) kind: &'a RecordType,
    pub(super) text: &'a str,
    pub(super) line: u64,
}

impl Record<'_> {
    /// Rule V over these groups.
    pub(super) fn check_values(&self, groups: &[Group], told: &mut Told<'_>) {
        for group in groups {
            check_fields(
                &group.checked,
                self.text,
                self.line,
                &self.kind.layout.record,
                told,
            );
        }
    }
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
            known: Known::default(),
            groups: Groups::default(),
            emitter: Emitter::new(format!("{}Q{}", header.year, header.quarter)),
            without_ssn: Vec::new(),
            identical_line: 0,
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
    pub(super) fn record(
        &mut self,
        text: &str,
        line: u64,
        told: &mut Told<'_>,
    ) -> Result<(), Stopped> {
        self.data_lines += 1;
        let tag = text.get(..2).unwrap_or("");
        let kind = self.reader.programs.get(self.header.program, tag);
        told.sink
            .record(if is_record_type(tag) { tag } else { "unknown" });
        let Some(kind) = kind.filter(|kind| kind.section == self.header.section) else {
            told.found(Finding::of_record(
                "R6",
                Weight::Record,
                line,
                "",
                "a record type of the file's section",
            ));
            return Ok(());
        };
        let record = Record { kind, text, line };
        if text.len() > kind.layout.length
            && text
                .get(kind.layout.length..)
                .is_some_and(|rest| !is_missing(rest))
        {
            let expected = "nothing after the last position of the layout";
            told.found(Finding::of_record(
                "line-beyond-layout",
                Weight::Doubt,
                line,
                &kind.layout.record,
                expected,
            ));
        }
        if text.len() < kind.layout.minimum {
            let expected = "a line of at least the shortest accepted length";
            told.found(Finding::of_record(
                "R1",
                Weight::Record,
                line,
                &kind.layout.record,
                expected,
            ));
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
            told.found(Finding::of_record(
                "R4",
                Weight::Record,
                record.line,
                name,
                "the quarter of the header",
            ));
            return;
        }
        if record.kind.role == Role::Counts {
            record.check_values(&record.kind.groups, told);
            consistency::counts(view, self.header.program, &mut reporter(record, told));
        } else {
            // Only the strata that are in use are checked; the first one must be.
            for (place, group) in record.kind.groups.iter().enumerate() {
                if place == 0 || !group.is_unused_in(record.text) {
                    record.check_values(std::slice::from_ref(group), told);
                }
            }
        }
        let key = self.cases.fingerprint(&["line", record.text]);
        if self.known.record(key, key) == Repetition::New {
            self.is_any_count_kept = true;
        } else {
            told.found(Finding::of_record(
                "K5",
                Weight::Record,
                record.line,
                name,
                "no two identical lines",
            ));
        }
    }

    fn case_record(&mut self, record: Record<'_>, told: &mut Told<'_>) -> Result<(), Stopped> {
        let Some(first) = record.kind.groups.first() else {
            return Ok(());
        };
        let view = View::new(&first.names, record.text);
        let (month, case) = (view.raw("rpt_month_year"), view.raw("case_number"));
        let name = &record.kind.layout.record;
        let mut is_usable = true;
        if is_missing(case) {
            told.found(Finding::of_record(
                "R2",
                Weight::Record,
                record.line,
                name,
                "a case number",
            ));
            is_usable = false;
        }
        if !self.header.holds_month(month) {
            told.found(Finding::of_record(
                "R3",
                Weight::Record,
                record.line,
                name,
                "a month of the header quarter",
            ));
            is_usable = false;
        }
        if !is_usable {
            return Ok(());
        }
        let case_month = Cases::case_month(self.cases.case(case), month);
        let groups = match record.kind.role {
            Role::Family => u8::from(self.family(record, view, case_month, told)),
            Role::Children => self.children(record, case_month, told),
            _ => u8::from(self.person(record, view, case_month, told)),
        };
        if groups != 0 {
            let kept = Kept {
                case_month,
                line: record.line,
                groups,
                text: record.text.to_owned(),
            };
            if let Some(group) = self.groups.add(kept) {
                self.settle(group, told)?;
            }
        }
        Ok(())
    }

    fn family(
        &mut self,
        record: Record<'_>,
        view: View<'_>,
        case_month: u64,
        told: &mut Told<'_>,
    ) -> bool {
        record.check_values(&record.kind.groups, told);
        if self.header.section == Section::Active {
            consistency::family(view, self.header.program, &mut reporter(record, told));
            if view.number("funding_stream") == Some(1) {
                self.cases.mark(case_month, FUNDED);
            }
        }
        let text = self.cases.fingerprint(&["text", record.text]);
        let repetition = self.cases.add_family(case_month, record.line, text);
        self.is_new(record, repetition, "K6", told)
    }

    /// The end of the file. Says whether any record was kept.
    ///
    /// # Errors
    /// When the receiver stopped the reader.
    pub(super) fn close(&mut self, told: &mut Told<'_>) -> Result<bool, Stopped> {
        for (case, line) in std::mem::take(&mut self.without_ssn) {
            if self.cases.is_marked(case, FUNDED) {
                ssn_needed(u64::from(line), told);
            }
        }
        for group in self.groups.close() {
            let is_sound = group
                .first()
                .is_some_and(|first| self.cases.is_sound(first.case_month, self.header.section));
            if is_sound {
                self.tell(&group, told)?;
            }
        }
        let is_case_kept = self.cases.close(self.header.section, told);
        Ok(is_case_kept || self.is_any_count_kept)
    }
}

/// Whether a tag is a record type of any program: it is counted as what it says, also where it does not belong.
fn is_record_type(tag: &str) -> bool {
    matches!(tag.as_bytes(), [b'T' | b'M', b'1'..=b'7'])
}

/// Rule S1.
pub(super) fn ssn_needed(line: u64, told: &mut Told<'_>) {
    told.found(Finding {
        rule: "S1",
        weight: Weight::Value,
        line,
        record: "T2",
        item: "33",
        field: "ssn",
        what: "a valid number for an aided person of a federally funded family",
    });
}

pub(super) fn reporter<'b, 'c: 'b>(
    record: Record<'b>,
    told: &'b mut Told<'c>,
) -> impl FnMut(&'static str, &'static str, &'static str) + 'b {
    move |rule, field, what| {
        let place = record
            .kind
            .layout
            .fields
            .iter()
            .find(|known| known.name == field);
        let item = place.map_or("", |place| place.item.as_str());
        let (line, name) = (record.line, record.kind.layout.record.as_str());
        told.found(Finding {
            rule,
            weight: Weight::Value,
            line,
            record: name,
            item,
            field,
            what,
        });
    }
}
