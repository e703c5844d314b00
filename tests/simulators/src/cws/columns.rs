//! Rows of CWS/CMS tables as the database would unload them: CHAR blank-padded, codes 0 when unset.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use crate::table;

/// The columns of every table in the extract, in published order.
#[derive(Debug)]
pub(crate) struct Columns {
    by_table: BTreeMap<String, Vec<(String, String)>>,
}

/// Filled columns of one row.
pub(crate) type Values<'value> = Vec<(&'value str, String)>;

impl Columns {
    /// Reads the embedded column list.
    ///
    /// # Errors
    /// When it is malformed.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let mut by_table: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in table::rows(include_str!("../../tables/cws/columns.csv"))? {
            let column = (
                table::field(&row, "column").to_owned(),
                table::field(&row, "type").to_owned(),
            );
            by_table
                .entry(table::field(&row, "table").to_owned())
                .or_default()
                .push(column);
        }
        Ok(Self { by_table })
    }

    /// One table as CSV.
    ///
    /// # Errors
    /// When the table or a column does not exist, or a value is longer than its column.
    pub(crate) fn csv(&self, name: &str, rows: &[Values<'_>]) -> anyhow::Result<Vec<u8>> {
        let columns = self
            .by_table
            .get(name)
            .with_context(|| format!("no table {name}"))?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(columns.iter().map(|(column, _)| column))?;
        for row in rows {
            for (column, _) in row {
                let known = columns.iter().any(|(name, _)| name == column);
                ensure!(known, "{name} has no column {column}");
            }
            let mut cells = Vec::new();
            for (column, kind) in columns {
                let value = row.iter().find(|(name, _)| name == column);
                cells.push(cell(kind, value.map_or("", |(_, value)| value.as_str()))?);
            }
            writer.write_record(cells)?;
        }
        writer
            .into_inner()
            .map_err(|error| anyhow::anyhow!("closing {name}: {error}"))
    }
}

/// The stored form of a value.
fn cell(kind: &str, value: &str) -> anyhow::Result<String> {
    let width = kind
        .strip_prefix("CHAR(")
        .and_then(|rest| rest.strip_suffix(')'));
    if let Some(width) = width {
        let width: usize = width.parse().context("width of a CHAR column")?;
        ensure!(
            value.chars().count() <= width,
            "value longer than its column"
        );
        return Ok(format!("{value:<width$}"));
    }
    let is_number = kind.starts_with("SMALLINT") || kind.starts_with("INTEGER");
    let is_number = is_number || kind.starts_with("DECIMAL");
    Ok(if is_number && value.is_empty() {
        "0".to_owned()
    } else {
        value.to_owned()
    })
}
