//! Commands that talk to a running gateway over its HTTP API.

mod connection;
mod consent;
mod links;
mod operate;
mod oversight;
mod show;

use clap::Args;

pub(super) use self::consent::ConsentCommand;
pub(super) use self::links::{LinksArgs, MatchArgs};
pub(super) use self::operate::{
    BaselineCommand, InputCommand, InputsArgs, LaneCommand, LanesArgs, MessageArgs, OverdueArgs,
    ReplayCommand,
};
pub(super) use self::oversight::{AuditArgs, DecisionsArgs, MeasureArgs};

pub(super) use self::connection::ConnectionArgs;
use self::connection::{Call, Gateway};
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
    async fn call(&self, call: Call) -> Result<Exit, Failure> {
        let gateway = Gateway::connect(&self.connection)?;
        let answer = gateway.send(call).await?;
        show::print_answer(&answer, self.json)?;
        Ok(Exit::Yes)
    }
}
