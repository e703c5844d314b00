//! Example pairs of a table: what goes in and what must come out.

use super::{Table, TableError};

/// One `# example: INPUT -> OUTPUT` comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// File the pair stands in.
    pub file: String,
    /// Line of the pair, from 1.
    pub line: u64,
    /// What is put in; its form is the table kind's (`system|code`, `field|raw line`).
    pub input: String,
    /// What must come out.
    pub output: String,
}

impl Example {
    pub(super) fn parse(file: &str, line: u64, text: &str) -> Result<Self, TableError> {
        let (input, output) = text.split_once("->").ok_or_else(|| TableError::Value {
            file: file.to_owned(),
            line,
            column: "example".to_owned(),
            expected: "`INPUT -> OUTPUT`".to_owned(),
        })?;
        let (input, output) = (input.trim().to_owned(), output.trim().to_owned());
        Ok(Self {
            file: file.to_owned(),
            line,
            input,
            output,
        })
    }
}

/// An example pair that did not come true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: example `{}` gives {}, expected `{}`", .example.file, .example.line,
    .example.input, .found.as_deref().unwrap_or("nothing"), .example.output)]
pub struct ExampleFailure {
    /// The pair as written in the table.
    pub example: Example,
    /// What came out, if anything did.
    pub found: Option<String>,
}

impl Table {
    /// Runs every example pair through `apply` and returns those that did not come true.
    pub fn failed_examples(&self, apply: impl Fn(&str) -> Option<String>) -> Vec<ExampleFailure> {
        let failed = self.examples().iter().filter_map(|example| {
            let found = apply(&example.input);
            (found.as_deref() != Some(example.output.as_str())).then(|| ExampleFailure {
                example: example.clone(),
                found,
            })
        });
        failed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_does_not_come_true_is_reported_with_file_and_line() {
        let text = "# source: x\n# version: 1\n# example: a -> A\n# example: b -> C\ncode\n";
        let table = Table::parse("t.csv", text, &["code"]).unwrap();
        let failed = table.failed_examples(|input| Some(input.to_uppercase()));
        let messages: Vec<_> = failed.iter().map(ToString::to_string).collect();
        assert_eq!(messages, ["t.csv:4: example `b` gives B, expected `C`"]);
    }

    #[test]
    fn an_example_without_an_arrow_is_refused() {
        let text = "# source: x\n# version: 1\n# example: a = A\ncode\n";
        let error = Table::parse("t.csv", text, &["code"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "t.csv:3: column `example`: expected `INPUT -> OUTPUT`"
        );
    }
}
