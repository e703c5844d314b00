//! Reads one file from its first line to its last.

use std::io::Read;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Loss, Place, Severity};
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_adapter_port::text::{Line, Lines};

use super::Acf199Reader;
use super::finding::{Finding, Findings, Weight};
use super::header::Header;
use super::line::narrow;
use super::section::SectionRun;
use super::values::number;
use crate::tables::{Program, Section};

/// The sink, seen as taker of findings about one file.
pub(super) struct Told<'a> {
    /// The sink.
    pub sink: &'a mut dyn Sink,
    file: &'a str,
    is_rejected: bool,
}

impl std::fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told({})", self.file)
    }
}

impl Told<'_> {
    /// Whether the file as a whole is refused: no further event may be given.
    #[must_use]
    pub(super) fn is_rejected(&self) -> bool {
        self.is_rejected
    }
}

impl Findings for Told<'_> {
    fn found(&mut self, finding: Finding<'_>) {
        self.is_rejected |= finding.weight == Weight::File;
        let (severity, loss) = match finding.weight {
            Weight::File => (Severity::Error, Loss::Input),
            Weight::Record => (Severity::Error, Loss::Record),
            Weight::Value => (Severity::Error, Loss::Value),
            Weight::Doubt => (Severity::Warning, Loss::Nothing),
            Weight::Note => (Severity::Info, Loss::Nothing),
        };
        let mut place = Place::file(self.file);
        place.line = (finding.line > 0).then_some(finding.line);
        let parts = [finding.record, finding.item, finding.field];
        let field = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        place.field = (!field.is_empty()).then_some(field);
        self.sink.deviation(Deviation::of(
            severity,
            loss,
            finding.rule,
            place,
            finding.what,
        ));
    }
}

/// Reads a file.
pub(super) fn read(
    reader: &Acf199Reader,
    name: &str,
    input: &mut dyn Read,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let mut told = Told {
        sink,
        file: name,
        is_rejected: false,
    };
    let mut lines = Lines::new(input);
    let mut text = String::new();
    let first = next(&mut lines, &mut told).map(|line| narrow(&line.text, &mut text));
    if first.is_none() {
        let expected = "a HEADER of exactly 23 characters as first line";
        told.found(Finding::of_record(
            "H1",
            Weight::File,
            1,
            "HEADER",
            expected,
        ));
        return Ok(());
    }
    let Some(header) = Header::read(&text, &reader.header, &reader.expected, &mut told) else {
        return Ok(());
    };
    told.sink.version(&version(&header));
    let mut section = SectionRun::new(reader, header, context);
    let mut trailer = Trailer::default();
    while let Some(line) = next(&mut lines, &mut told) {
        let was_replaced = narrow(&line.text, &mut text);
        if text.trim().is_empty() {
            continue;
        }
        if line.is_cut {
            let expected = "a line of bounded length";
            told.found(Finding::of_record(
                "line-too-long",
                Weight::Record,
                line.number,
                "",
                expected,
            ));
        }
        if was_replaced {
            let expected = "only printable ASCII characters";
            told.found(Finding::of_record(
                "not-ascii",
                Weight::Doubt,
                line.number,
                "",
                expected,
            ));
        }
        if text.starts_with("HEADER") {
            let expected = "only one HEADER in a file";
            told.found(Finding::of_record(
                "H2",
                Weight::File,
                line.number,
                "HEADER",
                expected,
            ));
        } else if text.starts_with("TRAILER") {
            trailer.read(&text, line.number, reader.trailer.length, &mut told);
        } else {
            trailer.is_last = false;
            section.record(&text, line.number, &mut told)?;
        }
    }
    let is_any_kept = section.close(&mut told)?;
    trailer.close(section.data_lines(), is_any_kept, &mut told);
    Ok(())
}

/// The next line. A stream that breaks ends the file with an error, since what is missing is unknown.
fn next<R: Read>(lines: &mut Lines<R>, told: &mut Told<'_>) -> Option<Line> {
    match lines.next_line() {
        Ok(line) => line,
        Err(_) => {
            told.found(Finding::of_record(
                "unreadable",
                Weight::File,
                0,
                "",
                "a stream that can be read to its end",
            ));
            None
        }
    }
}

fn version(header: &Header) -> String {
    let program = match header.program {
        Program::Tanf => "TANF",
        Program::Ssp => "SSP-MOE",
        Program::Tribal => "Tribal TANF",
    };
    let section = match header.section {
        Section::Active => 1,
        Section::Closed => 2,
        Section::Aggregate => 3,
        Section::Stratum => 4,
    };
    format!(
        "{program} {}Q{} section {section}",
        header.year, header.quarter
    )
}

/// What is known about the TRAILER.
#[derive(Debug, Default)]
struct Trailer {
    is_found: bool,
    is_last: bool,
    line: u64,
    count: Option<u64>,
}

impl Trailer {
    fn read(&mut self, text: &str, line: u64, length: usize, findings: &mut dyn Findings) {
        let mut report = |expected| {
            findings.found(Finding::of_record(
                "R7",
                Weight::Record,
                line,
                "TRAILER",
                expected,
            ));
        };
        if self.is_found {
            report("only one TRAILER");
        }
        if text.len() != length {
            report("a TRAILER of exactly 23 characters");
        }
        let count = text.get(7..14).and_then(number);
        *self = Self {
            is_found: true,
            is_last: true,
            line,
            count,
        };
    }

    fn close(&self, data_lines: u64, is_any_kept: bool, findings: &mut dyn Findings) {
        let mut report = |rule, weight, expected| {
            findings.found(Finding::of_record(
                rule, weight, self.line, "TRAILER", expected,
            ));
        };
        if !self.is_found {
            report("R7", Weight::Record, "a TRAILER as last line");
        } else if !self.is_last {
            report("R7", Weight::Record, "no record after the TRAILER");
        }
        let is_empty_by_intent = data_lines == 0 && self.count == Some(0);
        if !is_any_kept && !is_empty_by_intent {
            report("F1", Weight::File, "at least one record that is kept");
            if data_lines == 0 {
                report(
                    "F1",
                    Weight::File,
                    "a record count of 0 in a file without records",
                );
            }
        }
        match self.count {
            Some(count) if count != data_lines && data_lines > 0 => {
                report(
                    "trailer-count",
                    Weight::Doubt,
                    "a record count equal to the number of records",
                );
            }
            None if self.is_found => report(
                "trailer-count",
                Weight::Doubt,
                "a record count of seven digits",
            ),
            _ => {}
        }
    }
}
