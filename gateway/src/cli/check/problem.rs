//! What a check finds.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// The gateway would not start, or would do wrong.
    Error,
    /// The gateway would start; somebody should know.
    Warning,
}

/// One finding with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Finding {
    level: Level,
    file: String,
    entry: String,
    reason: String,
}

/// Everything that was found, and how much was checked.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    /// Adds a finding; an empty entry means the file as a whole.
    pub(super) fn add(&mut self, level: Level, file: &Path, entry: &str, reason: impl Display) {
        self.found.push(Finding {
            level,
            file: file.display().to_string(),
            entry: entry.to_owned(),
            reason: reason.to_string(),
        });
    }

    /// Notes how many of something were checked.
    pub(super) fn count(&mut self, what: &'static str, count: usize) {
        *self.counts.entry(what).or_default() += count;
    }

    /// Whether the configuration passes.
    pub(super) fn is_sound(&self, are_warnings_denied: bool) -> bool {
        let counts = |finding: &Finding| finding.level == Level::Error || are_warnings_denied;
        !self.found.iter().any(counts)
    }

    /// The findings as JSON, errors first.
    pub(super) fn as_json(&self, is_sound: bool) -> Value {
        json!({ "sound": is_sound, "problems": self.sorted(), "checked": self.counts })
    }

    /// The findings as text, errors first.
    pub(super) fn for_people(&self, config: &Path) -> String {
        let mut lines: Vec<String> = self.sorted().iter().map(Finding::line).collect();
        let counts = self
            .counts
            .iter()
            .map(|(what, count)| format!("{count} {what}"));
        lines.push(format!("checked {}", counts.collect::<Vec<_>>().join(", ")));
        let of = |level| {
            self.found
                .iter()
                .filter(|finding| finding.level == level)
                .count()
        };
        lines.push(match (of(Level::Error), of(Level::Warning)) {
            (0, 0) => format!("{} is sound", config.display()),
            (errors, warnings) => {
                format!("{}: {errors} errors, {warnings} warnings", config.display())
            }
        });
        lines.join("\n")
    }

    fn sorted(&self) -> Vec<Finding> {
        let mut sorted = self.found.clone();
        sorted.sort();
        sorted.dedup();
        sorted
    }
}

impl Finding {
    fn line(&self) -> String {
        let level = if self.level == Level::Error {
            "error"
        } else {
            "warning"
        };
        let entry = if self.entry.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.entry)
        };
        format!("{level}: {}: {entry}{}", self.file, self.reason)
    }
}
