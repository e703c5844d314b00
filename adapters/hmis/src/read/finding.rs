//! What was wrong with a place in a file, before the file's name is known to it.

use tandem_adapter_port::deviation::{Deviation, Loss, Place, Severity};

/// One finding at one place. Holds no value of the file: `expected` is built from the tables only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) loss: Loss,
    pub(crate) code: &'static str,
    /// Line, counted from 1; 0 when the finding concerns the whole file.
    pub(crate) line: u64,
    pub(crate) column: String,
    pub(crate) expected: String,
}

impl Finding {
    /// An error for which a record is dropped.
    pub(crate) fn dropped(code: &'static str, line: u64) -> Self {
        Self::new(Severity::Error, Loss::Record, code, line)
    }

    /// An error for which a value is not used.
    pub(crate) fn unused(code: &'static str, line: u64) -> Self {
        Self::new(Severity::Error, Loss::Value, code, line)
    }

    pub(crate) fn warning(code: &'static str, line: u64) -> Self {
        Self::new(Severity::Warning, Loss::Nothing, code, line)
    }

    pub(crate) fn info(code: &'static str, line: u64) -> Self {
        Self::new(Severity::Info, Loss::Nothing, code, line)
    }

    fn new(severity: Severity, loss: Loss, code: &'static str, line: u64) -> Self {
        Self {
            severity,
            loss,
            code,
            line,
            column: String::new(),
            expected: String::new(),
        }
    }

    pub(crate) fn at(mut self, column: &str) -> Self {
        column.clone_into(&mut self.column);
        self
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// The deviation that the port takes.
    pub(crate) fn in_file(self, file: &str) -> Deviation {
        let mut place = if self.line == 0 {
            Place::file(file)
        } else {
            Place::line(file, self.line)
        };
        if !self.column.is_empty() {
            place = place.field(self.column);
        }
        Deviation::of(self.severity, self.loss, self.code, place, self.expected)
    }
}
