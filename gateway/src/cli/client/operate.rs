//! `tandem lanes`, `lane`, `message`, `replay` and `baseline`: what an operator does.

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;

/// List the lanes: one for each destination, with what waits, what is parked and why.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem lanes --token-file operator.token")]
pub(in super::super) struct LanesArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

impl LanesArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        self.answer.call(Call::get(["lanes"])).await
    }
}

/// Pause or resume a lane.
#[derive(Debug, Subcommand)]
pub(in super::super) enum LaneCommand {
    /// Deliver nothing more there until it is resumed; what arrives waits
    Pause(LaneArgs),
    /// Deliver again
    Resume(LaneArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct LaneArgs {
    /// Name of the lane: the system's id
    name: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl LaneCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let (args, verb) = match self {
            Self::Pause(args) => (args, "pause"),
            Self::Resume(args) => (args, "resume"),
        };
        args.answer
            .call(Call::post(["lanes", &args.name, verb], json!({})))
            .await
    }
}

/// Show one message: its state, its attempts, its decision.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem message 0198c2f0-... --token-file operator.token")]
pub(in super::super) struct MessageArgs {
    /// Id of the message
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MessageArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        self.answer.call(Call::get(["messages", &self.id])).await
    }
}

/// Try again what is parked in a lane: all of it, or the messages that are named.
///
/// Each message is decided anew before it is sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem replay hmis-demo
  tandem replay hmis-demo --message 0198c2f0-... --message 0198c2f1-...")]
pub(in super::super) struct ReplayArgs {
    /// Name of the lane: the system's id
    lane: String,
    /// A parked message; once for each
    #[arg(long = "message", value_name = "ID")]
    messages: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ReplayArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let body = if self.messages.is_empty() {
            json!({})
        } else {
            json!({ "messages": self.messages })
        };
        self.answer
            .call(Call::post(["lanes", &self.lane, "replay"], body))
            .await
    }
}

/// End the silent first load of a system.
#[derive(Debug, Subcommand)]
pub(in super::super) enum BaselineCommand {
    /// From now on links of the system's records lead to notices
    Release(BaselineArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct BaselineArgs {
    /// The system's id
    system: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl BaselineCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let Self::Release(args) = self;
        args.answer
            .call(Call::post(["baseline", &args.system, "release"], json!({})))
            .await
    }
}
