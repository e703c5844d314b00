//! Why tables could not be linked.

use thiserror::Error;

use crate::engine::EngineError;

/// Why tables could not be linked. Names places, never values.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkTablesError {
    /// A table cannot be read as CSV.
    #[error("{file}: {source}")]
    Unreadable {
        /// File as the caller named it.
        file: String,
        /// What went wrong.
        source: csv::Error,
    },
    /// A value without which the record cannot be used.
    #[error("{file}, line {line}, column {column}: expected {expected}")]
    Value {
        /// File as the caller named it.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column.
        column: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// Two tables have one system name.
    #[error("two tables are named {0}")]
    System(String),
    /// A record that was to be explained is not there, or not told apart.
    #[error("{reference} {problem}")]
    Reference {
        /// The record as the caller named it.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The engine cannot work.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An output cannot be written.
    #[error("cannot write the {output}: {source}")]
    Write {
        /// Which output.
        output: &'static str,
        /// What went wrong.
        source: csv::Error,
    },
}

impl LinkTablesError {
    /// What comes of an output that cannot be written.
    pub(super) fn writing<E: Into<csv::Error>>(output: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Write {
            output,
            source: error.into(),
        }
    }
}
