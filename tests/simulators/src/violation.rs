//! What a strict reader complains about.

use std::fmt;

/// One complaint about something that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: a file with line or row, a request, an element path.
    pub place: String,
    /// The rule that was broken, as a short stable code.
    pub rule: String,
    /// What was expected and what stood there.
    pub detail: String,
}

impl Violation {
    /// A complaint at `place` against `rule`.
    pub fn new(
        place: impl Into<String>,
        rule: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            rule: rule.into(),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.place, self.rule, self.detail)
    }
}
