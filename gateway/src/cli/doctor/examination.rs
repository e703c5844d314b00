//! What the doctor finds.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::exit::Exit;
use super::super::table::printable;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// There is nothing of the kind to look at.
    NotApplicable,
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// It does not work.
    Failed,
}

impl Standing {
    const fn text(self) -> &'static str {
        match self {
            Self::NotApplicable => "n/a",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at: a name that stays.
    check: String,
    standing: Standing,
    /// What is there.
    found: String,
    /// What should be there, where something else is.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Finding {
    fn new(check: impl Into<String>, standing: Standing, found: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            standing,
            found: found.into(),
            expected: None,
            help: None,
        }
    }

    /// As it should be.
    pub(super) fn ok(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, Standing::Ok, found)
    }

    /// There is nothing of the kind.
    pub(super) fn not_applicable(check: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(check, Standing::NotApplicable, why)
    }

    /// It works, and somebody should look.
    pub(super) fn warning(
        check: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            expected: Some(expected.into()),
            help: Some(help.into()),
            ..Self::new(check, Standing::Warning, found)
        }
    }

    /// It does not work.
    pub(super) fn failed(
        check: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            standing: Standing::Failed,
            ..Self::warning(check, found, expected, help)
        }
    }

    /// Whether the check failed.
    pub(super) fn has_failed(&self) -> bool {
        self.standing == Standing::Failed
    }

    fn lines(&self) -> Vec<String> {
        let head = format!("{:8} {}: {}", self.standing.text(), self.check, self.found);
        let more = [("expected", &self.expected), ("help", &self.help)];
        let more = more.into_iter().filter_map(|(name, text)| {
            let text = text.as_ref()?;
            Some(format!("         {name}: {text}"))
        });
        std::iter::once(head)
            .chain(more)
            .map(|line| printable(&line))
            .collect()
    }
}

/// All checks, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Examination(Vec<Finding>);

impl Examination {
    /// Adds a check.
    pub(super) fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// The worst of the checks.
    fn worst(&self) -> Standing {
        let standings = self.0.iter().map(|finding| finding.standing);
        standings.max().unwrap_or(Standing::NotApplicable)
    }

    /// The exit code says the worst.
    pub(super) fn exit(&self) -> Exit {
        match self.worst() {
            Standing::NotApplicable | Standing::Ok => Exit::Yes,
            Standing::Warning => Exit::Doubtful,
            Standing::Failed => Exit::No,
        }
    }

    /// As JSON.
    pub(super) fn as_json(&self) -> Value {
        json!({ "worst": self.worst(), "checks": self.0 })
    }

    /// As text.
    pub(super) fn for_people(&self) -> String {
        let mut lines: Vec<String> = self.0.iter().flat_map(Finding::lines).collect();
        let count = |standing| self.0.iter().filter(|one| one.standing == standing).count();
        lines.push(format!(
            "{} failed, {} warnings, {} ok, {} not applicable",
            count(Standing::Failed),
            count(Standing::Warning),
            count(Standing::Ok),
            count(Standing::NotApplicable)
        ));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_the_worst() {
        let mut examination = Examination::default();
        examination.add(Finding::not_applicable("a", "none"));
        assert_eq!(examination.exit(), Exit::Yes);
        examination.add(Finding::warning("b", "little", "much", "add"));
        examination.add(Finding::ok("c", "much"));
        assert_eq!(examination.exit(), Exit::Doubtful);
        examination.add(Finding::failed("d", "nothing", "much", "add"));
        assert_eq!(examination.exit(), Exit::No);
        let text = examination.for_people();
        assert!(
            text.contains("FAILED   d: nothing\n         expected: much\n         help: add"),
            "{text}"
        );
        assert!(
            text.ends_with("1 failed, 1 warnings, 1 ok, 1 not applicable"),
            "{text}"
        );
    }
}
