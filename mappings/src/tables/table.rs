//! A table file: its comments, header and rows, with the line of every row.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Example, TableError};

/// SHA-256 of the bytes of a table (and of what overrides it), for decisions and reports that
/// must say which facts they rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableHash([u8; 32]);

impl TableHash {
    /// The raw digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for TableHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Serialize for TableHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One row of a table, which knows the file and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    file: Arc<str>,
    line: u64,
    columns: Arc<[String]>,
    cells: Vec<String>,
}

impl Row {
    /// Name of the file that the row comes from (a county's file for an overridden row).
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Line of the row in its file, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The cell of a column, without surrounding blanks; empty when the header has no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> &str {
        self.columns
            .iter()
            .position(|name| name == column)
            .and_then(|index| self.cells.get(index))
            .map_or("", |cell| cell.trim())
    }

    /// The cell of a column that must not be blank.
    ///
    /// # Errors
    /// [`TableError::Value`] when the cell is blank.
    pub fn required(&self, column: &str) -> Result<&str, TableError> {
        match self.get(column) {
            "" => Err(self.refuse(column, "a value")),
            value => Ok(value),
        }
    }

    /// The cell of a column read as `T`; `expected` says what `T` looks like.
    ///
    /// # Errors
    /// [`TableError::Value`] when the cell cannot be read as `T`.
    pub fn parsed<T: std::str::FromStr>(
        &self,
        column: &str,
        expected: &str,
    ) -> Result<T, TableError> {
        self.get(column)
            .parse()
            .map_err(|_| self.refuse(column, expected))
    }

    /// The error that this row's `column` does not hold what was expected.
    #[must_use]
    pub fn refuse(&self, column: &str, expected: impl Into<String>) -> TableError {
        TableError::Value {
            file: self.file.to_string(),
            line: self.line,
            column: column.to_owned(),
            expected: expected.into(),
        }
    }

    fn key(&self, columns: &[&str]) -> Vec<String> {
        columns
            .iter()
            .map(|column| self.get(column).to_owned())
            .collect()
    }
}

/// A table that was read and whose header, source and version are known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    name: String,
    source: String,
    version: String,
    hash: TableHash,
    rows: Vec<Row>,
    examples: Vec<Example>,
}

impl Table {
    /// Reads a table from text; `name` is the file name for errors, `header` the exact columns.
    ///
    /// # Errors
    /// [`TableError`] when a leading comment is missing, the header differs or a row is malformed.
    pub fn parse(name: &str, text: &str, header: &[&str]) -> Result<Self, TableError> {
        let hash = TableHash::of(&[text.as_bytes()]);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let leading = Leading::of(name, text)?;
        let rows = read_rows(name, leading.body, leading.lines, header)?;
        Ok(Self {
            name: name.to_owned(),
            source: leading.source,
            version: leading.version,
            hash,
            rows,
            examples: leading.examples,
        })
    }

    /// Reads a table from the bytes of a file.
    ///
    /// # Errors
    /// [`TableError::NotText`] when the bytes are not UTF-8, else as [`Table::parse`].
    pub fn parse_bytes(name: &str, bytes: &[u8], header: &[&str]) -> Result<Self, TableError> {
        let text = std::str::from_utf8(bytes).map_err(|_| TableError::NotText {
            file: name.to_owned(),
        })?;
        Self::parse(name, text, header)
    }

    /// Checks that no two rows have the same values in the `key` columns.
    ///
    /// # Errors
    /// [`TableError::Duplicate`] naming both lines.
    pub fn unique_by(self, key: &[&str]) -> Result<Self, TableError> {
        let mut seen = BTreeMap::new();
        for row in &self.rows {
            if let Some(first) = seen.insert(row.key(key), row.line) {
                return Err(TableError::Duplicate {
                    file: row.file.to_string(),
                    line: row.line,
                    column: key.join("+"),
                    first,
                });
            }
        }
        Ok(self)
    }

    /// This table with a county's rows over it: a row with a known key replaces all rows of that
    /// key in place, a row with a new key is added. The hash covers both files.
    ///
    /// Both tables must have been read with the same header.
    #[must_use]
    pub fn overridden_by(mut self, county: Self, key: &[&str]) -> Self {
        let mut by_key: BTreeMap<Vec<String>, Vec<Row>> = BTreeMap::new();
        let mut order = Vec::new();
        for row in county.rows {
            let row_key = row.key(key);
            if !by_key.contains_key(&row_key) {
                order.push(row_key.clone());
            }
            by_key.entry(row_key).or_default().push(row);
        }
        let mut replaced = std::collections::BTreeSet::new();
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let row_key = row.key(key);
            match by_key.get(&row_key) {
                Some(county_rows) if replaced.insert(row_key) => {
                    rows.extend_from_slice(county_rows)
                }
                Some(_) => {}
                None => rows.push(row),
            }
        }
        let added = order
            .into_iter()
            .filter(|row_key| !replaced.contains(row_key));
        rows.extend(
            added
                .filter_map(|row_key| by_key.remove(&row_key))
                .flatten(),
        );
        self.hash = TableHash::of(&[self.hash.as_bytes(), county.hash.as_bytes()]);
        self.source = format!("{}; {}", self.source, county.source);
        self.version = format!("{}+{}", self.version, county.version);
        // A county's pairs speak of the overridden table; pairs of the shipped one that the county
        // made untrue are shown by the check, which is what the county wants to know.
        self.examples.extend(county.examples);
        Self { rows, ..self }
    }

    /// File name of the table.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the facts come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Version of the facts.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Content hash.
    #[must_use]
    pub fn hash(&self) -> TableHash {
        self.hash
    }

    /// The rows in file order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The example pairs of the leading comments.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }
}

/// The comment lines before the header.
struct Leading<'a> {
    source: String,
    version: String,
    examples: Vec<Example>,
    lines: u64,
    body: &'a str,
}

impl<'a> Leading<'a> {
    fn of(name: &str, text: &'a str) -> Result<Self, TableError> {
        let (mut source, mut version, mut examples) = (String::new(), String::new(), Vec::new());
        let (mut body, mut lines) = (text, 0);
        while let Some(comment) = body.strip_prefix('#') {
            lines += 1;
            let (line, rest) = comment.split_once('\n').unwrap_or((comment, ""));
            body = rest;
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            match key.trim() {
                "source" => value.trim().clone_into(&mut source),
                "version" => value.trim().clone_into(&mut version),
                "example" => examples.push(Example::parse(name, lines, value)?),
                _ => {}
            }
        }
        for (comment, value) in [("source", &source), ("version", &version)] {
            if value.is_empty() {
                return Err(TableError::MissingComment {
                    file: name.to_owned(),
                    comment,
                });
            }
        }
        Ok(Self {
            source,
            version,
            examples,
            lines,
            body,
        })
    }
}

fn read_rows(
    name: &str,
    body: &str,
    lines_before: u64,
    header: &[&str],
) -> Result<Vec<Row>, TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(body.as_bytes());
    let mut lines = LineCounter {
        body: body.as_bytes(),
        offset: 0,
        line: lines_before + 1,
    };
    let file: Arc<str> = name.into();
    let columns: Arc<[String]> = header.iter().map(|&column| column.to_owned()).collect();
    let malformed = |line, expected: String| TableError::Row {
        file: name.to_owned(),
        line,
        expected,
    };
    let mut rows = Vec::new();
    let mut header_seen = false;
    let mut record = csv::StringRecord::new();
    loop {
        let line = lines.at(reader.position().byte());
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(_) => return Err(malformed(line, "comma-separated values".to_owned())),
        }
        if !header_seen {
            if !record.iter().map(str::trim).eq(header.iter().copied()) {
                let expected = header.join(",");
                return Err(TableError::Header {
                    file: name.to_owned(),
                    line,
                    expected,
                });
            }
            header_seen = true;
        } else if record.len() == header.len() {
            let cells = record.iter().map(str::to_owned).collect();
            rows.push(Row {
                file: Arc::clone(&file),
                line,
                columns: Arc::clone(&columns),
                cells,
            });
        } else {
            return Err(malformed(line, format!("{} columns", header.len())));
        }
    }
    if !header_seen {
        let (line, expected) = (lines_before + 1, header.join(","));
        return Err(TableError::Header {
            file: name.to_owned(),
            line,
            expected,
        });
    }
    Ok(rows)
}

/// Turns byte offsets into line numbers, past the blank lines that the CSV reader skips.
struct LineCounter<'a> {
    body: &'a [u8],
    offset: usize,
    line: u64,
}

impl LineCounter<'_> {
    fn at(&mut self, byte: u64) -> u64 {
        let target = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(&next) = self.body.get(self.offset) {
            if self.offset >= target && next != b'\n' && next != b'\r' {
                break;
            }
            self.line += u64::from(next == b'\n');
            self.offset += 1;
        }
        self.line
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
