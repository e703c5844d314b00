//! `tandem migrate`: brings the schema of the store up to date, and tells how far it is.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use super::table::TextTable;
use crate::config::{Config, Loaded};
use crate::lock::DataLock;
use crate::store::{self, SchemaStep};

/// Bring the schema of the store up to date, and tell which steps it has and since when.
///
/// The gateway does the same when it starts, unless the configuration says `store.schema = "by-command"`. A file of
/// SQLite must not be served meanwhile; gateways on a database of PostgreSQL go on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem migrate --dry-run --config county/gateway.toml
  tandem migrate --config county/gateway.toml --json

Exit codes: 0 the schema is up to date (with --dry-run: nothing is left to do), 1 with --dry-run: steps are left to do,
2 wrong usage, 3 could not run, also when the store is newer than this program")]
pub(super) struct MigrateArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Tell what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the steps as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) async fn run(args: &MigrateArgs) -> Result<Exit, Failure> {
    let loaded = Loaded::from_file(&args.config).context("loading the configuration")?;
    let config = &loaded.config;
    let before = store::schema_of(config)
        .await
        .context("reading the schema of the store")?;
    let after = if args.dry_run {
        before.clone()
    } else {
        bring_up(config).await?
    };
    let pending = |steps: &[SchemaStep]| -> Vec<i64> {
        let lacking = steps.iter().filter(|step| step.applied_at.is_none());
        lacking.map(|step| step.version).collect()
    };
    let left = pending(&after);
    let mut made = pending(&before);
    made.retain(|version| !left.contains(version));
    if args.json {
        print_json(&json!({ "steps": after, "made": made, "pending": left }))?;
    } else {
        print(&for_people(&after, &made))?;
    }
    Ok(Exit::of(left.is_empty()))
}

async fn bring_up(config: &Config) -> Result<Vec<SchemaStep>, Failure> {
    std::fs::create_dir_all(&config.data).context("making the data folder")?;
    let is_alone = store::sqlite_file(config).is_some();
    let _lock = is_alone
        .then(|| DataLock::take(&config.data))
        .transpose()
        .context("changing the schema")?;
    let steps = store::migrate(config).await;
    Ok(steps.context("bringing the schema up to date")?)
}

fn for_people(steps: &[SchemaStep], made: &[i64]) -> String {
    let mut table = TextTable::new(["step", "about", "applied"]);
    for step in steps {
        let applied = match step.applied_at {
            Some(at) if made.contains(&step.version) => format!("{at}  now"),
            Some(at) => at.to_string(),
            None => "no".to_owned(),
        };
        table.row([step.version.to_string(), step.name.clone(), applied]);
    }
    table.lines("").join("\n")
}
