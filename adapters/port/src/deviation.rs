//! What is wrong or doubtful in what was read, and where. A deviation never carries a person's data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a deviation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Used, but doubtful.
    Warning,
    /// The record or value can't be used.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What a deviation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Nothing was lost.
    Nothing,
    /// A value was not used.
    Value,
    /// A record, or a case with all its records, was dropped.
    Record,
    /// The input as a whole is refused.
    Input,
}

/// Where in an input something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    /// File inside the input, or the input's name.
    pub file: String,
    /// Line, from 1 (of the physical text, or of the record's first line).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Field, column or path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Place {
    /// A place by file and line.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            field: None,
        }
    }

    /// A whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            field: None,
        }
    }

    /// The same place, at a field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

/// One deviation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// How bad.
    pub severity: Severity,
    /// What it costs.
    pub loss: Loss,
    /// Stable kebab-case code, for example `required-field-blank`, or the publisher's rule number.
    pub code: String,
    /// Where.
    pub place: Place,
    /// What was expected, in words without the person's data.
    pub expected: String,
}

impl Deviation {
    /// An error that drops a record.
    pub fn record_error(
        code: impl Into<String>,
        place: Place,
        expected: impl Into<String>,
    ) -> Self {
        Self::of(Severity::Error, Loss::Record, code, place, expected)
    }

    /// An error that leaves a value unused.
    pub fn value_error(code: impl Into<String>, place: Place, expected: impl Into<String>) -> Self {
        Self::of(Severity::Error, Loss::Value, code, place, expected)
    }

    /// An error for which the whole input is refused.
    pub fn input_error(code: impl Into<String>, place: Place, expected: impl Into<String>) -> Self {
        Self::of(Severity::Error, Loss::Input, code, place, expected)
    }

    /// Something used though doubtful.
    pub fn warning(code: impl Into<String>, place: Place, expected: impl Into<String>) -> Self {
        Self::of(Severity::Warning, Loss::Nothing, code, place, expected)
    }

    /// Something worth knowing.
    pub fn info(code: impl Into<String>, place: Place, expected: impl Into<String>) -> Self {
        Self::of(Severity::Info, Loss::Nothing, code, place, expected)
    }

    /// A deviation of any severity and loss.
    pub fn of(
        severity: Severity,
        loss: Loss,
        code: impl Into<String>,
        place: Place,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            loss,
            code: code.into(),
            place,
            expected: expected.into(),
        }
    }
}
