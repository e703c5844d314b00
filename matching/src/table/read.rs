//! Streaming reader of a person table.

use std::io::Read;

use csv::ByteRecord;

use crate::record::{Record, RecordKey};

use super::link::LinkTablesError;
use super::report::{TableWarning, Warnings};
use super::row::{Columns, Row};

/// A table as the caller names it.
pub(super) struct TableName<'a> {
    pub(super) system: &'a str,
    pub(super) file: &'a str,
}

/// Reads a table record by record; what it had to pass over comes back as warnings.
///
/// # Errors
/// [`LinkTablesError`] when the input cannot be read, a line has no record id, or `on_record`
/// returns one.
pub(super) fn read_table(
    name: &TableName<'_>,
    input: impl Read,
    mut on_record: impl FnMut(&Record, u64) -> Result<(), LinkTablesError>,
) -> Result<(u64, Vec<TableWarning>), LinkTablesError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let unreadable = |source| LinkTablesError::Unreadable {
        file: name.file.to_owned(),
        source,
    };
    let mut warnings = Warnings::default();
    let header = reader.byte_headers().map_err(unreadable)?.clone();
    let columns = Columns::read(&header, &mut warnings);
    let mut fields = ByteRecord::new();
    let mut records = 0;
    while reader.read_byte_record(&mut fields).map_err(unreadable)? {
        let line = fields.position().map_or(0, csv::Position::line);
        check_shape(&header, &fields, line, &mut warnings);
        records += 1;
        let row = Row {
            columns: &columns,
            fields: &fields,
            line,
        };
        let id = row.id(records).ok_or_else(|| LinkTablesError::Value {
            file: name.file.to_owned(),
            line,
            column: "record_id",
            expected: "a record id",
        })?;
        let record = row.record(RecordKey::new(name.system, id), &mut warnings);
        on_record(&record, line)?;
    }
    Ok((records, warnings.into_warnings(name.file).collect()))
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
