//! `tandem links` and `tandem match`: doubtful matches for a steward, and match queries.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::json_input::read_json;
use super::AnswerArgs;
use super::connection::Call;

/// List links between records, and decide the doubtful ones (role steward).
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tandem links --token-file steward.token
  tandem links list --standing linked --json
  tandem links confirm 0198c2f0-... --reason 'same CIN on both cards'
  tandem links undo 0198c2f0-... --reason 'two sisters'"
)]
pub(in super::super) struct LinksArgs {
    #[command(subcommand)]
    action: Option<LinksAction>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum LinksAction {
    /// List links by standing
    List(ListArgs),
    /// Show one pair with its evidence
    Show(ShowArgs),
    /// Decide that two records are one person
    Confirm(RuleArgs),
    /// Decide that two records are two people
    Reject(RuleArgs),
    /// Take back a link; what was told under it is found and recalled
    Undo(RuleArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Where the links stand
    #[arg(long, value_enum, default_value = "candidate")]
    standing: Standing,
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Standing {
    Candidate,
    Linked,
    Rejected,
    Undone,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Id of the link
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
struct RuleArgs {
    /// Id of the link
    id: String,
    /// Why, in words; it is recorded
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl LinksArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match &self.action {
            None => list(&self.list).await,
            Some(LinksAction::List(args)) => list(args).await,
            Some(LinksAction::Show(args)) => args.answer.call(Call::get(["links", &args.id])).await,
            Some(LinksAction::Confirm(args)) => rule(args, "confirm").await,
            Some(LinksAction::Reject(args)) => rule(args, "reject").await,
            Some(LinksAction::Undo(args)) => rule(args, "undo").await,
        }
    }
}

async fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let standing = args
        .standing
        .to_possible_value()
        .map(|value| value.get_name().to_owned());
    let call = Call::get(["links"])
        .query("standing", standing)
        .query("limit", args.limit);
    args.answer.call(call).await
}

async fn rule(args: &RuleArgs, ruling: &str) -> Result<Exit, Failure> {
    let call = Call::post(
        ["links", &args.id, ruling],
        json!({ "reason": args.reason }),
    );
    args.answer.call(call).await
}

/// Ask whether a person is known to another agency (role system). Denied and unknown look the same.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem match query.json --token-file cws.token")]
pub(in super::super) struct MatchArgs {
    /// The query as JSON: {"person": {names, birth, ssn, identifiers, ...}, "purpose": "COC"}
    query: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MatchArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let query: Value = read_json(&self.query)?;
        self.answer.call(Call::post(["match"], query)).await
    }
}
