//! Streaming reader of a person table: while one chunk of lines is put among the others, the next is read; then all
//! threads make it ready.

use std::io::Read;

use csv::ByteRecord;
use rayon::prelude::*;

use crate::record::{Record, RecordKey};

use super::error::LinkTablesError;
use super::fields::Fields;
use super::report::{TableWarning, Warnings};
use super::row::{Columns, Row};

/// Lines that are made ready together.
const CHUNK: usize = 2048;
/// Lines of a chunk that one task makes ready.
const TASK: usize = 128;
/// Bytes that are read at a time.
const BUFFER: usize = 1 << 17;

/// A table as the caller names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableName<'a> {
    pub(crate) system: &'a str,
    pub(crate) file: &'a str,
}

/// What was made of a record, and its line.
type Ready<T> = (T, u64);

/// Where records go.
pub(crate) trait Intake: Send {
    /// What is made of a record.
    type Ready: Send;

    /// Makes of a record what is taken in; several threads do it at once.
    fn preparer(&self) -> impl Fn(&Record) -> Self::Ready + Sync;

    /// Takes a record in, and tells the line it stands on.
    fn take(&mut self, ready: Self::Ready, line: u64) -> Result<(), LinkTablesError>;
}

/// An intake of two functions.
struct Functions<P, F>(P, F);

impl<T, P, F> Intake for Functions<P, F>
where
    T: Send,
    P: Fn(&Record) -> T + Send + Sync,
    F: FnMut(T, u64) -> Result<(), LinkTablesError> + Send,
{
    type Ready = T;

    fn preparer(&self) -> impl Fn(&Record) -> T + Sync {
        &self.0
    }

    fn take(&mut self, ready: T, line: u64) -> Result<(), LinkTablesError> {
        (self.1)(ready, line)
    }
}

/// Reads a table as [`read_table`] does; `prepare` makes of each record, on several threads, what `take` is handed.
///
/// # Errors
/// [`LinkTablesError`] as of [`read_table`].
pub(crate) fn read_records<T: Send>(
    name: TableName<'_>,
    input: impl Read + Send,
    prepare: impl Fn(&Record) -> T + Send + Sync,
    take: impl FnMut(T, u64) -> Result<(), LinkTablesError> + Send,
) -> Result<(u64, Vec<TableWarning>), LinkTablesError> {
    read_table(name, input, &mut Functions(prepare, take))
}

/// A table while it is read.
struct Reading<'a, R> {
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
/// [`LinkTablesError`] when the input cannot be read, a line has no record id, or the intake
/// returns one.
pub(super) fn read_table<I: Intake>(
    name: TableName<'_>,
    input: impl Read + Send,
    intake: &mut I,
) -> Result<(u64, Vec<TableWarning>), LinkTablesError> {
    let mut reading = Reading::start(name, input)?;
    let mut read = reading.read()?;
    while read > 0 {
        let ready = reading.prepare(read, intake)?;
        let (next, taken) = rayon::join(
            || reading.read(),
            || {
                let mut all = ready.into_iter().flatten();
                all.try_for_each(|(record, line)| intake.take(record, line))
            },
        );
        taken?;
        read = next?;
    }
    let warnings = reading.warnings.into_warnings(name.file).collect();
    Ok((reading.records, warnings))
}

impl<'a, R: Read> Reading<'a, R> {
    fn start(name: TableName<'a>, input: R) -> Result<Self, LinkTablesError> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(input);
        let mut warnings = Warnings::default();
        let header = reader
            .byte_headers()
            .map_err(|source| unreadable(name, source))?
            .clone();
        let columns = Columns::read(&header, &mut warnings);
        Ok(Self {
            name,
            reader,
            header,
            columns,
            warnings,
            lines: vec![ByteRecord::new(); CHUNK],
            records: 0,
        })
    }

    /// Reads the next lines; how many they are, none at the end.
    fn read(&mut self) -> Result<usize, LinkTablesError> {
        let mut read = 0;
        for fields in &mut self.lines {
            let more = self.reader.read_byte_record(fields);
            if !more.map_err(|source| unreadable(self.name, source))? {
                break;
            }
            read += 1;
        }
        self.records += read as u64;
        Ok(read)
    }

    /// Makes the lines that were read last ready.
    fn prepare<I: Intake>(
        &mut self,
        read: usize,
        intake: &I,
    ) -> Result<Vec<Vec<Ready<I::Ready>>>, LinkTablesError> {
        let first = self.records - read as u64;
        let lines = self.lines.get_mut(..read).unwrap_or_default();
        let (name, header, columns) = (self.name, &self.header, &self.columns);
        let prepare = intake.preparer();
        let tasks = lines.par_chunks_mut(TASK).enumerate().map(|(task, lines)| {
            let before = first + (task * TASK) as u64;
            let lines = (lines, before);
            prepare_lines(name, header, columns, &prepare, lines)
        });
        let mut ready = Vec::with_capacity(read.div_ceil(TASK));
        for (records, warnings) in tasks.collect::<Result<Vec<_>, _>>()? {
            ready.push(records);
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
    prepare: &impl Fn(&Record) -> T,
    (lines, before): (&mut [ByteRecord], u64),
) -> Result<(Vec<Ready<T>>, Warnings), LinkTablesError> {
    let mut warnings = Warnings::default();
    let mut ready = Vec::with_capacity(lines.len());
    // One record is used for all lines, with the room that its texts have taken.
    let mut record = Record::new(RecordKey::new(name.system, ""));
    for (number, read) in (before + 1..).zip(lines) {
        let line = read.position().map_or(0, csv::Position::line);
        let fields = Fields::of(std::mem::take(read));
        check_shape(header, &fields, line, &mut warnings);
        let row = Row {
            columns,
            fields: &fields,
            line,
        };
        let id = row.id(number).ok_or_else(|| LinkTablesError::Value {
            file: name.file.to_owned(),
            line,
            column: "record_id",
            expected: "a record id",
        })?;
        row.read_into(&mut record, &id, &mut warnings);
        ready.push((prepare(&record), line));
        *read = fields.into_line();
    }
    Ok((ready, warnings))
}

fn unreadable(name: TableName<'_>, source: csv::Error) -> LinkTablesError {
    LinkTablesError::Unreadable {
        file: name.file.to_owned(),
        source,
    }
}

fn check_shape(header: &ByteRecord, fields: &Fields, line: u64, warnings: &mut Warnings) {
    if fields.len() != header.len() {
        warnings.add(line, "", "as many fields as the header has");
    }
    if fields.spans_lines() {
        warnings.add(line, "", "one line for a record; a quote may be left open");
    }
    if matches!(fields, Fields::Bytes(_)) {
        warnings.add(line, "", "UTF-8; read as ISO 8859-1");
    }
}
