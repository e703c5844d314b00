//! Streaming reader of a person table: while one chunk of lines is put among the others, the next is read and made
//! ready.

use std::io::Read;

use csv::ByteRecord;
use rayon::prelude::*;

use crate::prepared::Prepared;
use crate::record::{Record, RecordKey};

use super::error::LinkTablesError;
use super::report::{TableWarning, Warnings};
use super::row::{Columns, Row};

/// Lines that are made ready together.
const CHUNK: usize = 2048;
/// Lines of a chunk that one task makes ready.
const TASK: usize = 256;

/// A table as the caller names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableName<'a> {
    pub(crate) system: &'a str,
    pub(crate) file: &'a str,
}

/// What was made of a record, and its line.
type Ready<T> = (T, u64);

/// A table while it is read.
struct Reading<'a, R, F> {
    /// Makes of a record what is handed on.
    prepare: F,
    name: TableName<'a>,
    reader: csv::Reader<R>,
    header: ByteRecord,
    columns: Columns,
    warnings: Warnings,
    /// Room for the lines of a chunk, used again and again.
    lines: Vec<ByteRecord>,
    /// Lines read so far.
    records: u64,
}

/// Reads a table, handing its records on in order; what it had to pass over comes back as warnings.
///
/// # Errors
/// [`LinkTablesError`] when the input cannot be read, a line has no record id, or `on_record`
/// returns one.
pub(super) fn read_table(
    name: TableName<'_>,
    input: impl Read + Send,
    on_record: impl FnMut(Prepared, u64) -> Result<(), LinkTablesError> + Send,
) -> Result<(u64, Vec<TableWarning>), LinkTablesError> {
    read_records(name, input, Prepared::of, on_record)
}

/// Reads a table as [`read_table`] does; `prepare` makes of each record, on several threads, what is handed on.
///
/// # Errors
/// [`LinkTablesError`] as of [`read_table`].
pub(crate) fn read_records<T: Send>(
    name: TableName<'_>,
    input: impl Read + Send,
    prepare: impl Fn(Record) -> T + Send + Sync,
    mut on_record: impl FnMut(T, u64) -> Result<(), LinkTablesError> + Send,
) -> Result<(u64, Vec<TableWarning>), LinkTablesError> {
    let mut reading = Reading::start(name, input, prepare)?;
    let mut ready = reading.chunk()?;
    while !ready.is_empty() {
        let (next, put) = rayon::join(
            || reading.chunk(),
            || {
                ready
                    .into_iter()
                    .try_for_each(|(record, line)| on_record(record, line))
            },
        );
        put?;
        ready = next?;
    }
    let warnings = reading.warnings.into_warnings(name.file).collect();
    Ok((reading.records, warnings))
}

impl<'a, R: Read, T: Send, F: Fn(Record) -> T + Sync> Reading<'a, R, F> {
    fn start(name: TableName<'a>, input: R, prepare: F) -> Result<Self, LinkTablesError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let mut warnings = Warnings::default();
        let header = reader
            .byte_headers()
            .map_err(|source| unreadable(name, source))?
            .clone();
        let columns = Columns::read(&header, &mut warnings);
        Ok(Self {
            prepare,
            name,
            reader,
            header,
            columns,
            warnings,
            lines: vec![ByteRecord::new(); CHUNK],
            records: 0,
        })
    }

    /// The next lines; none at the end.
    fn chunk(&mut self) -> Result<Vec<Ready<T>>, LinkTablesError> {
        let first = self.records;
        let mut read = 0;
        for fields in &mut self.lines {
            let more = self.reader.read_byte_record(fields);
            if !more.map_err(|source| unreadable(self.name, source))? {
                break;
            }
            read += 1;
        }
        self.records += read as u64;
        let lines = self.lines.get(..read).unwrap_or_default();
        let (name, header, columns) = (self.name, &self.header, &self.columns);
        let prepare = &self.prepare;
        let tasks = lines.par_chunks(TASK).enumerate().map(|(task, lines)| {
            let before = first + (task * TASK) as u64;
            let lines = (lines, before);
            prepare_lines(name, header, columns, prepare, lines)
        });
        let mut ready = Vec::with_capacity(read);
        for (records, warnings) in tasks.collect::<Result<Vec<_>, _>>()? {
            ready.extend(records);
            self.warnings.merge(warnings);
        }
        Ok(ready)
    }
}

/// Makes lines ready, of which so many come before.
fn prepare_lines<T>(
    name: TableName<'_>,
    header: &ByteRecord,
    columns: &Columns,
    prepare: &impl Fn(Record) -> T,
    (lines, before): (&[ByteRecord], u64),
) -> Result<(Vec<Ready<T>>, Warnings), LinkTablesError> {
    let mut warnings = Warnings::default();
    let mut ready = Vec::with_capacity(lines.len());
    for (number, fields) in (before + 1..).zip(lines) {
        let line = fields.position().map_or(0, csv::Position::line);
        check_shape(header, fields, line, &mut warnings);
        let row = Row {
            columns,
            fields,
            line,
        };
        let id = row.id(number).ok_or_else(|| LinkTablesError::Value {
            file: name.file.to_owned(),
            line,
            column: "record_id",
            expected: "a record id",
        })?;
        let record = row.record(RecordKey::new(name.system, id), &mut warnings);
        ready.push((prepare(record), line));
    }
    Ok((ready, warnings))
}

fn unreadable(name: TableName<'_>, source: csv::Error) -> LinkTablesError {
    LinkTablesError::Unreadable {
        file: name.file.to_owned(),
        source,
    }
}

fn check_shape(header: &ByteRecord, fields: &ByteRecord, line: u64, warnings: &mut Warnings) {
    if fields.len() != header.len() {
        warnings.add(line, "", "as many fields as the header has");
    }
    if fields.as_slice().contains(&b'\n') {
        warnings.add(line, "", "one line for a record; a quote may be left open");
    }
    if std::str::from_utf8(fields.as_slice()).is_err() {
        warnings.add(line, "", "UTF-8; read as ISO 8859-1");
    }
}
