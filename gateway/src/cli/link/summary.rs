//! What a run tells a person when it has ended.

use tandem_matching::{LinkReport, Statistics, TableWarning};

use crate::cli::table::{TextTable, printable};

use super::explain;

/// Counts, thresholds and warnings, after the pairs that were to be explained.
pub(super) fn for_people(report: &LinkReport) -> String {
    let statistics = &report.statistics;
    let mut table = TextTable::default();
    for (system, records) in &report.records {
        table.row([format!("records of {system}"), records.to_string()]);
    }
    table.row([
        "pairs compared".to_owned(),
        statistics.pairs_compared.to_string(),
    ]);
    table.row(["links".to_owned(), statistics.links.to_string()]);
    table.row(["for review".to_owned(), statistics.reviews.to_string()]);
    table.row(["people (clusters)".to_owned(), report.clusters.to_string()]);
    if let Some(found) = &report.unduplicated {
        let counts = [
            ("of these, children", found.children),
            ("of these, of unknown age", found.persons_of_unknown_age),
            ("of these, in no household", found.persons_without_household),
            ("households", found.households),
            ("of these, families of two or more", found.families),
            (
                "of these, families with children",
                found.families_with_children,
            ),
        ];
        for (label, number) in counts {
            table.row([label.to_owned(), number.to_string()]);
        }
    }
    let mut lines: Vec<String> = report.explained.iter().flat_map(explain::lines).collect();
    lines.extend(table.lines(""));
    if let Some(estimate) = &report.estimate {
        let (rounds, matches) = (estimate.rounds, estimate.expected_matches);
        lines.push(format!(
            "estimated in {rounds} rounds: about {matches:.0} matching pairs expected"
        ));
    }
    lines.extend(threshold(statistics));
    if let Some(reason) = &report.estimate_refused {
        lines.push(format!(
            "not estimated, the settings were used as they are: {reason}"
        ));
    }
    lines.extend(report.warnings.iter().map(warning));
    lines.join("\n")
}

/// From which score pairs were linked, and how many links are expected to be false; nothing without an estimation.
pub(super) fn threshold(statistics: &Statistics) -> Option<String> {
    let rate = statistics.false_match_rate.as_ref()?;
    let percent = |share: f64| format!("{:.2}", share * 100.0);
    Some(format!(
        "linked from {:.1} bits; {} % of the links are expected to be false ({} to {} %)",
        statistics.link_bits,
        percent(rate.expected),
        percent(rate.low),
        percent(rate.high)
    ))
}

/// A warning as a line.
pub(in crate::cli) fn warning(warning: &TableWarning) -> String {
    let column = if warning.column.is_empty() {
        "line"
    } else {
        &warning.column
    };
    printable(&format!(
        "warning: {}:{}: {column}: expected {} ({} times)",
        warning.file, warning.line, warning.expected, warning.count
    ))
}
