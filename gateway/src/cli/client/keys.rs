//! `tandem keys`: root keys are rotated and retired, through a gateway that serves or in a store at rest.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::keys::AtRest;
use super::super::output::tell;
use super::super::rows_line::RowsLine;
use super::connection::{Call, Gateway};
use super::{AnswerArgs, show};

/// Time between two looks at how far a gateway came.
const PAUSE: Duration = Duration::from_secs(1);
/// The columns of the list of keys.
const COLUMNS: [(&str, &str); 7] = [
    ("number", "/number"),
    ("state", "/state"),
    ("rows", "/rows"),
    ("made_at", "/made_at"),
    ("seals_since", "/seals_since"),
    ("retired_at", "/retired_at"),
    ("in_file", "/in_file"),
];

/// List, rotate and retire the root keys by which everything personal in the store is sealed.
///
/// A rotation makes a new key in data/root.key: whatever is written is sealed with it at once, and what older keys have
/// sealed is sealed anew in the background, while everything goes on. When an older key seals nothing any more, it may
/// be retired. Without --config the commands ask a gateway that serves; with it they work on the store by themselves
/// while no gateway serves it.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem keys list --token-file operator.token
  tandem keys rotate --dry-run --token-file administrator.token
  tandem keys rotate --token-file administrator.token
  tandem keys retire 1 --token-file administrator.token
  tandem keys list --config county/gateway.toml --json

Copies of data/root.key that are kept elsewhere are renewed after each rotation. A key that was retired is still needed
to restore a backup that was made before.")]
pub(in super::super) enum KeysCommand {
    /// Tell of each key its number, what it does, when it was made and how many values it seals; never the key
    List(ListArgs),
    /// Let a new key seal from now on, and have what older keys sealed sealed anew
    Rotate(RotateArgs),
    /// Go through everything once more, for values of older keys that could not be opened before, or that a command in
    /// a store at rest left when it was stopped
    Reseal(ResealArgs),
    /// Take a key that seals nothing any more out of the key file
    Retire(RetireArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    /// Configuration file: read the store itself, also while a gateway serves it, and count what each key seals
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Ctrl-C ends the waiting: a gateway goes on by itself, and a store at rest goes on with `tandem keys reseal --config
FILE` or when its gateway starts. Nothing is lost or half done.

Exit codes: 0 done (with --no-wait: begun), 1 refused, or stopped before the end, 2 wrong usage, 3 could not run")]
pub(in super::super) struct RotateArgs {
    /// Tell which key it would be, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    work: WorkArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct ResealArgs {
    #[command(flatten)]
    work: WorkArgs,
}

#[derive(Debug, Args)]
struct WorkArgs {
    /// Do not wait until everything is sealed anew: a gateway goes on by itself
    #[arg(long, conflicts_with = "config")]
    no_wait: bool,
    /// Configuration file of a store that no gateway serves
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Refused while the key seals anything, with the count. The key is moved into data/root.key.retired-NUMBER: keep it apart
from the store for as long as there are backups from before, and then destroy it. Other gateways of the store keep it in
their own key files until root.key is copied to them again.")]
pub(in super::super) struct RetireArgs {
    /// Number of the key, as tandem keys list tells it
    number: u32,
    /// Configuration file of a store that no gateway serves
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl KeysCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run().await,
            Self::Rotate(args) => args.run().await,
            Self::Reseal(args) => args.run().await,
            Self::Retire(args) => args.run().await,
        }
    }
}

impl ListArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let report = match &self.config {
            Some(config) => AtRest::list(config).await?,
            None => self.answer.ask(Call::get(["keys"])).await?,
        };
        print(&report, self.answer.json)?;
        Ok(Exit::Yes)
    }
}

impl RotateArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        if let Some(config) = &self.work.config {
            let mut at_rest = AtRest::open(config).await?;
            let done = at_rest.rotate(self.dry_run).await;
            return self.work.at_rest(at_rest, done).await;
        }
        let call = Call::post(["keys", "rotate"], json!({ "dry_run": self.dry_run }));
        self.work.through(call).await
    }
}

impl ResealArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        if let Some(config) = &self.work.config {
            let mut at_rest = AtRest::open(config).await?;
            let done = at_rest.reseal().await;
            return self.work.at_rest(at_rest, done).await;
        }
        let call = Call::post(["keys", "reseal"], json!({}));
        self.work.through(call).await
    }
}

impl WorkArgs {
    /// Tells how a store at rest stands after something was done to its keys.
    async fn at_rest(&self, at_rest: AtRest, done: Result<bool, Failure>) -> Result<Exit, Failure> {
        let report = at_rest.close().await;
        let is_done = done?;
        print(&report?, self.answer.json)?;
        Ok(Exit::of(is_done))
    }

    /// Has a gateway do it, and waits.
    async fn through(&self, call: Call) -> Result<Exit, Failure> {
        let gateway = Gateway::connect(&self.answer.connection)?;
        let begun = gateway.send(call).await?;
        if self.no_wait || begun["dry_run"] == true {
            print(&begun, self.answer.json)?;
            return Ok(Exit::Yes);
        }
        let stop = tokio::signal::ctrl_c();
        let (report, is_done) = to_the_end(&gateway, begun, stop).await?;
        print(&report, self.answer.json)?;
        if !is_done {
            tell("the gateway goes on sealing anew: tandem keys list says how far it came");
        }
        Ok(Exit::of(is_done))
    }
}

impl RetireArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let answer = match &self.config {
            Some(config) => {
                let at_rest = AtRest::open(config).await?;
                let retired = at_rest.retire(self.number).await;
                at_rest.close().await?;
                retired?
            }
            None => {
                let number = self.number.to_string();
                let call = Call::post(["keys", number.as_str(), "retire"], json!({}));
                self.answer.ask(call).await?
            }
        };
        show::print_answer(&answer, self.answer.json)?;
        tell(
            "backups that were made before need this key: keep the file apart from the store, and renew the copies of root.key",
        );
        Ok(Exit::Yes)
    }
}

/// Prints the keys as a table, and under it how far a rotation came.
fn print(report: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return show::print_answer(report, true);
    }
    let mut people = report.clone();
    if let Some(fields) = people.as_object_mut() {
        fields.insert(
            "keys".to_owned(),
            show::in_columns(report, "keys", &COLUMNS),
        );
        if fields.get("resealing").is_some_and(Value::is_null) {
            fields.remove("resealing");
        }
    }
    show::print_answer(&people, false)
}

/// Looks how far a gateway came until everything is done, or somebody stops the looking.
async fn to_the_end(
    gateway: &Gateway,
    begun: Value,
    stop: impl Future,
) -> Result<(Value, bool), Failure> {
    let mut stop = std::pin::pin!(stop);
    let (mut report, mut line) = (begun, RowsLine::default());
    while report["resealing"]["is_done"] == false {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = &mut stop => return Ok((report, false)),
        }
        report = gateway.send(Call::get(["keys"])).await?;
        let table = report["resealing"]["table"].as_str().unwrap_or_default();
        let resealed = report["resealing"]["resealed"].as_u64();
        line.show(table, resealed.unwrap_or_default());
    }
    Ok((report, true))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use axum::{Json, Router};
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Connecting {
        #[command(flatten)]
        connection: super::super::ConnectionArgs,
    }

    #[tokio::test]
    async fn who_stops_waiting_is_told_how_far_the_gateway_came_and_asks_nothing_more() {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let asked = Arc::new(AtomicI64::new(0));
        let counted = Arc::clone(&asked);
        let answer = async move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Json(json!({ "resealing": { "is_done": false } }))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let args = Connecting::parse_from(["tandem", "--url", &url]);
        let gateway = Gateway::connect(&args.connection).unwrap();
        let begun = json!({ "resealing": { "is_done": false, "resealed": 7 } });
        let stop = std::future::ready(());
        let (report, is_done) = to_the_end(&gateway, begun, stop).await.unwrap();
        assert!(!is_done);
        assert_eq!(report["resealing"]["resealed"], 7);
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }
}
