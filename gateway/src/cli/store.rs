//! `tandem store copy`: a pilot grows up, from a file of SQLite to a database of PostgreSQL.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use super::restore::failure;
use super::rows_line::RowsLine;
use super::table::TextTable;
use crate::clock::Clock;
use crate::config::{Loaded, StoreConfig};
use crate::restore;

/// Move the store.
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    Copy(CopyArgs),
}

/// Copy a store of SQLite into an empty database of PostgreSQL, while no gateway serves either.
///
/// Every table is copied and read again where it came to; rows and hashes must be the same. All of it is one
/// transaction: stopped in the middle, the database is as empty as before, and the command is given again. Keys and the
/// rest of the data folder stay where they are. Afterwards name the database in the configuration (`[store] postgres`),
/// put data/tandem.sqlite away, so that no gateway delivers from it again, and start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem store copy --to 'postgres:///tandem?host=/run/postgresql' --config county/gateway.toml
  tandem store copy --to 'postgres://tandem@db.county.example/tandem?sslmode=verify-full' \\
      --password-file postgres.password

Exit codes: 0 copied, every table the same; 1 the database is not empty, or the store is no file of SQLite;
2 wrong usage; 3 could not run, also when a gateway serves one of them, or a table is not the same")]
pub(super) struct CopyArgs {
    /// Address of the database, as in the configuration
    #[arg(long, value_name = "ADDRESS")]
    to: url::Url,
    /// File with the password of the database's user
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Print the sums of the tables as JSON
    #[arg(long)]
    json: bool,
}

impl StoreCommand {
    /// Runs the command.
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let Self::Copy(args) = self;
        args.run().await
    }
}

impl CopyArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let target = StoreConfig {
            postgres: Some(self.to.clone()),
            password_file: self.password_file.clone(),
            ..StoreConfig::default()
        };
        let problems = target.problems();
        if !problems.is_empty() {
            return Err(Failure::Usage(format!("--to: {}", problems.join("; "))));
        }
        let loaded = Loaded::from_file(&self.config).context("loading the configuration")?;
        let mut line = RowsLine::default();
        let mut watch = |table: &str, rows: u64| line.show(table, rows);
        let sums = restore::copy_to(&loaded.config, target, Clock::System.now(), &mut watch)
            .await
            .map_err(failure("copying the store"))?;
        if self.json {
            print_json(&json!({ "tables": sums }))?;
        } else {
            let mut table = TextTable::new(["table", "rows", "sha256, the same on both"]);
            for (name, sum) in &sums {
                table.row([name.clone(), sum.rows.to_string(), sum.sha256.clone()]);
            }
            print(&table.lines("").join("\n"))?;
        }
        Ok(Exit::Yes)
    }
}
