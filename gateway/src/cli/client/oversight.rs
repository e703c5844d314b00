//! `tandem decisions`, `measure` and `audit`: what privacy officers, administrators and auditors look at.

use clap::Args;
use jiff::civil::Date;

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;

/// List recorded decisions, or show one with its reasons (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tandem decisions --person 0198c2f0-... --token-file privacy.token"
)]
pub(in super::super) struct DecisionsArgs {
    /// Show this decision with its reasons
    #[arg(conflicts_with_all = ["person", "limit"])]
    id: Option<String>,
    /// Only decisions about this person
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
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

/// Compute measures over a span of days. The figures are not masked: they are for the network, not for the public.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem measure MC-1 MC-2 --from 2026-01-01 --to 2026-03-31")]
pub(in super::super) struct MeasureArgs {
    /// Ids of measures, such as MC-1; all when none is named
    ids: Vec<String>,
    /// First day; the calendar year when absent
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// Last day
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
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
            .query("ids", (!self.ids.is_empty()).then(|| self.ids.join(",")))
            .query("from", self.from)
            .query("to", self.to);
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
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
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
