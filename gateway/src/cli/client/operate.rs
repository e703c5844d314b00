//! `tandem lanes`, `lane`, `inputs` and `baseline`: what an operator does.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;
use super::messages::ChosenArgs;

/// List the lanes, one for each destination: whether it runs, what waits, is blocked, under way and parked, the age of the
/// oldest message, the breaker, and by whose word and why it is paused or held.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem lanes --token-file operator.token
  tandem lanes --json

flow is running, paused, held (since a restoration), draining or drained. blocked are those of due that wait behind a parked
message of their case: they move when it is replayed or skipped (tandem messages lists what is parked). breaker is closed,
half-open (one message asks whether the destination is back) or open (left alone until the time shown). in_flight and breaker are
empty for a lane that another gateway serves.")]
pub(in super::super) struct LanesArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

impl LanesArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let mut answer = self.answer.ask(Call::get(["lanes"])).await?;
        if !self.answer.json {
            say_why_held(&mut answer);
        }
        self.answer.print_list(
            &answer,
            "lanes",
            &[
                ("lane", "/name"),
                ("flow", "/flow"),
                ("due", "/due"),
                ("blocked", "/blocked"),
                ("in_flight", "/in_flight"),
                ("parked", "/parked"),
                ("oldest_seconds", "/oldest_age_seconds"),
                ("breaker", "/breaker"),
                ("until", "/left_alone_until"),
                ("by", "/halted_by"),
                ("reason", "/reason"),
            ],
        )?;
        Ok(Exit::Yes)
    }
}

/// Among the reasons of a lane stands as well why it is held.
fn say_why_held(answer: &mut Value) {
    let lanes = answer.get_mut("lanes").and_then(Value::as_array_mut);
    for lane in lanes.into_iter().flatten() {
        let reasons = ["/held/reason", "/reason"].map(|place| lane.pointer(place));
        let reasons = reasons.into_iter().flatten().filter_map(Value::as_str);
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        if let Some(fields) = lane.as_object_mut() {
            fields.insert("reason".to_owned(), Value::String(reasons));
        }
    }
}

/// Pause, drain or resume a lane, or give up a message that holds its case.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem lane pause hmis-demo --reason 'their upgrade until noon'
  tandem lane drain hmis-demo --reason 'their upgrade at noon'
  tandem lane resume hmis-demo
  tandem lane resume hmis-demo --now
  tandem lane skip hmis-demo 0198c2f0-... 0198c2f1-...

A lane that drains delivers what was written before, with every retry that it takes, and starts nothing that was written
after; nothing is refused or lost, it waits until the lane is resumed. tandem lanes says drained when that is done.")]
pub(in super::super) enum LaneCommand {
    /// Deliver nothing more there until it is resumed; what arrives waits
    Pause(HaltArgs),
    /// Deliver what waits by now and nothing newer until it is resumed
    Drain(HaltArgs),
    /// Deliver again
    Resume(ResumeArgs),
    /// Give up parked messages: the messages behind them go on. In a lane that is held since a restoration also
    /// messages that wait: those that the recipient has already. Of each it is said what came of it
    Skip(ChosenArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct HaltArgs {
    /// Why, in a few words and without names of clients: whoever lists the lanes reads it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    lane: LaneArgs,
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
    /// Try at once what failed and waits for its next attempt, and ask a destination that is left alone: somebody knows that it is
    /// back. Of several gateways the one that serves the lane must be asked (--url): tandem lanes shows its breaker there
    #[arg(long)]
    now: bool,
}

impl LaneArgs {
    async fn tell(&self, verb: &str, body: Value) -> Result<Exit, Failure> {
        self.answer
            .call(Call::post(["lanes", &self.name, verb], body))
            .await
    }
}

impl LaneCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Pause(args) => {
                args.lane
                    .tell("pause", json!({ "reason": args.reason }))
                    .await
            }
            Self::Drain(args) => {
                args.lane
                    .tell("drain", json!({ "reason": args.reason }))
                    .await
            }
            Self::Resume(args) => {
                let mut body = json!({ "reconciled": args.reconciled });
                if args.now {
                    body["now"] = json!(true);
                }
                args.lane.tell("resume", body).await
            }
            Self::Skip(args) => args.each("skip").await,
        }
    }
}

/// List the inputs, newest first. The whole report of each is in its acknowledgement file and in --json.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem inputs --token-file operator.token

deviation is the code of the worst that was found. No name of a file and no key of a push is shown: it may name a client, so the
gateway knows the same input again by a keyed hash of it. Which file it was, its system, format and time tell, and the report that
lies in the exchange folder under its name: ack/NAME.ack.json, or error/NAME.error.json for one that was rejected.")]
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
                    ("deviation", "/report/deviations/0/code"),
                    ("persons", "/report/persons"),
                    ("refused", "/report/refused"),
                    ("records", "/report/records"),
                    ("stage", "/progress/stage"),
                    ("in store", "/progress/records"),
                    ("bytes read", "/progress/bytes_read"),
                    ("of bytes", "/progress/bytes"),
                ],
            )
            .await
    }
}

/// Release an input that is held: a full refresh that withdraws more people than it may by itself.
#[derive(Debug, Subcommand)]
pub(in super::super) enum InputCommand {
    /// Let it take effect, with everything that it withdraws
    ///
    /// Refused when something of its system took effect that came after it: what that told would be taken back.
    Release(InputArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct InputArgs {
    /// Id of the input
    id: String,
    /// Release it though something of its system took effect that came after it
    #[arg(long)]
    over_later: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl InputCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let Self::Release(args) = self;
        let call = Call::post(["inputs", &args.id, "release"], json!({}));
        let call = call.query("over_later", args.over_later.then_some(true));
        args.answer.call(call).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_is_held_says_why_beside_what_an_operator_said() {
        let mut answer = json!({ "lanes": [
            { "name": "a", "held": { "reason": "restored from a backup" }, "reason": "their upgrade" },
            { "name": "b", "held": { "reason": "restored from a backup" } },
            { "name": "c" },
        ]});
        say_why_held(&mut answer);
        let reason = |place: &str| answer.pointer(place).and_then(Value::as_str);
        let both = "restored from a backup; their upgrade";
        assert_eq!(reason("/lanes/0/reason"), Some(both));
        assert_eq!(reason("/lanes/1/reason"), Some("restored from a backup"));
        assert_eq!(reason("/lanes/2/reason"), Some(""));
    }
}
