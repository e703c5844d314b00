//! `tandem accounting`: what was told about a person.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;

/// The disclosures about a person, and requests to leave some out for a time.
#[derive(Debug, Subcommand)]
pub(in super::super) enum AccountingCommand {
    Show(ShowArgs),
    Suspend(SuspendArgs),
}

/// For whom a copy is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Copy {
    /// The person
    Person,
    /// A parent or guardian: a minor's own services are left out
    Parent,
    /// Privacy staff: also what is left out of others' copies
    Staff,
}

impl Copy {
    /// The code.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Parent => "parent",
            Self::Staff => "staff",
        }
    }
}

/// List the disclosures about a person (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem accounting show 0198c2f0-... --copy person --token-file privacy.token")]
pub(in super::super) struct ShowArgs {
    /// The person's id
    person: String,
    /// For whom the copy is
    #[arg(long, value_enum, default_value_t = Copy::Person)]
    copy: Copy,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Who asks for a suspension.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A law-enforcement official
    LawEnforcement,
    /// A health oversight agency
    HealthOversight,
}

/// Leave disclosures to an organisation out of copies for a time, by its written request (role privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem accounting suspend 0198c2f0-... --recipient org-oversight --kind health-oversight \\
    --reference 'file 26-114' --until 2026-09-30T00:00:00-07:00 --token-file privacy.token")]
pub(in super::super) struct SuspendArgs {
    /// The person's id
    person: String,
    /// The organisation to which disclosures were made
    #[arg(long, value_name = "ORGANISATION")]
    recipient: String,
    /// Who asks
    #[arg(long, value_enum)]
    kind: Kind,
    /// Where the written request is kept
    #[arg(long)]
    reference: String,
    /// Until when
    #[arg(long, value_name = "TIME")]
    until: jiff::Timestamp,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl AccountingCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Show(args) => {
                let copy = args.copy.code();
                let call = Call::get(["persons", &args.person, "accounting"]);
                args.answer.call(call.query("copy", Some(copy))).await
            }
            Self::Suspend(args) => {
                let kind = match args.kind {
                    Kind::LawEnforcement => "law_enforcement",
                    Kind::HealthOversight => "health_oversight",
                };
                let body = json!({
                    "recipient": args.recipient,
                    "kind": kind,
                    "reference": args.reference,
                    "until": args.until,
                });
                let path = ["persons", &args.person, "accounting", "suspensions"];
                args.answer.call(Call::post(path, body)).await
            }
        }
    }
}
