//! `tandem events` and `event`: what was accepted and could not take effect.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::connection::Call;
use super::{AnswerArgs, each};

/// List the events that were set aside since they could not take effect, newest first: whose, of which type, and why. `tandem
/// replay events` lets them try again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem events --token-file operator.token
  tandem events --given-up --json")]
pub(in super::super) struct EventsArgs {
    /// List those that were given up instead
    #[arg(long)]
    given_up: bool,
    /// Most entries
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl EventsArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["events", "parked"])
            .query("limit", self.limit)
            .query("given_up", self.given_up.then_some(true));
        let columns = [
            ("position", "/position"),
            ("system", "/system"),
            ("type", "/type"),
            ("recorded_at", "/recorded_at"),
            ("why", "/note"),
        ];
        self.answer.list(call, "events", &columns).await
    }
}

/// Give up an event that can never take effect, or take it up again.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem event give-up 1600 --reason 'consent was taken back before'
  tandem event take-up 1600

tandem events shows the positions.")]
pub(in super::super) enum EventCommand {
    /// Set aside for good: it is listed and counted no longer, and no replay chooses it
    GiveUp(GiveUpArgs),
    /// Parked again, as before it was given up
    TakeUp(TakeUpArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct GiveUpArgs {
    /// Why, in a few words and without names of clients
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Say that the sender of a request for a referral was told that it ends here: nobody else tells it
    #[arg(long)]
    sender_knows: bool,
    #[command(flatten)]
    events: TakeUpArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct TakeUpArgs {
    /// Positions of events
    #[arg(value_name = "POSITION", required = true)]
    positions: Vec<u64>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl TakeUpArgs {
    /// One call for each event.
    async fn each(&self, verb: &str, body: Value) -> Result<Exit, Failure> {
        let calls = self.positions.iter().map(|position| {
            let position = position.to_string();
            let call = Call::post(["events", position.as_str(), verb], body.clone());
            let about = format!("event {position}");
            (position, call.about(about))
        });
        each::each(&self.answer, calls).await
    }
}

impl EventCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::GiveUp(args) => {
                let body = json!({ "reason": args.reason, "sender_knows": args.sender_knows });
                args.events.each("give-up", body).await
            }
            Self::TakeUp(args) => args.each("take-up", json!({})).await,
        }
    }
}
