//! `tandem decisions`, `measure` and `audit`: what privacy officers, administrators and auditors look at.

use clap::Args;
use jiff::civil::Date;

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;

/// List recorded decisions with their reasons (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tandem decisions --person 0198c2f0-... --token-file privacy.token"
)]
pub(in super::super) struct DecisionsArgs {
    /// Only decisions about this person
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl DecisionsArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let person = self.person.as_ref();
        self.answer
            .call(Call::get(["decisions"]).query("person", person))
            .await
    }
}

/// Compute measures over a span of days; small counts are masked.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem measure MC-1 MC-2 --from 2026-01-01 --to 2026-03-31")]
pub(in super::super) struct MeasureArgs {
    /// Ids of measures, such as MC-1
    #[arg(required = true)]
    ids: Vec<String>,
    /// First day
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// Last day
    #[arg(long, value_name = "DATE")]
    to: Date,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl MeasureArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        if self.to < self.from {
            return Err(Failure::Usage("--to is before --from".to_owned()));
        }
        let call = Call::get(["measures"])
            .query("ids", Some(self.ids.join(",")))
            .query("from", Some(self.from))
            .query("to", Some(self.to));
        self.answer.call(call).await
    }
}

/// Read the audit: who did what when (role auditor).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem audit --action link.confirm --token-file auditor.token")]
pub(in super::super) struct AuditArgs {
    /// Only entries of this action
    #[arg(long)]
    action: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl AuditArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let action = self.action.as_ref();
        self.answer
            .call(Call::get(["audit"]).query("action", action))
            .await
    }
}
