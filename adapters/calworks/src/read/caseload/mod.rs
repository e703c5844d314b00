//! Reads a county's caseload batch: one row for each person on a case, CSV or fixed width, by the county's own layout.
//!
//! With several layouts the first row decides: it is the header row of a CSV layout, or the file is of fixed width.
//! The rows of a case stand together; a case that comes up again is read, with a warning. A person is known by the
//! Client Index Number, else by county, case serial and person number of the County ID, else by an id that the gateway
//! makes of case, name and birth date.

mod case;
mod events;
mod layout;
mod row;
mod value;

use std::io::Read;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{Coverage, FormatReader, Input, Sink, Stopped};
use tandem_adapter_port::text::Lines;
use tandem_mappings::tables::TableError;

pub use layout::{CaseloadLayout, FIELDS};

use self::case::Cases;
use self::row::{Source, csv_columns, csv_row, fixed_row, names};
use crate::read::rows::{RowFault, Rows};
use crate::tables::{AidCodes, CountyCodes};

/// The reader of `calworks/caseload`.
#[derive(Debug)]
pub struct CaseloadReader {
    layouts: Vec<CaseloadLayout>,
    counties: CountyCodes,
    aid_codes: AidCodes,
    coverage: Coverage,
}

impl CaseloadReader {
    /// A reader by a county's layouts. `coverage` says whether a batch replaces the one before.
    ///
    /// # Errors
    /// When a fact table is not sound.
    pub fn new(layouts: Vec<CaseloadLayout>, coverage: Coverage) -> Result<Self, TableError> {
        Ok(Self {
            layouts,
            counties: CountyCodes::load()?,
            aid_codes: AidCodes::load()?,
            coverage,
        })
    }

    /// A reader by the example layouts that ship with Tandem.
    ///
    /// # Errors
    /// When a table is not sound.
    pub fn example() -> Result<Self, TableError> {
        Self::new(CaseloadLayout::examples()?, Coverage::Partial)
    }
}

impl FormatReader for CaseloadReader {
    fn format(&self) -> Format {
        Format::Caseload
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        match input {
            Input::Stream { name, reader } => self.read_stream(name, reader, context, sink),
            Input::Package { name, .. } => {
                let expected = "one text file, not a package";
                sink.deviation(Deviation::input_error(
                    "not-a-file",
                    Place::file(name),
                    expected,
                ));
                Ok(())
            }
        }
    }
}

impl CaseloadReader {
    fn read_stream(
        &self,
        name: &str,
        reader: &mut dyn Read,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        // The first line is read on its own, to choose the layout, and then given back.
        let (first, is_whole) = first_line(reader);
        let layout = self.choose(&first);
        let Some(layout) = layout else {
            let expected = "the header row of a layout, or a record of a layout of fixed width";
            sink.deviation(Deviation::input_error(
                "no-layout-fits",
                Place::line(name, 1),
                expected,
            ));
            return Ok(());
        };
        sink.version(layout.version());
        sink.coverage(self.coverage.clone());
        let mut rest: Box<dyn Read + '_> = if is_whole {
            Box::new(first.as_slice())
        } else {
            Box::new(first.as_slice().chain(reader))
        };
        let mut cases = Cases::new(name, context, &self.counties, &self.aid_codes);
        if layout.is_fixed() {
            read_fixed(layout, name, &mut rest, &mut cases, sink)?;
        } else {
            read_csv(layout, name, &mut rest, &mut cases, sink)?;
        }
        cases.close(sink)
    }

    fn choose(&self, first: &[u8]) -> Option<&CaseloadLayout> {
        let mut rows = Rows::new(first);
        let cells = rows
            .next_row()
            .and_then(|row| row.cells.ok())
            .unwrap_or_default();
        let has = |column: &str| cells.iter().any(|cell| names(cell, column));
        // A line end of a lone CR would make one endless header row of the whole file.
        let is_row = cells.iter().all(|cell| !cell.contains('\r'));
        let is_header = |layout: &&CaseloadLayout| {
            let mut required = layout.fields.iter().filter(|field| field.is_required);
            is_row && !layout.is_fixed() && required.all(|field| has(&field.column))
        };
        let text = String::from_utf8_lossy(first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first));
        // Blank lines before it belong to no record; the blanks of its own first field do.
        let record = text.trim_end().rsplit('\n').next().unwrap_or_default();
        let is_record = |layout: &&CaseloadLayout| layout.looks_like_record(record);
        self.layouts
            .iter()
            .find(is_header)
            .or_else(|| self.layouts.iter().find(is_record))
    }
}

/// The bytes of the first line with its end, at most 64 KiB of it; the flag says that the input has no more.
fn first_line(reader: &mut dyn Read) -> (Vec<u8>, bool) {
    const MOST_BYTES: usize = 64 * 1024;
    let mut bytes = Vec::new();
    let mut byte = [0_u8; 1];
    while bytes.len() < MOST_BYTES {
        match reader.read(&mut byte) {
            Ok(0) => return (bytes, true),
            Ok(_) => bytes.push(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return (bytes, true),
        }
        if byte[0] == b'\n' && !bytes.trim_ascii().is_empty() {
            break;
        }
    }
    (bytes, false)
}

fn read_csv(
    layout: &CaseloadLayout,
    name: &str,
    reader: &mut dyn Read,
    cases: &mut Cases<'_>,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let mut rows = Rows::new(reader);
    let header = rows
        .next_row()
        .and_then(|row| row.cells.ok())
        .unwrap_or_default();
    let columns = csv_columns(layout, &header, name, sink);
    while let Some(row) = rows.next_row() {
        let place = Place::line(name, row.line);
        if row.is_windows_1252 {
            sink.deviation(Deviation::warning(
                "not-utf-8",
                place.clone(),
                "text in UTF-8",
            ));
        }
        if row.cells.as_ref().is_ok_and(|cells| *cells == header) {
            let expected = "only one header row";
            sink.deviation(Deviation::value_error("header-twice", place, expected));
            continue;
        }
        sink.record("person");
        let cells = match row.cells {
            Ok(cells) if cells.len() == header.len() => cells,
            Ok(_) => {
                let expected = "as many cells as the header row has";
                sink.deviation(Deviation::record_error("row-width", place, expected));
                continue;
            }
            Err(RowFault::Unreadable) => {
                let expected = "a stream that can be read to its end";
                sink.deviation(Deviation::input_error("unreadable", place, expected));
                continue;
            }
            Err(fault) => {
                let code = if fault == RowFault::StrayQuote {
                    "stray-quote"
                } else {
                    "line-too-long"
                };
                let expected = "a row of at most 64 KiB with quotes that open and close a cell";
                sink.deviation(Deviation::record_error(code, place, expected));
                continue;
            }
        };
        if let Some(person) = csv_row(
            layout,
            &columns,
            &cells,
            &Source {
                name,
                line: row.line,
            },
            sink,
        ) {
            cases.add(person, sink)?;
        }
    }
    Ok(())
}

fn read_fixed(
    layout: &CaseloadLayout,
    name: &str,
    reader: &mut dyn Read,
    cases: &mut Cases<'_>,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let mut lines = Lines::new(reader);
    loop {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(_) => {
                let expected = "a stream that can be read to its end";
                sink.deviation(Deviation::input_error(
                    "unreadable",
                    Place::file(name),
                    expected,
                ));
                return Ok(());
            }
        };
        if line.text.trim().is_empty() {
            continue;
        }
        sink.record("person");
        let place = Place::line(name, line.number);
        if line.is_windows_1252 {
            sink.deviation(Deviation::warning(
                "not-utf-8",
                place.clone(),
                "text in UTF-8",
            ));
        }
        if line.is_cut || line.text.trim_end().chars().count() > layout.length {
            let expected = "a record no longer than the layout";
            sink.deviation(Deviation::record_error("record-too-long", place, expected));
            continue;
        }
        let source = Source {
            name,
            line: line.number,
        };
        if let Some(person) = fixed_row(layout, &line.text, &source, sink) {
            cases.add(person, sink)?;
        }
    }
}
