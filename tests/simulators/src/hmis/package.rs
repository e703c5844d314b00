//! Writing a package: the 24 files of an export, whole or as a delta.

use std::collections::BTreeMap;

use super::HmisRow;
use super::layout::Layout;
use super::seed::row;
use crate::clock::SimClock;
use crate::zip_file;

/// What Export.csv says of a run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) export_id: String,
    pub(crate) is_delta: bool,
    pub(crate) start: String,
}

/// Local time as HMIS writes it.
pub(crate) fn local_time(clock: &SimClock) -> String {
    clock.local().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn export_row(run: &Run, clock: &SimClock) -> HmisRow {
    let (period, directive) = if run.is_delta { ("1", "1") } else { ("3", "2") };
    row(&[
        ("ExportID", &run.export_id),
        ("SourceType", "1"),
        ("SourceID", "CA-524"),
        ("SourceName", "Demo County Continuum of Care"),
        ("SourceContactFirst", "Harper"),
        ("SourceContactLast", "Testworker"),
        ("SourceContactEmail", "harper@example.org"),
        ("ExportDate", &local_time(clock)),
        ("ExportStartDate", &run.start),
        ("ExportEndDate", &clock.today().to_string()),
        ("SoftwareName", "Example HMIS"),
        ("SoftwareVersion", "1.0"),
        ("CSVVersion", "2026 v1.0"),
        ("ExportPeriodType", period),
        ("ExportDirective", directive),
        ("HashStatus", "1"),
        ("ImplementationID", "demo-county-hmis"),
    ])
}

/// The zip: every one of the 24 files with its header, and the given rows.
///
/// # Errors
/// When a row does not keep to the layout: the system checks what it writes.
pub(crate) fn write(
    layout: &Layout,
    run: &Run,
    clock: &SimClock,
    mut rows: BTreeMap<String, Vec<HmisRow>>,
) -> anyhow::Result<Vec<u8>> {
    rows.insert("Export".to_owned(), vec![export_row(run, clock)]);
    let mut files = Vec::new();
    for file in &layout.files {
        let mut writer = csv::WriterBuilder::new()
            .quote_style(csv::QuoteStyle::NonNumeric)
            .from_writer(Vec::new());
        writer.write_record(file.columns.iter().map(|column| &column.name))?;
        for row in rows.get(&file.name).into_iter().flatten() {
            let mut cells = Vec::new();
            for column in &file.columns {
                let cell = if column.name == "ExportID" {
                    run.export_id.as_str()
                } else {
                    row.get(&column.name).map_or("", String::as_str)
                };
                if let Some(wrong) = layout.mismatch(column, cell) {
                    anyhow::bail!("{}: {wrong}", file.name);
                }
                cells.push(cell);
            }
            writer.write_record(cells)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| anyhow::anyhow!("closing {}: {error}", file.name))?;
        files.push((format!("{}.csv", file.name), bytes));
    }
    zip_file::pack(&files)
}
