//! `tandem links` and `tandem match`: doubtful matches for a steward, and match queries.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::json_input::read_json;
use super::super::output::print;
use super::AnswerArgs;
use super::connection::Call;
use super::pair::for_people;
use super::show::print_answer;

/// List links between records, and decide the doubtful ones (role steward).
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tandem links --token-file steward.token
  tandem links list --standing linked --json
  tandem links confirm 0198c2f0-... --reason 'same CIN on both cards'
  tandem links undo 0198c2f0-... --reason 'two sisters'
  tandem links model --token-file operator.token"
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
    /// Show one pair: both records, who lives with each, and the evidence
    Show(ShowArgs),
    /// Decide that two records are one person
    Confirm(RuleArgs),
    /// Decide that two records are two people
    Reject(RuleArgs),
    /// Take back a link; what was told under it is found and recalled
    Undo(RuleArgs),
    /// Show by which model records are linked: from which score on, and how many links are expected to be false
    Model(AnswerArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Where the links stand
    #[arg(long, value_enum, default_value = "candidate")]
    standing: Standing,
    /// In which order; pairs that wait come by information: first those whose decision says most
    #[arg(long, value_enum)]
    order: Option<Order>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    /// How open a pair is, weighed by the records and cases that hang on it
    Information,
    /// Newest first
    Newest,
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
            Some(LinksAction::Show(args)) => show(args).await,
            Some(LinksAction::Confirm(args)) => rule(args, "confirm").await,
            Some(LinksAction::Reject(args)) => rule(args, "reject").await,
            Some(LinksAction::Undo(args)) => rule(args, "undo").await,
            Some(LinksAction::Model(answer)) => answer.call(Call::get(["matching"])).await,
        }
    }
}

async fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let call = Call::get(["links"])
        .query("standing", name(&args.standing))
        .query("order", args.order.as_ref().and_then(name))
        .query("limit", args.limit);
    args.answer.call(call).await
}

fn name<T: ValueEnum>(value: &T) -> Option<String> {
    let value = value.to_possible_value()?;
    Some(value.get_name().to_owned())
}

async fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let answer = args.answer.ask(Call::get(["links", &args.id])).await?;
    if args.answer.json {
        print_answer(&answer, true)?;
    } else {
        print(&for_people(&answer))?;
    }
    Ok(Exit::Yes)
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
#[command(
    after_help = "Examples:\n  tandem match query.json --token-file cws.token\n  tandem match query.json --own --token-file cws.token"
)]
pub(in super::super) struct MatchArgs {
    /// The query as JSON: {"person": {names, birth, ssn, identifiers, ...}, "purpose": "COC"}
    query: PathBuf,
    /// Ask which of the system's own records are of this person instead; nothing is disclosed or recorded
    #[arg(long)]
    own: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MatchArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let mut query: Value = read_json(&self.query)?;
        if let (true, Some(fields)) = (self.own, query.as_object_mut()) {
            fields.insert("scope".to_owned(), "own".into());
        }
        self.answer.call(Call::post(["match"], query)).await
    }
}
