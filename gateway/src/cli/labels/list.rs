//! `tandem labels list`: the rows of the label tables.

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tandem_mappings::labels::{LabelRow, LabelTables};

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::TextTable;

/// List the rows of the label tables: the codes, what they call for, and where the standard says so
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem labels list
  tandem labels list --system icd10cm
  tandem labels list --json

Exit codes: 0 done, 2 a code system without a table")]
pub(in super::super) struct ListArgs {
    /// Only the table of this code system: icd10cm, loinc, snomed, hl7, hmis, calworks, or a name that senders use
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
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
        }
    }
}

impl ListArgs {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let tables = LabelTables::shipped().context("reading the label tables")?;
        let wanted = match &self.system {
            Some(name) => Some(tables.systems().named(name).ok_or_else(|| {
                let expected = "icd10cm, loinc, snomed, hl7, hmis or calworks";
                Failure::Usage(format!("--system: expected {expected}"))
            })?),
            None => None,
        };
        let is_wanted =
            |row: &&LabelRow| wanted.is_none_or(|system| row.id.split(':').next() == Some(system));
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
    let mut table = TextTable::new(["row", "category", "labels", "meaning", "source"]);
    for row in rows {
        table.row([
            row.row.to_owned(),
            row.category.unwrap_or("-").to_owned(),
            row.labels.join(" "),
            row.meaning.to_owned(),
            row.source.to_owned(),
        ]);
    }
    table.lines("").join("\n")
}
