//! HUD's column tables and lists, as the repository's data files hold them.
//!
//! One [`Edition`] is one year of the format. Everything that the reader and the writer know of a file's
//! columns, types and codes comes from here; no code repeats them.

mod codes;
mod conditions;
mod events;
mod living;
mod load;

use std::collections::HashMap;

pub use codes::{CodeLists, CodeRule};
pub use conditions::Condition;
pub use events::{EVENT_TYPES_HEADER, EventTypes};
pub use living::{LivingSituations, SituationUse, is_retired_subsidy};
pub use load::{custom_layout, edition, failed_examples};

/// A year of the HMIS CSV format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edition {
    /// FY 2024, in force 2023-10-01 to 2025-09-30.
    Fy2024,
    /// FY 2026 version 1.0, in force from 2025-10-01.
    Fy2026,
}

impl Edition {
    /// The name that the list tables use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fy2024 => "FY2024",
            Self::Fy2026 => "FY2026",
        }
    }

    /// The text of `CSVVersion` that this edition writes.
    #[must_use]
    pub fn csv_version(self) -> &'static str {
        match self {
            Self::Fy2024 => "2024 v1.4",
            Self::Fy2026 => "2026 v1.0",
        }
    }
}

/// The type of a column: `S<n>`, `I`, `D`, `T`, `M`, `M+` of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text of at most this many characters.
    Text(usize),
    /// A non-negative whole number.
    Whole,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// A local date and time without zone, `YYYY-MM-DD hh:mm:ss`.
    Instant,
    /// Money with two decimals; negative only when `signed`.
    Money {
        /// Whether the amount may be below zero.
        signed: bool,
    },
}

/// One column of one file.
#[derive(Debug, Clone)]
pub struct Column {
    /// Header text, in the specification's case.
    pub name: String,
    /// Type of the values.
    pub kind: ColumnType,
    /// Whether a blank is allowed.
    pub is_nullable: bool,
    /// Which codes are allowed, when the column is coded.
    pub codes: Option<CodeRule>,
}

/// The columns of one file, in the specification's order.
#[derive(Debug, Clone)]
pub struct FileLayout {
    /// File name without `.csv`.
    pub name: String,
    /// Columns in order; the first is the file's key.
    pub columns: Vec<Column>,
    /// Which columns other columns of the row ask for, or forbid.
    pub conditions: Vec<Condition>,
    positions: HashMap<String, usize>,
}

impl FileLayout {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            columns: Vec::new(),
            conditions: Vec::new(),
            positions: HashMap::new(),
        }
    }

    fn push(&mut self, column: Column) {
        let position = self.columns.len();
        // Most look-ups use the name as it is written.
        self.positions.insert(column.name.clone(), position);
        self.positions
            .insert(column.name.to_ascii_lowercase(), position);
        self.columns.push(column);
    }

    /// Where the column stands, without regard to case.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.positions.get(column).copied().or_else(|| {
            self.positions
                .get(column.to_ascii_lowercase().as_str())
                .copied()
        })
    }

    /// Name of the file inside a package.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// Header names in order.
    pub fn header(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// Everything known of one edition.
#[derive(Debug)]
pub struct Tables {
    /// The edition described.
    pub edition: Edition,
    /// The 24 files, in the specification's order.
    pub files: Vec<FileLayout>,
    /// The code lists.
    pub lists: CodeLists,
    /// Which living-situation codes may stand where.
    pub living: LivingSituations,
}

impl Tables {
    /// The layout of a file by its name without `.csv`, without regard to case.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FileLayout> {
        self.files
            .iter()
            .find(|file| file.name.eq_ignore_ascii_case(name))
    }
}
