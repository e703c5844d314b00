//! What can be wrong with a table file.

/// Why a table was refused. Each says the file, and where it can the line and the column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The bytes are not UTF-8.
    #[error("{file}: not utf-8 text")]
    NotText {
        /// Name of the table file.
        file: String,
    },
    /// A leading comment that every table must carry is missing or empty.
    #[error("{file}: missing leading comment `# {comment}: ...`")]
    MissingComment {
        /// Name of the table file.
        file: String,
        /// `source` or `version`.
        comment: &'static str,
    },
    /// The header row is not the one that the caller expects.
    #[error("{file}:{line}: header differs: expected {expected}")]
    Header {
        /// Name of the table file.
        file: String,
        /// Line of the header, from 1.
        line: u64,
        /// The expected columns, joined by commas.
        expected: String,
    },
    /// A row is not valid CSV or has the wrong number of columns.
    #[error("{file}:{line}: malformed row: expected {expected}")]
    Row {
        /// Name of the table file.
        file: String,
        /// Line of the row, from 1.
        line: u64,
        /// What a good row looks like.
        expected: String,
    },
    /// A cell holds something that the column does not allow.
    #[error("{file}:{line}: column `{column}`: expected {expected}")]
    Value {
        /// Name of the table file.
        file: String,
        /// Line of the row, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What the column allows.
        expected: String,
    },
    /// Two rows have the same key.
    #[error("{file}:{line}: column `{column}`: expected one row per key, first at line {first}")]
    Duplicate {
        /// Name of the table file.
        file: String,
        /// Line of the second row, from 1.
        line: u64,
        /// The key columns, joined by `+`.
        column: String,
        /// Line of the first row with that key.
        first: u64,
    },
    /// Two fields of a fixed-width layout share a position.
    #[error("{file}:{line}: column `{column}`: expected a position after {previous_end}")]
    Overlap {
        /// Name of the table file.
        file: String,
        /// Line of the later field, from 1.
        line: u64,
        /// The column with the start position.
        column: String,
        /// Last position of the field before.
        previous_end: usize,
    },
    /// Positions of a fixed-width layout belong to no field.
    #[error("{file}:{line}: column `{column}`: expected position {expected_start}, found a gap")]
    Gap {
        /// Name of the table file.
        file: String,
        /// Line of the field after the gap, from 1.
        line: u64,
        /// The column with the start position.
        column: String,
        /// First position of the gap.
        expected_start: usize,
    },
    /// A code of a closed list has no mapping.
    #[error("{file}:{line}: column `{column}`: expected code to be mapped in {crosswalk}")]
    Unmapped {
        /// Name of the file with the list of codes.
        file: String,
        /// Line of the code in that file, from 1.
        line: u64,
        /// Column with the code.
        column: String,
        /// Name of the crosswalk file.
        crosswalk: String,
    },
}

impl TableError {
    /// The table file that the error is about.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::NotText { file }
            | Self::MissingComment { file, .. }
            | Self::Header { file, .. }
            | Self::Row { file, .. }
            | Self::Value { file, .. }
            | Self::Duplicate { file, .. }
            | Self::Overlap { file, .. }
            | Self::Gap { file, .. }
            | Self::Unmapped { file, .. } => file,
        }
    }
}
