//! `tandem labels`: which category and labels codes get, and the tables that say so.

mod explain;
mod list;

use clap::Subcommand;

use super::exit::{Exit, Failure};

/// Show which category and sensitivity labels data get by their source and codes, and why
#[derive(Debug, Subcommand)]
pub(super) enum LabelsCommand {
    Explain(explain::ExplainArgs),
    List(list::ListArgs),
}

impl LabelsCommand {
    /// Runs the command.
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Explain(args) => args.run(),
            Self::List(args) => args.run(),
        }
    }
}
