//! `tandem policy`: the rules as a person reads them, and what is known about them before they take effect.

mod coverage;
mod diff;
mod force;
mod prove;
mod prover;
mod rules;
mod sign;
mod source;
mod switches;
mod test;

use clap::Subcommand;

use self::coverage::CoverageArgs;
use self::diff::DiffArgs;
use self::force::{ActivateArgs, ReplayArgs, StatusArgs};
use self::prove::ProveArgs;
use self::rules::{RulesArgs, ShowArgs};
use self::sign::{KeyArgs, SignArgs};
use self::switches::SwitchesArgs;
use self::test::TestArgs;
use super::exit::{Exit, Failure};

/// Read, check and change the legal rules.
///
/// A bundle is a folder of rules: one folder a legal regime, one file a rule. Without --bundle the rules of the
/// configuration are meant, else the built-in ones.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem policy rules --regime part2
  tandem policy show P2-02
  tandem policy coverage
  tandem policy test
  tandem policy key counsel --out counsel.key
  tandem policy sign rules/ --key counsel.key --as author --effective-at 2027-01-01T08:00:00Z > author.note
  tandem policy sign rules/ --key privacy.key --as approver --effective-at 2027-01-01T08:00:00Z \\
    --author-note author.note > approver.note
  tandem policy replay rules/
  tandem policy activate rules/ --effective-at 2027-01-01T08:00:00Z --note author.note --note approver.note
  tandem policy prove --property S6
  tandem policy diff built-in built-in:demo-county")]
pub(super) enum PolicyCommand {
    /// List the rules, one a line
    Rules(RulesArgs),
    /// One rule with its summary, source and text
    Show(ShowArgs),
    /// Make the key with which a person signs for rules
    Key(KeyArgs),
    /// Sign for rules and the instant from which they count
    Sign(SignArgs),
    /// The rules in force in a running gateway, those to come and those that were
    Status(StatusArgs),
    /// What other rules would have answered to the questions that a running gateway was asked
    Replay(ReplayArgs),
    /// Schedule rules in a running gateway (role administrator)
    Activate(ActivateArgs),
    /// The table of laws, with the rule or the reason for each row
    Coverage(CoverageArgs),
    /// Put the examples beside the rules to the rules
    Test(TestArgs),
    /// The points that are for counsel to decide
    Switches(SwitchesArgs),
    /// Prove what the rules must never permit
    Prove(ProveArgs),
    /// Show what a new bundle changes and permits that an old one did not
    Diff(DiffArgs),
}

impl PolicyCommand {
    /// Runs the command.
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Rules(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Key(args) => args.run(),
            Self::Sign(args) => args.run(),
            Self::Status(args) => args.run().await,
            Self::Replay(args) => args.run().await,
            Self::Activate(args) => args.run().await,
            Self::Coverage(args) => args.run(),
            Self::Test(args) => args.run(),
            Self::Switches(args) => args.run(),
            Self::Prove(args) => args.run(),
            Self::Diff(args) => args.run(),
        }
    }
}
