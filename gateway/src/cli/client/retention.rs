//! `tandem retention`: how long rows are kept, what is past its term, and runs that dispose of it.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::output::tell;
use super::connection::{Call, Gateway};
use super::{AnswerArgs, show};

/// Time between two looks at a run.
const LOOK: Duration = Duration::from_millis(300);
/// What is shown of each kind.
const COLUMNS: [(&str, &str); 9] = [
    ("kind", "/kind"),
    ("term", "/term"),
    ("rows", "/rows"),
    ("oldest", "/oldest"),
    ("due", "/due"),
    ("held", "/held"),
    ("needed", "/needed"),
    ("disposed", "/disposed"),
    ("source", "/source"),
];

/// See how long each kind of row is kept and by which law, and dispose of what is past its term.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem retention show --token-file operator.token
  tandem retention run --dry-run --token-file privacy.token
  tandem retention run --confirm --json --token-file privacy.token

A serving gateway disposes by itself, once a day, unless `[retention] dispose` says \"by-command\". Nothing goes that is
needed by something that stands, or that a legal hold keeps (tandem hold). What went can't be brought back; the audit log
says what went, when and by which rule.")]
pub(in super::super) enum RetentionCommand {
    /// Show each kind: its term and source, the rows, the oldest, and what the last run left that is due or held
    Show(AnswerArgs),
    /// Count what is due, or dispose of it (role privacy-officer)
    Run(RunArgs),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["dry_run", "confirm"])))]
pub(in super::super) struct RunArgs {
    /// Count what would go, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Dispose of what is due. It can't be brought back
    #[arg(long)]
    confirm: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl RetentionCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Show(answer) => {
                let found = answer.ask(Call::get(["retention"])).await?;
                print(&found, answer.json)?;
                Ok(Exit::Yes)
            }
            Self::Run(args) => args.run().await,
        }
    }
}

impl RunArgs {
    /// Asks for the run and waits for its end; the gateway goes on with it also when nobody waits.
    async fn run(&self) -> Result<Exit, Failure> {
        let gateway = Gateway::connect(&self.answer.connection)?;
        let body = json!({ "dry_run": self.dry_run, "confirm": self.confirm });
        let mut run = gateway
            .send(Call::post(["retention", "runs"], body))
            .await?;
        let id = run["id"].as_str().unwrap_or_default().to_owned();
        let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
        while run["ended_at"].is_null() {
            tokio::select! {
                _ = &mut stop => {
                    tell(&format!("run {id} goes on; the audit log will say what it did"));
                    return Ok(Exit::No);
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            run = gateway.send(Call::get(["retention", "runs", &id])).await?;
        }
        print(&run, self.answer.json)?;
        Ok(Exit::Yes)
    }
}

fn print(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return show::print_answer(answer, true);
    }
    let mut answer = answer.clone();
    let kinds = answer["kinds"].as_array_mut();
    for kind in kinds.into_iter().flatten() {
        let needed = kind["needed"].as_object().into_iter().flatten();
        let needed: Vec<String> = needed.map(|(by, count)| format!("{count} {by}")).collect();
        kind["needed"] = Value::String(needed.join(", "));
    }
    show::print_answer(&show::in_columns(&answer, "kinds", &COLUMNS), false)
}
