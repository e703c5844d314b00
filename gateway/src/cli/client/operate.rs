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

/// Pause or resume a lane, or give up a message that holds its case.
#[derive(Debug, Subcommand)]
pub(in super::super) enum LaneCommand {
    /// Deliver nothing more there until it is resumed; what arrives waits
    Pause(LaneArgs),
    /// Deliver again
    Resume(ResumeArgs),
    /// Give up parked messages: the messages behind them go on. In a lane that is held since a restoration also
    /// messages that wait: those that the recipient has already
    Skip(ParkedArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct LaneArgs {
    /// Name of the lane: the system's id
    name: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct ResumeArgs {
    #[command(flatten)]
    lane: LaneArgs,
    /// Say that what was revoked and delivered since the backup is reconciled: a lane that is held since a restoration
    /// goes on only then (see `tandem restore status`)
    #[arg(long)]
    reconciled: bool,
}

impl LaneCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let (args, verb, body) = match self {
            Self::Pause(args) => (args, "pause", json!({})),
            Self::Resume(args) => (
                &args.lane,
                "resume",
                json!({ "reconciled": args.reconciled }),
            ),
            Self::Skip(args) => return args.each("skip").await,
        };
        args.answer
            .call(Call::post(["lanes", &args.name, verb], body))
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

/// Try again what is parked: messages on their way out, or events that could not be applied.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem replay message hmis-demo 0198c2f0-... 0198c2f1-...
  tandem replay events")]
pub(in super::super) enum ReplayCommand {
    /// Try parked messages of a lane again; each is decided anew before it is sent
    Message(ParkedArgs),
    /// Let every parked event try again
    Events(AnswerArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct ParkedArgs {
    /// Name of the lane: the system's id
    lane: String,
    /// Ids of parked messages
    #[arg(value_name = "MESSAGE", required = true)]
    messages: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ParkedArgs {
    /// One call for each message; the first that is refused ends it.
    async fn each(&self, verb: &str) -> Result<Exit, Failure> {
        for message in &self.messages {
            let body = json!({ "message": message });
            self.answer
                .call(Call::post(["lanes", &self.lane, verb], body))
                .await?;
        }
        Ok(Exit::Yes)
    }
}

impl ReplayCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Message(args) => args.each("replay").await,
            Self::Events(answer) => {
                answer
                    .call(Call::post(["events", "replay"], json!({})))
                    .await
            }
        }
    }
}

/// List the inputs, newest first. The whole report of each is in its acknowledgement file and in --json.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem inputs --token-file operator.token")]
pub(in super::super) struct InputsArgs {
    /// Most entries
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl InputsArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        self.answer
            .list(
                Call::get(["inputs"]).query("limit", self.limit),
                "inputs",
                &[
                    ("id", "/id"),
                    ("system", "/system"),
                    ("format", "/format"),
                    ("received_at", "/received_at"),
                    ("state", "/state"),
                    ("outcome", "/outcome"),
                    ("persons", "/report/persons"),
                    ("refused", "/report/refused"),
                    ("records", "/report/records"),
                ],
            )
            .await
    }
}

/// Release an input that is held: a full refresh that withdraws more people than it may by itself.
#[derive(Debug, Subcommand)]
pub(in super::super) enum InputCommand {
    /// Let it take effect, with everything that it withdraws
    Release(InputArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct InputArgs {
    /// Id of the input
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl InputCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let Self::Release(args) = self;
        args.answer
            .call(Call::post(["inputs", &args.id, "release"], json!({})))
            .await
    }
}

/// List the referrals with a deadline that has passed: which, since when, and what was done about it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem overdue --token-file operator.token --json")]
pub(in super::super) struct OverdueArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

impl OverdueArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        self.answer.call(Call::get(["referrals", "overdue"])).await
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
