//! `tandem restore`: fills a store from a backup, and tells what is to be reconciled before its lanes go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::backup::{for_people, opened, refused};
use super::exit::{Exit, Failure};
use super::output::{print, print_json, tell};
use super::rows_line::RowsLine;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::restore::{self, RestoreError, Wish};
use crate::store::{Damage, DoubtfulRow, HoldRow, Store, StoreError};

/// Fill the store from a backup, while no gateway serves it; or tell what is to be reconciled afterwards.
///
/// The store must be empty, or else be replaced: what was there is then kept in the data folder as a backup of its own,
/// and to restore that one undoes it. The keys of the backed-up store must stand in the data folder. Nothing is changed
/// unless everything came over whole.
///
/// What happened after the backup is not in it. So nothing is delivered until somebody has reconciled it: revocations
/// given since must be entered again, and recipients may hold messages that the backup has in its queues. `tandem
/// restore status` lists them; `tandem lane skip LANE MESSAGE...` drops those that were delivered; `tandem lane resume
/// LANE --reconciled` lets a lane go on.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  tandem restore /backup/tandem-2026-02-02.backup --config county/gateway.toml
  tandem restore /backup/tandem-2026-02-02.backup --replace --config county/gateway.toml
  tandem restore status --config county/gateway.toml

Exit codes: 0 restored (status: every lane goes on), 1 the store is not empty, or the backup is damaged or none
(status: a lane is held), 2 wrong usage, 3 could not run, also when a gateway serves the store"
)]
pub(super) struct RestoreArgs {
    #[command(subcommand)]
    command: Option<RestoreCommand>,
    /// File of the backup
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Replace what is in the store; it is kept in the data folder as a backup of its own
    #[arg(long)]
    replace: bool,
    /// Restore the rows though large files that they name are missing beside the backup; each is then set aside
    #[arg(long)]
    without_blobs: bool,
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum RestoreCommand {
    /// Tell which lanes are held since a restoration, and which of their messages are in doubt
    Status(StatusArgs),
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Print the answer as JSON, with every message in doubt
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    /// Runs the command.
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        match (&self.command, &self.file) {
            (Some(RestoreCommand::Status(args)), _) => args.run().await,
            (None, Some(file)) => self.restore(file).await,
            (None, None) => Err(Failure::Usage("expected the file of a backup".to_owned())),
        }
    }

    async fn restore(&self, file: &Path) -> Result<Exit, Failure> {
        let loaded = Loaded::from_file(&self.config).context("loading the configuration")?;
        let mut line = RowsLine::default();
        let mut watch = |table: &str, rows: u64| line.show(table, rows);
        let now = Clock::System.now();
        let wish = Wish {
            replaces: self.replace,
            without_blobs: self.without_blobs,
        };
        let restored = restore::restore(&loaded.config, file, wish, now, &mut watch)
            .await
            .map_err(failure("restoring the store"))?;
        if self.json {
            print_json(&json!({
                "manifest": restored.manifest, "kept": restored.kept, "without": restored.without,
            }))?;
        } else {
            print(&for_people(&restored.manifest))?;
            if let Some(kept) = &restored.kept {
                print(&format!("what was there is kept in {}", kept.display()))?;
            }
            for Damage { table, problem } in &restored.without {
                print(&format!("NOT RESTORED: {table}: {problem}"))?;
            }
        }
        tell(
            "every lane is held until what was revoked and delivered since the backup is reconciled: \
             see `tandem restore status`",
        );
        Ok(Exit::Yes)
    }
}

/// Which failures are an answer.
pub(super) fn failure(doing: &'static str) -> impl FnOnce(RestoreError) -> Failure {
    move |error| match error {
        RestoreError::Copy(error) => refused(doing)(error),
        RestoreError::Damaged(_) | RestoreError::Jurisdiction { .. } | RestoreError::NoSqlite => {
            Failure::Refused(error.to_string())
        }
        other => anyhow::Error::new(other).context(doing).into(),
    }
}

/// A lane that was restored.
#[derive(Debug, Serialize)]
struct LaneStatus {
    lane: String,
    is_held: bool,
    taken_at: String,
    restored_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    released_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    released_by: Option<String>,
    /// Of a held lane: how many messages stand in each state.
    in_doubt: BTreeMap<&'static str, usize>,
    messages: Vec<MessageStatus>,
}

/// A message that may have gone further than the store knows.
#[derive(Debug, Serialize)]
struct MessageStatus {
    id: String,
    kind: String,
    state: &'static str,
    created_at: String,
    /// Whether the backup had it; else it was written since, perhaps as before.
    is_from_backup: bool,
}

impl LaneStatus {
    fn of(hold: HoldRow, rows: &[DoubtfulRow]) -> Self {
        let mut in_doubt = BTreeMap::new();
        for row in rows {
            *in_doubt.entry(row.state.code()).or_default() += 1;
        }
        let message = |row: &DoubtfulRow| MessageStatus {
            id: row.id.to_string(),
            kind: row.kind.clone(),
            state: row.state.code(),
            created_at: row.created_at.to_string(),
            is_from_backup: row.created_at < hold.restored_at,
        };
        Self {
            messages: rows.iter().map(message).collect(),
            in_doubt,
            lane: hold.lane,
            is_held: hold.released.is_none(),
            taken_at: hold.taken_at.to_string(),
            restored_at: hold.restored_at.to_string(),
            released_at: hold.released.as_ref().map(|(at, _)| at.to_string()),
            released_by: hold.released.map(|(_, by)| by),
        }
    }
}

impl StatusArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let store = opened(&self.config).await?;
        let lanes = status(&store).await;
        store.close().await;
        let lanes = lanes.context("reading the store")?;
        let are_free = lanes.iter().all(|lane| !lane.is_held);
        if self.json {
            print_json(&json!({ "lanes": lanes }))?;
        } else {
            print(&in_words(&lanes))?;
        }
        Ok(Exit::of(are_free))
    }
}

async fn status(store: &Store) -> Result<Vec<LaneStatus>, StoreError> {
    let mut tx = store.snapshot().await?;
    let mut lanes = Vec::new();
    for hold in tx.holds().await? {
        let rows = match hold.released {
            None => tx.doubtful(&hold.lane).await?,
            Some(_) => Vec::new(),
        };
        lanes.push(LaneStatus::of(hold, &rows));
    }
    Ok(lanes)
}

fn in_words(lanes: &[LaneStatus]) -> String {
    if lanes.is_empty() {
        return "the store was not restored from a backup".to_owned();
    }
    let mut lines = Vec::new();
    for lane in lanes {
        let LaneStatus {
            lane: name,
            taken_at,
            restored_at,
            ..
        } = lane;
        if let (Some(at), Some(by)) = (&lane.released_at, &lane.released_by) {
            lines.push(format!("{name}: goes on since {at}, by {by}"));
            continue;
        }
        lines.push(format!(
            "{name}: HELD. Restored at {restored_at} from a backup of {taken_at}; what was revoked and delivered \
             between the two is unknown"
        ));
        for message in &lane.messages {
            lines.push(format!(
                "  {} {} {}",
                message.id,
                message.state,
                message.doubt()
            ));
        }
    }
    if lanes.iter().any(|lane| lane.is_held) {
        lines.push(TO_DO.to_owned());
    }
    lines.join("\n")
}

impl MessageStatus {
    /// What is not known of it.
    fn doubt(&self) -> &'static str {
        match (self.is_from_backup, self.state) {
            (true, "queued" | "failed") => "in the backup's queue: may have been delivered since",
            (true, "delivered") => "delivered: its acknowledgement may have come since",
            (true, _) => "parked: may have been tried again or skipped since",
            (false, _) => {
                "written since the restoration: may repeat one that was written after the backup"
            }
        }
    }
}

const TO_DO: &str = "\
Before a lane goes on:
 1. enter the revocations and new consents since the backup again (`tandem consent`)
 2. ask the recipient which of these messages it has; drop those: tandem lane skip LANE MESSAGE...
 3. tandem lane resume LANE --reconciled";
