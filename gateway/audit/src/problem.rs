//! What a verification found, and where.

use std::fmt;

use serde::Serialize;

/// Most problems that a report names; what follows from one is not told a thousand times.
pub(crate) const PROBLEM_LIMIT: usize = 100;

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// A line of the file, from 1.
    Line(u64),
    /// A leaf of the log, from 0.
    Position(u64),
    /// The checkpoint over so many leaves.
    Checkpoint(u64),
    /// A row of a table.
    Row {
        /// The table.
        table: String,
        /// The row's key.
        key: String,
    },
    /// The whole.
    Log,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Position(position) => write!(f, "position {position}"),
            Self::Checkpoint(size) => write!(f, "checkpoint {size}"),
            Self::Row { table, key } => write!(f, "{table} {key}"),
            Self::Log => f.write_str("log"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, with what was expected.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// How far a witness has confirmed the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witnessed {
    /// The witness's name.
    pub name: String,
    /// Leaves of the last checkpoint that it signed.
    pub size: u64,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Records that went by a rule, as an entry of the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disposed {
    /// Position of the entry among the audit rows.
    pub entry: i64,
    /// When.
    pub at: String,
    /// Whose word it was.
    pub by: String,
    /// The kind of record.
    pub kind: String,
    /// By which rule, as the entry has it.
    pub rule: String,
    /// How many records.
    pub records: u64,
}

impl fmt::Display for Disposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entry,
            at,
            by,
            kind,
            rule,
            records,
        } = self;
        write!(
            f,
            "disposed of at {at} by {by}: {records} records of {kind} under {rule} (audit entry {entry})"
        )
    }
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Whether its key was given by who verifies; else it is the one that stands in the file.
    pub is_origin_trusted: bool,
    /// Leaves read.
    pub leaves: u64,
    /// Leaves under the last sound checkpoint.
    pub covered: u64,
    /// Sound checkpoints.
    pub checkpoints: u64,
    /// Openings that are what their leaves commit to.
    pub openings: u64,
    /// The witnesses.
    pub witnesses: Vec<Witnessed>,
    /// Records that are not there because they were disposed of when their term was over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disposed: Vec<Disposed>,
    /// What is wrong: the first hundred things.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Notes a problem.
    pub fn add(&mut self, place: Place, text: impl Into<String>) {
        if self.problems.len() < PROBLEM_LIMIT {
            self.problems.push(Problem {
                place,
                text: text.into(),
            });
        } else {
            self.more_problems += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        if self.more_problems > 0 {
            writeln!(f, "and {} more", self.more_problems)?;
        }
        let key = if self.is_origin_trusted {
            "the key given"
        } else {
            "the key in the file"
        };
        writeln!(
            f,
            "{}: {} leaves, {} of them under {} checkpoints signed with {key}; {} records compared",
            self.origin, self.leaves, self.covered, self.checkpoints, self.openings
        )?;
        for witness in &self.witnesses {
            let Witnessed { name, size, at } = witness;
            writeln!(
                f,
                "witness {name}: {size} leaves, at {at} seconds since 1970"
            )?;
        }
        for disposed in &self.disposed {
            writeln!(f, "{disposed}")?;
        }
        f.write_str(if self.is_sound() {
            "sound"
        } else {
            "NOT SOUND"
        })
    }
}
