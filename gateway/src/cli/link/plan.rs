//! What a run would do, as lines for people.

use tandem_matching::{LinkPlan, TableWarning};

use crate::cli::table::TextTable;

use super::summary::warning;

/// Records, blocks, pairs and what would be passed over.
pub(super) fn for_people(plan: &LinkPlan) -> String {
    let mut table = TextTable::default();
    for (system, records) in &plan.records {
        table.row([format!("records of {system}"), records.to_string()]);
    }
    let planned = &plan.plan;
    for (label, number) in [
        ("pairs to compare", planned.pairs),
        ("blocks", planned.blocking.blocks),
        ("records in the largest", planned.blocking.largest),
        ("blocks to be split", planned.blocking.split),
        ("blocks by neighbours only", planned.blocking.windows),
    ] {
        table.row([label.to_owned(), number.to_string()]);
    }
    let mut lines = table.lines("");
    lines.push(format!(
        "{:.2} pairs for each record",
        planned.pairs_per_record
    ));
    let header = ["key", "shared keys", "pairs kept", "pairs dropped"];
    let mut table = TextTable::new(header);
    for key in &planned.survey.keys {
        table.row([
            key.key.to_owned(),
            key.shared_keys.to_string(),
            key.pairs_kept.to_string(),
            key.pairs_dropped.to_string(),
        ]);
    }
    lines.extend(table.lines("  "));
    lines.extend(
        plan.warnings
            .iter()
            .map(|found: &TableWarning| warning(found)),
    );
    lines.push("nothing was compared and no file was written".to_owned());
    lines.join("\n")
}
