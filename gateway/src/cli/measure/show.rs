//! How measured rows are printed.

use anyhow::Context as _;
use serde::Serialize;
use tandem_coordination::masking::{PublicRow, write_csv};
use tandem_coordination::measures::SystemPair;
use tandem_coordination::period::Period;
use tandem_mappings::model::id::Jurisdiction;
use tandem_mappings::tables::TableHash;

use super::report::{Measured, is_about};
use crate::cli::exit::Failure;
use crate::cli::link::LinkedTables;
use crate::cli::output::{print, print_json};
use crate::cli::table::TextTable;

/// In which form the rows are printed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// For people.
    People,
    /// With everything that a rerun needs.
    Json,
    /// In the columns of the public export.
    Csv,
}

pub(super) fn print_measured(measured: &Measured, form: Form) -> Result<(), Failure> {
    match form {
        Form::People => print(&for_people(measured)),
        Form::Json => print_json(&Answer::of(measured)),
        Form::Csv => {
            let header = &measured.header;
            let (id, method, at) = (&header.snapshot_id, header.software_version, header.as_of);
            let mut text = Vec::new();
            write_csv(&mut text, &measured.rows, id, method, at).context("writing the rows")?;
            print(&String::from_utf8(text).context("writing the rows")?)
        }
    }
}

/// The rows, and what a rerun needs to give the same.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    jurisdiction: &'a Jurisdiction,
    period: Period,
    snapshot_id: &'a str,
    definitions: &'a TableHash,
    software_version: &'a str,
    generated_at: jiff::Timestamp,
    is_masked_for_public: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<&'a LinkedTables>,
    rows: &'a [PublicRow],
}

impl<'a> Answer<'a> {
    fn of(measured: &'a Measured) -> Self {
        let header = &measured.header;
        Self {
            jurisdiction: &header.jurisdiction,
            period: header.period,
            snapshot_id: &header.snapshot_id,
            definitions: &header.definitions,
            software_version: header.software_version,
            generated_at: header.as_of,
            is_masked_for_public: measured.is_public,
            linked: measured.linked.as_ref(),
            rows: &measured.rows,
        }
    }
}

fn for_people(measured: &Measured) -> String {
    let header = &measured.header;
    let period = header.period;
    let mut about = TextTable::default();
    about.row(["links".to_owned(), header.snapshot_id.clone()]);
    if let Some(linked) = &measured.linked {
        about.row(["made in this run".to_owned(), linked.to_string()]);
    }
    about.row([
        "period".to_owned(),
        format!("{} to {}", period.start(), period.end()),
    ]);
    let title = [
        "measure", "of", "known to", "unit", "linked", "of all", "percent",
    ];
    let mut table = TextTable::new(title);
    for row in &measured.rows {
        table.row(cells(row, &measured.pairs));
    }
    let mut lines = about.lines("");
    lines.push(String::new());
    lines.extend(table.lines(""));
    lines.join("\n")
}

fn cells(row: &PublicRow, pairs: &[SystemPair]) -> [String; 7] {
    let pair = pairs.iter().find(|pair| is_about(&row.stratum, pair));
    let (a, b) = pair.map_or(("", ""), |pair| (pair.a.as_str(), pair.b.as_str()));
    let (of, known_to) = match row.indicator.as_str() {
        "MC-1" => (a.to_owned(), b),
        "MC-2" => (b.to_owned(), a),
        _ => (format!("{b}, open cases"), a),
    };
    let unit = row.stratum.iter().find(|(name, _)| *name == "unit");
    let number = |count: Option<u64>, is_masked: bool| match (count, is_masked) {
        (Some(count), _) => count.to_string(),
        (None, true) => "masked".to_owned(),
        (None, false) => String::new(),
    };
    let is_masked = row.numerator_is_masked || row.denominator_is_masked;
    let percent = match row.value {
        Some(share) => format!("{:.1}", share * 100.0),
        None if is_masked => "masked".to_owned(),
        None => "none".to_owned(),
    };
    [
        row.indicator.clone(),
        of,
        known_to.to_owned(),
        unit.map_or("", |(_, unit)| unit).to_owned(),
        number(row.numerator, row.numerator_is_masked),
        number(row.denominator, row.denominator_is_masked),
        percent,
    ]
}
