//! `tandem backup`: copies the store into one file while the gateway runs, and checks such a file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use super::rows_line::RowsLine;
use super::table::TextTable;
use crate::backing_up;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::store::{Backup, CopyError, Damage, Manifest, Store};

/// Copy the store into one file, also while the gateway runs, or check such a file.
///
/// The file is one snapshot of every table, still sealed, with a manifest: the schema, rows and hash of each table, the
/// head of the audit log. It is the same for SQLite and PostgreSQL. Large files that its rows name lie beside it, in
/// FILE.blobs, as they are: keep the two together. The keys are NOT in it: keep root.key, audit.key and
/// audit-witness.key of the data folder elsewhere. It gets its name when it is whole and on the disk; no other file is
/// written over.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  tandem backup /backup/tandem-2026-02-02.backup --config county/gateway.toml
  tandem backup verify /backup/tandem-2026-02-02.backup

Exit codes: 0 written, or whole; 1 the file is there already, or is damaged or no backup; 2 wrong usage;
3 could not run"
)]
pub(super) struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// File to write
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Compare what stands in a backup with its manifest; needs no configuration and no key
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// File of the backup
    file: PathBuf,
    /// Print the manifest and what is damaged as JSON
    #[arg(long)]
    json: bool,
}

impl BackupArgs {
    /// Runs the command.
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        match (&self.command, &self.file) {
            (Some(BackupCommand::Verify(args)), _) => args.run().await,
            (None, Some(file)) => self.write(file).await,
            (None, None) => Err(Failure::Usage("expected a file to write".to_owned())),
        }
    }

    async fn write(&self, file: &Path) -> Result<Exit, Failure> {
        let loaded = Loaded::from_file(&self.config).context("loading the configuration")?;
        let store = opened(&self.config).await?;
        let mut line = RowsLine::default();
        let mut watch = |table: &str, rows: u64| line.show(table, rows);
        let now = Clock::System.now();
        let written = backing_up::back_up(&loaded.config, &store, file, now, &mut watch).await;
        store.close().await;
        let manifest = written.map_err(refused("writing the backup"))?;
        if self.json {
            print_json(&manifest)?;
        } else {
            print(&for_people(&manifest))?;
        }
        Ok(Exit::Yes)
    }
}

/// The store that a configuration file names, to be read whole, also while a gateway serves it.
pub(super) async fn opened(config: &Path) -> anyhow::Result<Store> {
    let loaded = Loaded::from_file(config).context("loading the configuration")?;
    Store::to_copy(&loaded.config)
        .await
        .with_context(|| format!("opening the store of {}", config.display()))
}

impl VerifyArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let opened = Backup::open(&self.file).await;
        let backup = opened.map_err(refused("reading the backup"))?;
        let mut line = RowsLine::default();
        let mut watch = |table: &str, rows: u64| line.show(table, rows);
        let damages = backing_up::verify(&backup, &self.file, &mut watch).await;
        backup.close().await;
        let (mut damages, blobs) = damages.map_err(refused("reading the backup"))?;
        damages.extend(blobs);
        if self.json {
            print_json(&json!({ "manifest": backup.manifest, "damages": damages }))?;
        } else {
            print(&for_people(&backup.manifest))?;
            print(&verdict(&damages))?;
        }
        Ok(Exit::of(damages.is_empty()))
    }
}

/// Which failures are an answer, and which kept the command from running.
pub(super) fn refused(doing: &'static str) -> impl FnOnce(CopyError) -> Failure {
    move |error| match error {
        CopyError::Exists(_) | CopyError::NotEmpty(_) | CopyError::NoBackup { .. } => {
            Failure::Refused(error.to_string())
        }
        other => anyhow::Error::new(other).context(doing).into(),
    }
}

/// The manifest in words.
pub(super) fn for_people(manifest: &Manifest) -> String {
    let mut lines = vec![
        format!("jurisdiction {}", manifest.jurisdiction),
        format!("taken at {}", manifest.taken_at),
        format!("schema {}", manifest.schema),
    ];
    lines.push(match &manifest.audit {
        Some(head) => format!("audit log of {} leaves with root {}", head.size, head.root),
        None => "the audit log has no head: `tandem audit verify` says why".to_owned(),
    });
    let mut table = TextTable::new(["table", "rows", "sha256"]);
    for (name, sum) in &manifest.tables {
        table.row([name.clone(), sum.rows.to_string(), sum.sha256.clone()]);
    }
    lines.extend(table.lines("  "));
    lines.push(format!(
        "not in it, and needed with it: {}",
        manifest.keys.join(", ")
    ));
    lines.join("\n")
}

fn verdict(damages: &[Damage]) -> String {
    if damages.is_empty() {
        return "the backup is whole".to_owned();
    }
    let lines = damages
        .iter()
        .map(|damage| format!("DAMAGED {}: {}", damage.table, damage.problem));
    lines.collect::<Vec<_>>().join("\n")
}
