//! `tandem messages` and `message`: which messages stand so, and the way of one; and what is done with several by their ids.

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::super::exit::{Exit, Failure};
use super::super::output::tell;
use super::connection::Call;
use super::{AnswerArgs, each};
use crate::store::OutboxState;

/// List the messages that stand in a state, newest first: which, in which lane, how many of their case wait behind each, and why.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem messages --token-file operator.token
  tandem messages --lane hmis-demo --state failed
  tandem messages --state parked --limit 1000 --json

What is parked holds its case until it is tried again (tandem replay message LANE ID..., or many at once: tandem replay --where)
or given up (tandem lane skip LANE ID...). What failed is tried again by itself at due_at; behind counts the messages of the same
case that wait for it. tandem message ID shows the whole way of one.")]
pub(in super::super) struct MessagesArgs {
    /// Only those of this lane
    #[arg(long)]
    lane: Option<String>,
    /// How they stand
    #[arg(
        long,
        default_value = OutboxState::Parked.code(),
        value_parser = PossibleValuesParser::new(OutboxState::ALL.map(OutboxState::code))
    )]
    state: String,
    /// From here on; the end of the page before says what
    #[arg(long, value_name = "NEXT")]
    after: Option<i64>,
    /// Most entries, up to 1000; 100 when not given
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MessagesArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let mut call = Call::get(["messages"])
            .query("lane", self.lane.as_ref())
            .query("state", Some(&self.state))
            .query("after", self.after)
            .query("limit", self.limit);
        if let Some(lane) = &self.lane {
            call = call.about(format!("lane {lane}"));
        }
        let answer = self.answer.ask(call).await?;
        let columns = [
            ("id", "/id"),
            ("lane", "/lane"),
            ("kind", "/kind"),
            ("attempts", "/attempts"),
            ("changed_at", "/changed_at"),
            ("due_at", "/due_at"),
            ("behind", "/behind"),
            ("fault", "/fault"),
            ("why", "/note"),
        ];
        // Only what waits for an attempt has a time that tells anything.
        let waits = [OutboxState::Queued.code(), OutboxState::Failed.code()];
        let is_due = waits.contains(&self.state.as_str());
        let shown = columns
            .iter()
            .filter(|(name, _)| is_due || *name != "due_at");
        let shown: Vec<_> = shown.copied().collect();
        self.answer.print_list(&answer, "messages", &shown)?;
        if let Some(next) = answer.get("next").filter(|_| !self.answer.json) {
            tell(&format!("there are more: --after {next} goes on"));
        }
        Ok(Exit::Yes)
    }
}

/// Show one message's way: received, matched, decided, mapped, each attempt with its answer and whose fault it was, and what
/// operators did with it. tandem messages lists ids.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem message 0198c2f0-... --token-file operator.token
  tandem message 0198c2f0-... --json

A message that was never queued, and one that nobody has heard of, are both unknown: exit code 1.")]
pub(in super::super) struct MessageArgs {
    /// Id of the message
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MessageArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["messages", &self.id]);
        self.answer.timeline(call, "timeline").await
    }
}

#[derive(Debug, Args)]
pub(in super::super) struct ChosenArgs {
    /// Name of the lane: the system's id
    lane: String,
    /// Ids of messages, as tandem messages lists them
    #[arg(value_name = "MESSAGE", required = true)]
    messages: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ChosenArgs {
    /// One call for each message.
    pub(super) async fn each(&self, verb: &str) -> Result<Exit, Failure> {
        let calls = self.messages.iter().map(|message| {
            let body = json!({ "message": message });
            let call = Call::post(["lanes", &self.lane, verb], body);
            let about = format!("message {message} in lane {}", self.lane);
            (message.clone(), call.about(about))
        });
        each::each(&self.answer, calls).await
    }
}
