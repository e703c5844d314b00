//! What a rule found in a federal file. The rules are those of `validation_rules.csv`; their names are the codes of the
//! deviations.

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// The whole file is rejected (category 1, scope file).
    File,
    /// The record or its case drops out (category 1, scope record; category 4).
    Record,
    /// The record is kept, a value is wrong or two values contradict each other (categories 2 and 3).
    Value,
    /// Doubtful, and no rule of the portal.
    Doubt,
    /// Worth knowing.
    Note,
}

/// One finding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finding<'a> {
    /// The rule, for example `R1` or `V-required`.
    pub rule: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// Line of the file, 1-based; 0 for the file as a whole.
    pub line: u64,
    /// Record type, for example `T1`; empty for the file as a whole.
    pub record: &'a str,
    /// Item number in the federal coding instructions; empty when the record as a whole is meant.
    pub item: &'a str,
    /// Field name; empty when the record as a whole is meant.
    pub field: &'a str,
    /// What was expected. Holds nothing of the file's content.
    pub what: &'static str,
}

impl<'a> Finding<'a> {
    /// A finding about a whole record.
    #[must_use]
    pub(super) fn of_record(
        rule: &'static str,
        weight: Weight,
        line: u64,
        record: &'a str,
        what: &'static str,
    ) -> Self {
        Self {
            rule,
            weight,
            line,
            record,
            item: "",
            field: "",
            what,
        }
    }
}

/// Takes findings as they come.
pub(super) trait Findings {
    /// Takes one.
    fn found(&mut self, finding: Finding<'_>);
}
