//! `tandem policy status`, `replay` and `activate`: rules in a running gateway.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::client::{AnswerArgs, Call};
use super::super::exit::{Exit, Failure};
use super::super::json_input::read_text;
use super::source;

#[derive(Debug, Args)]
pub(in super::super) struct StatusArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct ReplayArgs {
    /// Folder of rules, or of a county's layer over the built-in ones
    bundle: PathBuf,
    /// Most decisions, the newest ones
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct ActivateArgs {
    /// Folder of rules, or of a county's layer over the built-in ones
    bundle: PathBuf,
    /// A signed note of author or approver; once for each
    #[arg(long = "note", value_name = "FILE")]
    notes: Vec<PathBuf>,
    /// From when the rules count, as the notes say
    #[arg(long, value_name = "INSTANT")]
    effective_at: Timestamp,
    /// A category of which more may be told than before; once for each
    #[arg(long = "tick", value_name = "CATEGORY")]
    ticks: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl StatusArgs {
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        self.answer.call(Call::get(["policy"])).await
    }
}

impl ReplayArgs {
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let body = json!({ "bundle": files(&self.bundle)? });
        let call = Call::post(["policy", "replay"], body).query("limit", self.limit);
        self.answer.call(call).await
    }
}

impl ActivateArgs {
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let notes = self.notes.iter().map(|file| read_text(file));
        let body = json!({
            "bundle": files(&self.bundle)?,
            "approvals": notes.collect::<Result<Vec<_>, _>>()?,
            "effective_at": self.effective_at,
            "ticks": self.ticks,
        });
        let call = Call::post(["policy", "activations"], body);
        self.answer.call(call).await
    }
}

/// Every file of checked rules.
fn files(folder: &Path) -> Result<Value, Failure> {
    let stored = source::load(folder)?.to_stored();
    Ok(serde_json::from_str(&stored).context("reading the rules")?)
}
