//! What the housing system holds: rows by file and key.

use std::collections::BTreeMap;

use super::HmisRow;

/// Rows by file name, then by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    files: BTreeMap<String, BTreeMap<String, HmisRow>>,
}

impl Holdings {
    /// Keeps a row under its key, over an older one.
    pub(crate) fn put(&mut self, file: &str, key: &str, row: HmisRow) {
        self.files
            .entry(file.to_owned())
            .or_default()
            .insert(key.to_owned(), row);
    }

    pub(crate) fn row(&self, file: &str, key: &str) -> Option<&HmisRow> {
        self.files.get(file)?.get(key)
    }

    /// All rows of a file in key order.
    pub(crate) fn rows(&self, file: &str) -> Vec<HmisRow> {
        self.files
            .get(file)
            .map(|rows| rows.values().cloned().collect())
            .unwrap_or_default()
    }

    /// The rows of a file with one of these keys.
    pub(crate) fn some_rows(&self, file: &str, keys: &[String]) -> Vec<HmisRow> {
        keys.iter()
            .filter_map(|key| self.row(file, key).cloned())
            .collect()
    }
}

/// The cell `name`, blank when the row does not have it.
pub(crate) fn cell<'row>(row: &'row HmisRow, name: &str) -> &'row str {
    row.get(name).map_or("", String::as_str)
}
