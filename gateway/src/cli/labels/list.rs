//! `tandem labels list`: the rows of the label tables.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tandem_mappings::labels::LabelRow;

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::TextTable;

/// List the rows of the label tables: the codes, what they call for, and where the standard says so
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem labels list
  tandem labels list --system icd10cm
  tandem labels list --config gateway.toml --system hmis
  tandem labels list --json

Exit codes: 0 done, 2 a code system without a table, 3 the configuration can't be read")]
pub(in super::super) struct ListArgs {
    /// Only the table of this code system: icd10cm, loinc, snomed, hl7, hmis, calworks, or a name that senders use
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
    /// With the county's tables of this configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A row as it is printed.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    row: &'a str,
    first: &'a str,
    last: &'a str,
    category: Option<&'static str>,
    labels: Vec<&'a str>,
    meaning: &'a str,
    source: &'a str,
    /// The county's file; absent for a row that comes with Tandem.
    #[serde(skip_serializing_if = "Option::is_none")]
    county_file: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(row: &'a LabelRow) -> Self {
        Self {
            row: &row.id,
            first: &row.first,
            last: &row.last,
            category: row.category.map(|category| category.as_str()),
            labels: row.labels.iter().map(String::as_str).collect(),
            meaning: &row.meaning,
            source: &row.source,
            county_file: row.county_file.as_deref(),
        }
    }
}

impl ListArgs {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let tables = super::tables(self.config.as_deref())?;
        let wanted = match &self.system {
            Some(name) => Some(tables.systems().named(name).ok_or_else(|| {
                let expected = "icd10cm, loinc, snomed, hl7, hmis or calworks";
                Failure::Usage(format!("--system: expected {expected}"))
            })?),
            None => None,
        };
        let is_wanted = |row: &&LabelRow| wanted.is_none_or(|system| row.system() == system);
        let rows: Vec<Shown<'_>> = tables.rows().filter(is_wanted).map(Shown::of).collect();
        if self.json {
            print_json(&rows)?;
        } else {
            print(&for_people(&rows))?;
        }
        Ok(Exit::Yes)
    }
}

fn for_people(rows: &[Shown<'_>]) -> String {
    let mut table = TextTable::new(["row", "from", "category", "labels", "meaning", "source"]);
    for row in rows {
        table.row([
            row.row.to_owned(),
            row.county_file
                .map_or_else(|| "tandem".to_owned(), |file| format!("county {file}")),
            row.category.unwrap_or("-").to_owned(),
            row.labels.join(" "),
            row.meaning.to_owned(),
            row.source.to_owned(),
        ]);
    }
    table.lines("").join("\n")
}
