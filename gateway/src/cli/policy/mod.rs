//! `tandem policy`: the rules as a person reads them, and what is known about them before they take effect.

mod rules;
mod source;

use clap::Subcommand;

use self::rules::{RulesArgs, ShowArgs};
use super::exit::{Exit, Failure};

/// Read, check and change the legal rules.
///
/// A bundle is a folder of rules: one folder a legal regime, one file a rule. Without --bundle the rules of the
/// configuration are meant, else the built-in ones.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem policy rules --regime part2
  tandem policy show P2-02")]
pub(super) enum PolicyCommand {
    /// List the rules, one a line
    Rules(RulesArgs),
    /// One rule with its summary, source and text
    Show(ShowArgs),
}

impl PolicyCommand {
    /// Runs the command.
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Rules(args) => args.run(),
            Self::Show(args) => args.run(),
        }
    }
}
