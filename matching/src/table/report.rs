//! What a run over tables reports; it holds no personal data.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::PairAccount;
use crate::estimate::Estimate;
use crate::fairness::GroupQuality;
use crate::household::Unduplicated;
use crate::result::Statistics;
use crate::settings::Settings;

/// Something in a table that was passed over or is doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableWarning {
    /// File as the caller named it.
    pub file: String,
    /// First line where it was met, from 1.
    pub line: u64,
    /// Column; empty when it concerns the whole line.
    pub column: String,
    /// What was expected.
    pub expected: String,
    /// How often it was met in the file.
    pub count: u64,
}

/// Warnings of one file, counted by column and kind.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    found: BTreeMap<(String, &'static str), (u64, u64)>,
}

impl Warnings {
    pub(super) fn add(&mut self, line: u64, column: &str, expected: &'static str) {
        let entry = self
            .found
            .entry((column.to_owned(), expected))
            .or_insert((line, 0));
        entry.1 += 1;
    }

    /// Takes in what was met in later lines.
    pub(super) fn merge(&mut self, later: Self) {
        for (kind, (line, count)) in later.found {
            self.found.entry(kind).or_insert((line, 0)).1 += count;
        }
    }

    pub(super) fn into_warnings(self, file: &str) -> impl Iterator<Item = TableWarning> {
        self.found
            .into_iter()
            .map(move |((column, expected), (line, count))| TableWarning {
                file: file.to_owned(),
                line,
                column,
                expected: expected.to_owned(),
                count,
            })
    }
}

/// What a run over tables did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LinkReport {
    /// Records by system.
    pub records: BTreeMap<String, u64>,
    /// Clusters, records alone included.
    pub clusters: u64,
    /// Counts of the run.
    pub statistics: Statistics,
    /// What an estimation found, when one was asked for and succeeded.
    pub estimate: Option<Estimate>,
    /// Why an estimation was asked for and gave nothing; the settings stayed as they were.
    pub estimate_refused: Option<String>,
    /// The settings that scored the pairs, what was estimated included.
    #[serde(skip)]
    pub settings: Option<Settings>,
    /// People, families and children, nobody counted twice; when households were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unduplicated: Option<Unduplicated>,
    /// How each group is served, as the model expects it; when that or the page was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fairness: Vec<GroupQuality>,
    /// What was passed over.
    pub warnings: Vec<TableWarning>,
    /// The accounts of the pairs that were asked for, in the order of asking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explained: Vec<PairAccount>,
}
