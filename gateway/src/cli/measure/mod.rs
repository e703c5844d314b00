//! `tandem measure` from tables: match rates without a running gateway.

mod links;
mod report;
mod show;
mod table;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use tandem_coordination::period::Period;
use tandem_mappings::model::id::{Jurisdiction, SystemId};
use tempfile::NamedTempFile;

use super::exit::{Exit, Failure};
use super::link::{self, LinkedTables, NamedTable};
use links::Links;
use report::MatchRates;
use show::Form;

/// The measures that tables can tell.
const FROM_TABLES: [&str; 3] = ["MC-1", "MC-2", "MC-3"];

/// Tables from which the measures are computed instead of asking the gateway.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("offline").args(["records", "clusters"]).multiple(true))]
pub(super) struct TablesArgs {
    /// Compute MC-1 to MC-3 from tables instead of asking the gateway: the base population of a system; once for each.
    /// They are linked first as `tandem link` does it, unless --clusters tells who is one person; then the column
    /// record_id is enough
    #[arg(
        long = "records",
        id = "records",
        value_name = "NAME=FILE.csv",
        conflicts_with_all = ["url", "token_file", "authority"]
    )]
    records: Vec<NamedTable>,
    /// Who is one person, as `tandem link --clusters` wrote it: system,record_id,cluster_id. Without --records all its
    /// records are the base
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["url", "token_file", "authority"])]
    clusters: Option<PathBuf>,
    /// Records of a system (column record_id) with an open case that is linked to an intake or referral of the period;
    /// needed for MC-3
    #[arg(long, value_name = "NAME=FILE.csv", requires = "offline")]
    open: Vec<NamedTable>,
    /// The area that stands in the rows
    #[arg(long, value_name = "NAME", requires = "offline")]
    jurisdiction: Option<String>,
    /// Mask small counts, and what would give them away, for the public
    #[arg(long, requires = "offline")]
    public: bool,
    /// Print the rows as CSV, in the columns of the public export
    #[arg(long, requires = "offline", conflicts_with = "json")]
    csv: bool,
}

/// Links that were made in the run, or read.
struct Found {
    links: Links,
    made: Option<LinkedTables>,
}

impl TablesArgs {
    /// Whether tables are given.
    pub(super) fn are_given(&self) -> bool {
        !self.records.is_empty() || self.clusters.is_some()
    }

    /// Computes and prints the measures; all that tables can tell when none is named.
    pub(super) fn run(&self, ids: &[String], period: Period, json: bool) -> Result<Exit, Failure> {
        let wanted = self.wanted(ids)?;
        let found = self.links(json)?;
        if found.links.systems.len() < 2 {
            return Err(Failure::Usage(
                "a match rate needs the records of two systems".to_owned(),
            ));
        }
        let mut rates = MatchRates::new(self.jurisdiction()?, period, found.links);
        for table in &self.records {
            let people = table::read_people(table)?;
            rates.add_base(&system(&table.system)?, people, &table.file)?;
        }
        if self.records.is_empty() {
            rates.take_all_as_base()?;
        }
        for table in &self.open {
            let people = table::read_people(table)?;
            rates.add_open(&system(&table.system)?, people, &table.file)?;
        }
        let mut measured = rates.measure(&wanted, self.public)?;
        measured.linked = found.made;
        show::print_measured(&measured, self.form(json))?;
        Ok(Exit::Yes)
    }

    fn form(&self, json: bool) -> Form {
        match (json, self.csv) {
            (true, _) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::People,
        }
    }

    fn wanted(&self, ids: &[String]) -> Result<Vec<&'static str>, Failure> {
        if let Some(other) = ids.iter().find(|id| !FROM_TABLES.contains(&id.as_str())) {
            return Err(Failure::Usage(format!(
                "{other}: tables tell MC-1, MC-2 and MC-3; for other measures ask the gateway"
            )));
        }
        if self.open.is_empty() && ids.iter().any(|id| id == "MC-3") {
            return Err(Failure::Usage(
                "MC-3 needs --open NAME=FILE.csv, the records with an open case".to_owned(),
            ));
        }
        let is_wanted = |id: &&str| {
            let can_be_told = *id != "MC-3" || !self.open.is_empty();
            can_be_told && (ids.is_empty() || ids.iter().any(|asked| asked == id))
        };
        Ok(FROM_TABLES.into_iter().filter(is_wanted).collect())
    }

    fn links(&self, json: bool) -> Result<Found, Failure> {
        let mut order = Vec::new();
        for table in &self.records {
            let system = system(&table.system)?;
            if order.contains(&system) {
                return Err(Failure::Usage(format!("two tables are named {system}")));
            }
            order.push(system);
        }
        if let Some(path) = &self.clusters {
            let links = Links::read(path, order)?;
            return Ok(Found { links, made: None });
        }
        let mut clusters =
            NamedTempFile::new().map_err(|error| Failure::CouldNotRun(error.into()))?;
        let made = link::link_into(&self.records, clusters.as_file_mut(), json)?;
        let links = Links::read(clusters.path(), order)?;
        Ok(Found {
            links,
            made: Some(made),
        })
    }

    fn jurisdiction(&self) -> Result<Jurisdiction, Failure> {
        let name = self.jurisdiction.as_deref().unwrap_or("county");
        Jurisdiction::new(name).map_err(|error| Failure::Usage(format!("--jurisdiction: {error}")))
    }
}

fn system(name: &str) -> Result<SystemId, Failure> {
    SystemId::new(name).map_err(|error| Failure::Usage(format!("name of a system: {error}")))
}
