//! The report for people.

use tandem_adapter_port::deviation::Place;
use tandem_adapter_port::report::Report;

use super::super::table::{TextTable, printable};

/// The report as text.
pub(super) fn for_people(name: &str, report: &Report) -> String {
    let version = report
        .version
        .as_deref()
        .map_or(String::new(), |version| format!(" ({version})"));
    let mut lines = vec![
        printable(&format!("{name}: {}", report.outcome.code())),
        printable(&format!("format   {}{version}", report.format)),
        format!("persons  {}", report.persons),
    ];
    if report.refused > 0 {
        lines.push(format!(
            "refused  {} records that must never enter",
            report.refused
        ));
    }
    counts(&mut lines, "records", &report.records);
    counts(&mut lines, "events", &report.events);
    deviations(&mut lines, report);
    lines.join("\n")
}

fn counts(lines: &mut Vec<String>, title: &str, counts: &std::collections::BTreeMap<String, u64>) {
    lines.push(title.to_owned());
    if counts.is_empty() {
        lines.push("  none".to_owned());
    }
    let mut table = TextTable::default();
    for (name, count) in counts {
        table.row([name.clone(), count.to_string()]);
    }
    lines.extend(table.lines("  "));
}

fn deviations(lines: &mut Vec<String>, report: &Report) {
    lines.push("deviations".to_owned());
    if report.deviations.is_empty() {
        lines.push("  none".to_owned());
        return;
    }
    let mut table = TextTable::new(["severity", "code", "count", "first", "expected"]);
    for kind in &report.deviations {
        table.row([
            kind.severity.to_string(),
            kind.code.clone(),
            kind.count.to_string(),
            place(&kind.first),
            kind.expected.clone(),
        ]);
    }
    lines.extend(table.lines("  "));
}

fn place(place: &Place) -> String {
    let line = place.line.map_or(String::new(), |line| format!(":{line}"));
    let field = place
        .field
        .as_ref()
        .map_or(String::new(), |field| format!(" {field}"));
    format!("{}{line}{field}", place.file)
}
