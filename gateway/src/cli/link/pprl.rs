//! `tandem link --pprl`: encoded tables, with each other and with clear ones.

use tandem_matching::{
    Audience, EncodedTables, LinkOptions, PprlReport, TableWarning, link_encoded,
};

use crate::cli::exit::Failure;
use crate::cli::key_file;
use crate::cli::table::TextTable;

use super::LinkArgs;
use super::outputs::Outputs;
use super::summary::{threshold, warning};
use super::tables::{failure, open_all};

/// Links what the arguments name.
pub(super) fn link(
    args: &LinkArgs,
    options: &LinkOptions,
    progress: Audience<'_>,
) -> Result<PprlReport, Failure> {
    let key = args.key_file.as_deref().map(key_file::read).transpose()?;
    if key.is_none() && !args.tables.is_empty() {
        return Err(Failure::Usage(
            "--records with --pprl needs --key-file: clear tables are encoded in memory".to_owned(),
        ));
    }
    let clear = open_all(&args.tables)?;
    let tables = EncodedTables {
        encoded: open_all(&args.encoded)?,
        clear: key.map(|key| (clear, key)),
    };
    let mut outputs = Outputs::create(args)?;
    let tables_out = outputs.parts().tables;
    let report = link_encoded(tables, &options.settings, tables_out, progress).map_err(failure)?;
    outputs.finish(None)?;
    Ok(report)
}

/// Counts, what to beware of, and warnings.
pub(super) fn for_people(report: &PprlReport) -> String {
    let statistics = &report.statistics;
    let mut table = TextTable::default();
    for (system, records) in &report.records {
        table.row([format!("records of {system}"), records.to_string()]);
    }
    for (label, number) in [
        ("too little known to compare", report.too_little_known),
        ("pairs compared", statistics.pairs_compared),
        ("links", statistics.links),
        ("for review", statistics.reviews),
        ("of them for a near-equal candidate", report.near_equal),
        ("people (clusters)", report.clusters),
    ] {
        table.row([label.to_owned(), number.to_string()]);
    }
    let mut lines = table.lines("");
    lines.extend(threshold(statistics));
    if let Some(reason) = &report.estimate_refused {
        lines.push(format!(
            "nothing was linked, what looks alike is for review: {reason}"
        ));
    }
    lines.extend(report.limits.iter().map(|limit| format!("note: {limit}")));
    let warnings = report.warnings.iter();
    lines.extend(warnings.map(|found: &TableWarning| warning(found)));
    lines.join("\n")
}
