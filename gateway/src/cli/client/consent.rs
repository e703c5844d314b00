//! `tandem consent`: what people have permitted, refused and taken back.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::json_input::read_json;
use super::AnswerArgs;
use super::connection::Call;

/// List, capture, verify and revoke consents (role privacy-officer; capture also role system).
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem consent list --person 0198c2f0-...
  tandem consent capture directive.json
  tandem consent verify d-1
  tandem consent revoke d-1 --category MENTAL_HEALTH --channel phone")]
pub(in super::super) enum ConsentCommand {
    /// List consents
    List(ListArgs),
    /// Record a consent; it takes effect once somebody else has verified it
    Capture(CaptureArgs),
    /// Verify a consent that somebody else captured
    Verify(VerifyArgs),
    /// Revoke a consent, wholly or for some categories
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    /// Only consents of this person
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct CaptureArgs {
    /// The directive as JSON: the gateway's own form or a FHIR R4 Consent
    directive: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct VerifyArgs {
    /// Id of the consent
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct RevokeArgs {
    /// Id of the consent
    id: String,
    /// A category to revoke; once for each; the whole consent when none is named
    #[arg(long = "category", value_name = "CATEGORY")]
    categories: Vec<String>,
    /// How the person told it: in-person, phone, letter, ...
    #[arg(long)]
    channel: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ConsentCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => {
                let person = args.person.as_ref();
                args.answer
                    .call(Call::get(["consents"]).query("person", person))
                    .await
            }
            Self::Capture(args) => {
                let directive: Value = read_json(&args.directive)?;
                args.answer.call(Call::post(["consents"], directive)).await
            }
            Self::Verify(args) => {
                args.answer
                    .call(Call::post(["consents", &args.id, "verify"], json!({})))
                    .await
            }
            Self::Revoke(args) => {
                let body = json!({ "categories": args.categories, "channel": args.channel });
                args.answer
                    .call(Call::post(["consents", &args.id, "revoke"], body))
                    .await
            }
        }
    }
}
