//! Plain CSV tables, read by the names of their columns.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use tandem_mappings::model::id::SourcePersonId;

use crate::cli::exit::Failure;
use crate::cli::link::NamedTable;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// A line that can't be used. It names the place, never the value.
pub(super) fn misfit(file: &Path, line: u64, column: &str, expected: &str) -> Failure {
    let file = file.display();
    Failure::Usage(format!(
        "{file}, line {line}, column {column}: expected {expected}"
    ))
}

/// Reads the named columns of each line, and gives them with the line's number.
pub(super) fn read_columns<const N: usize>(
    file: &Path,
    columns: [&'static str; N],
    mut take: impl FnMut(u64, [&str; N]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error: csv::Error| {
        let text = format!("{}: {error}", file.display());
        match error.is_io_error() {
            true => Failure::CouldNotRun(anyhow::anyhow!(text)),
            false => Failure::Usage(text),
        }
    };
    let opened = File::open(file).map_err(|error| unreadable(error.into()))?;
    let mut reader = csv::Reader::from_reader(BufReader::with_capacity(BUFFER, opened));
    let header = reader.headers().map_err(unreadable)?.clone();
    let place = |column: &'static str| {
        let is_it = |name: &str| name.trim_start_matches('\u{feff}').trim() == column;
        header
            .iter()
            .position(is_it)
            .ok_or_else(|| misfit(file, 1, column, "a column of this name"))
    };
    let mut places = [0; N];
    for (slot, column) in places.iter_mut().zip(columns) {
        *slot = place(column)?;
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, csv::Position::line);
        take(
            line,
            places.map(|place| record.get(place).unwrap_or_default()),
        )?;
    }
    Ok(())
}

/// The record ids of a table with their lines.
pub(super) fn read_people(table: &NamedTable) -> Result<Vec<(u64, SourcePersonId)>, Failure> {
    let mut people = Vec::new();
    read_columns(&table.file, ["record_id"], |line, [id]| {
        let person =
            SourcePersonId::new(id).map_err(|_| misfit(&table.file, line, "record_id", "an id"))?;
        people.push((line, person));
        Ok(())
    })?;
    Ok(people)
}
