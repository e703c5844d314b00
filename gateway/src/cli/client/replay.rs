//! `tandem replay`: what did not get through is tried again, chosen by conditions or by id.

use std::future::Future;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::super::exit::{Exit, Failure};
use super::super::output::tell;
use super::AnswerArgs;
use super::connection::{Call, Gateway};
use super::messages::ChosenArgs;

/// The names of conditions.
const OF_MESSAGES: &[&str] = &["destination", "error", "case", "since", "until"];
const OF_EVENTS: &[&str] = &["system", "type", "error", "since", "until"];
const OF_INPUTS: &[&str] = &["system", "error", "since", "until"];

/// Try again what did not get through: messages chosen by conditions or by id, events that could not take effect, or inputs of which
/// something could not be used.
///
/// Messages go back into their lanes in the order in which they were written, and are decided anew before they are
/// sent. Events wait for their turn once more. Inputs are read once more from the originals that were kept, by the readers and tables
/// that the gateway has now. The counts add up: selected is queued, delivered, failed and skipped. Ctrl-C ends it between two parts:
/// what was tried again stays so, nothing else was touched, and --continue goes on from there.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tandem replay --where destination=hmis-demo,since=2026-02-01 --dry-run
  tandem replay --where destination=hmis-demo,error=network
  tandem replay --where 'error=no enrollment at target' --where case=5f0c... --json
  tandem replay --where destination=cws-demo,since=2026-02-01,until=2026-02-02T12:00:00Z --delivered
  tandem replay --continue 0198c2f0-...
  tandem replay message hmis-demo 0198c2f0-... 0198c2f1-...
  tandem replay events --where system=cws-demo,type=referral.accepted --dry-run
  tandem replay inputs --where system=calworks-demo,error=no-layout-fits,since=2026-02-01

Conditions of messages: destination=SYSTEM, error=TEXT (partner, ours, network, or a part of the note), case=KEY (as tandem message
shows it), since=TIME and until=TIME (when the message was written; a date is its first instant in UTC). Of events: system=SYSTEM,
type=TYPE, error=TEXT (a part of the note), since and until. Of inputs: system=SYSTEM, error=TEXT (the code of a deviation, or a part
of what was expected), since and until.

Exit codes: 0 done, 1 refused or stopped before the end, 2 wrong usage, 3 could not run"
)]
pub(in super::super) struct ReplayArgs {
    #[command(subcommand)]
    command: Option<ReplayCommand>,
    /// Conditions that a message must meet, each NAME=VALUE, with commas between
    #[arg(
        long = "where",
        value_name = "CONDITIONS",
        required_unless_present = "resume"
    )]
    conditions: Vec<String>,
    /// Choose messages that were delivered as well
    #[arg(long)]
    delivered: bool,
    /// Count what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on with a replay that was stopped
    #[arg(long = "continue", value_name = "ID", conflicts_with_all = ["conditions", "delivered", "dry_run"])]
    resume: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// What is tried again by itself.
#[derive(Debug, Subcommand)]
enum ReplayCommand {
    /// Try parked messages of a lane again; each is decided anew before it is sent
    ///
    /// One that failed and waits for its next attempt is due now, and keeps its count of attempts; while the destination is left
    /// alone, see tandem lane resume LANE --now. Of each it is said what came of it; exit code 1 when one was refused.
    Message(ChosenArgs),
    /// Let parked events try again, all or those chosen
    Events(OtherArgs),
    /// Read inputs once more of which something could not be used, all or those chosen
    Inputs(OtherArgs),
    /// Show what became by now of what a replay has chosen
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct OtherArgs {
    /// Conditions that must all be met, each NAME=VALUE, with commas between
    #[arg(long = "where", value_name = "CONDITIONS")]
    conditions: Vec<String>,
    /// Count what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Id of the replay
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ReplayArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match &self.command {
            Some(ReplayCommand::Message(args)) => args.each("replay").await,
            Some(ReplayCommand::Events(args)) => args.all("events", OF_EVENTS).await,
            Some(ReplayCommand::Inputs(args)) => args.all("inputs", OF_INPUTS).await,
            Some(ReplayCommand::Show(args)) => {
                args.answer.call(Call::get(["replays", &args.id])).await
            }
            None => self.chosen().await,
        }
    }

    async fn chosen(&self) -> Result<Exit, Failure> {
        let begin = match &self.resume {
            Some(id) => Call::get(["replays", id]),
            None => {
                let mut conditions = conditions(&self.conditions, OF_MESSAGES)?;
                conditions.insert("delivered".to_owned(), Value::Bool(self.delivered));
                begin("messages", &conditions, self.dry_run)
            }
        };
        run(&self.answer, begin).await
    }
}

impl OtherArgs {
    async fn all(&self, of: &str, names: &[&str]) -> Result<Exit, Failure> {
        let conditions = conditions(&self.conditions, names)?;
        run(&self.answer, begin(of, &conditions, self.dry_run)).await
    }
}

/// Begins a replay.
fn begin(of: &str, conditions: &Map<String, Value>, dry_run: bool) -> Call {
    let body = json!({ "of": of, "where": conditions, "dry_run": dry_run });
    Call::post(["replays"], body)
}

/// Runs a replay to its end, or until it is stopped.
async fn run(answering: &AnswerArgs, begin: Call) -> Result<Exit, Failure> {
    let gateway = Gateway::connect(&answering.connection)?;
    let begun = gateway.send(begin).await?;
    let stop = tokio::signal::ctrl_c();
    let (answer, was_stopped) = to_the_end(&gateway, begun, stop).await?;
    answering.print(&answer)?;
    if was_stopped {
        let id = answer["id"].as_str().unwrap_or_default();
        hint("stopped", id);
    }
    Ok(Exit::of(!was_stopped))
}

/// The conditions as the gateway takes them.
fn conditions(given: &[String], names: &[&str]) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    for text in given.iter().flat_map(|text| text.split(',')) {
        let condition = text.split_once('=');
        let known = condition.filter(|(name, value)| names.contains(name) && !value.is_empty());
        let Some((name, value)) = known else {
            let expected = names.join("=, ");
            return Err(Failure::Usage(format!(
                "--where {text}: expected {expected}="
            )));
        };
        let value = match name {
            "since" | "until" => instant(name, value)?.to_string(),
            _ => value.to_owned(),
        };
        if body.insert(name.to_owned(), Value::String(value)).is_some() {
            return Err(Failure::Usage(format!("--where: {name} is given twice")));
        }
    }
    Ok(body)
}

/// A replay goes on part by part until its end or a stop. A part that has begun ends: its answer says how far it came.
async fn to_the_end(
    gateway: &Gateway,
    begun: Value,
    stop: impl Future,
) -> Result<(Value, bool), Failure> {
    let mut stop = std::pin::pin!(stop);
    let mut answer = begun;
    while answer["is_done"] != true {
        let id = answer["id"].as_str().unwrap_or_default().to_owned();
        let next = gateway.send(Call::post(["replays", &id, "continue"], json!({})));
        let mut next = std::pin::pin!(next);
        let (part, is_stopped) = tokio::select! {
            biased;
            part = &mut next => (part, false),
            _ = &mut stop => (next.await, true),
        };
        answer = part.inspect_err(|_| hint("the gateway did not take the next part", &id))?;
        if is_stopped {
            let is_done = answer["is_done"] == true;
            return Ok((answer, !is_done));
        }
    }
    Ok((answer, false))
}

/// Says how a replay goes on that did not come to its end.
fn hint(why: &str, id: &str) {
    tell(&format!(
        "{why}: what was tried again stays so, and nothing else was touched; go on with tandem replay --continue {id}"
    ));
}

/// An instant, or the first one of a day in UTC.
fn instant(name: &str, text: &str) -> Result<Timestamp, Failure> {
    let of_day = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    let day = || text.parse().ok().and_then(of_day);
    text.parse().ok().or_else(day).ok_or_else(|| {
        let expected =
            "expected a date or an instant, for example 2026-02-01 or 2026-02-01T08:00:00Z";
        Failure::Usage(format!("--where {name}={text}: {expected}"))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use axum::{Json, Router};
    use clap::Parser;

    use super::*;

    /// A gateway that puts back one message a part, and is never done; with the parts that it was asked for.
    async fn endless() -> (Gateway, Arc<AtomicI64>) {
        let parts = Arc::new(AtomicI64::new(0));
        let counted = Arc::clone(&parts);
        let answer = async move || {
            let selected = counted.fetch_add(1, Ordering::SeqCst) + 1;
            Json(json!({ "id": "r-1", "is_done": false, "selected": selected }))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let args = Connecting::parse_from(["tandem", "--url", &url]);
        (Gateway::connect(&args.connection).unwrap(), parts)
    }

    #[derive(Parser)]
    struct Connecting {
        #[command(flatten)]
        connection: super::super::ConnectionArgs,
    }

    #[tokio::test]
    async fn a_replay_that_is_stopped_ends_the_part_under_way_and_says_how_far_it_came() {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let (gateway, parts) = endless().await;
        let begun = json!({ "id": "r-1", "is_done": false, "selected": 0 });
        let stop = std::future::ready(());
        let (answer, was_stopped) = to_the_end(&gateway, begun, stop).await.unwrap();
        assert!(was_stopped);
        assert_eq!(
            (&answer["selected"], parts.load(Ordering::SeqCst)),
            (&json!(1), 1)
        );
    }

    #[test]
    fn a_day_is_its_first_instant_and_anything_else_is_wrong_usage() {
        let day = instant("since", "2026-02-01").unwrap();
        assert_eq!(day, instant("since", "2026-02-01T00:00:00Z").unwrap());
        assert!(instant("since", "yesterday").is_err());
    }
}
