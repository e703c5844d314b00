//! Commands that talk to a running gateway over its HTTP API.

mod accounting;
mod audit;
mod break_glass;
mod connection;
mod consent;
mod each;
mod events;
mod hold;
mod keys;
mod links;
mod messages;
mod named;
mod operate;
mod oversight;
mod pair;
mod reasons;
mod reload;
mod replay;
mod retention;
mod show;

use clap::Args;

pub(super) use self::accounting::AccountingCommand;
pub(super) use self::audit::AuditArgs;
pub(super) use self::break_glass::BreakGlassCommand;
pub(super) use self::consent::ConsentCommand;
pub(super) use self::events::{EventCommand, EventsArgs};
pub(super) use self::hold::HoldCommand;
pub(super) use self::keys::KeysCommand;
pub(super) use self::links::{LinksArgs, MatchArgs};
pub(super) use self::messages::{MessageArgs, MessagesArgs};
pub(super) use self::operate::{
    BaselineCommand, InputCommand, InputsArgs, LaneCommand, LanesArgs, OverdueArgs,
};
pub(super) use self::oversight::MeasureArgs;
pub(super) use self::reasons::{DecisionsArgs, SimulateArgs, WhyArgs};
pub(super) use self::reload::ReloadArgs;
pub(super) use self::replay::ReplayArgs;
pub(super) use self::retention::RetentionCommand;

pub(super) use self::connection::Call;
pub(super) use self::connection::ConnectionArgs;
use self::connection::Gateway;
use super::exit::{Exit, Failure};

/// How an answer is printed.
#[derive(Debug, Args)]
pub(super) struct AnswerArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl AnswerArgs {
    /// Makes one call and prints its answer.
    pub(super) async fn call(&self, call: Call) -> Result<Exit, Failure> {
        let answer = self.ask(call).await?;
        self.print(&answer)?;
        Ok(Exit::Yes)
    }

    fn print(&self, answer: &serde_json::Value) -> Result<(), Failure> {
        show::print_answer(answer, self.json)
    }

    /// Makes one call and prints a list of its answer: for people in these columns, each with the place of its value.
    async fn list(
        &self,
        call: Call,
        list: &str,
        columns: &[(&str, &str)],
    ) -> Result<Exit, Failure> {
        let answer = self.ask(call).await?;
        self.print_list(&answer, list, columns)?;
        Ok(Exit::Yes)
    }

    fn print_list(
        &self,
        answer: &serde_json::Value,
        list: &str,
        columns: &[(&str, &str)],
    ) -> Result<(), Failure> {
        if self.json {
            show::print_answer(answer, true)
        } else {
            show::print_answer(&show::in_columns(answer, list, columns), false)
        }
    }

    /// Makes one call and prints its answer; for people the list of steps in it one a line, under the rest.
    async fn timeline(&self, call: Call, list: &str) -> Result<Exit, Failure> {
        let mut answer = self.ask(call).await?;
        if !self.json {
            show::in_lines(&mut answer, list);
        }
        self.print(&answer)?;
        Ok(Exit::Yes)
    }

    async fn ask(&self, call: Call) -> Result<serde_json::Value, Failure> {
        Gateway::connect(&self.connection)?.send(call).await
    }
}
