//! Published tables as data: CSV with leading `#` lines for source and version.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

/// One row by column name.
pub(crate) type Row = BTreeMap<String, String>;

/// Reads an embedded table.
///
/// # Errors
/// When source or version is missing, or a row has another number of fields than the header.
pub(crate) fn rows(text: &str) -> anyhow::Result<Vec<Row>> {
    for wanted in ["# source: ", "# version: "] {
        ensure!(
            text.lines().any(|line| line.starts_with(wanted)),
            "table without {wanted}"
        );
    }
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let header = reader.headers().context("reading a table header")?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.context("reading a table row")?;
        rows.push(
            header
                .iter()
                .map(str::to_owned)
                .zip(record.iter().map(str::to_owned))
                .collect(),
        );
    }
    Ok(rows)
}

/// The field `name` of a row, blank when the table has no such column.
pub(crate) fn field<'row>(row: &'row Row, name: &str) -> &'row str {
    row.get(name).map_or("", String::as_str)
}
