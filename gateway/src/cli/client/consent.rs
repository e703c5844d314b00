//! `tandem consent`: what people have permitted, refused and taken back.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::json_input::read_json;
use super::AnswerArgs;
use super::connection::Call;

/// List, capture, verify and revoke consents (role privacy-officer).
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem consent list
  tandem consent capture directive.json --covers hmis-demo:48211 --covers cws-demo:0123456789
  tandem consent verify d-1
  tandem consent revoke d-1 --category MENTAL_HEALTH --channel phone")]
pub(in super::super) enum ConsentCommand {
    /// List consents, newest first
    List(ListArgs),
    /// Show one consent with its earlier versions
    Show(OneArgs),
    /// Record a consent; it takes effect once somebody else has verified it
    Capture(CaptureArgs),
    /// Verify a consent that somebody else captured
    Verify(OneArgs),
    /// Revoke a consent, wholly or for some categories
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct CaptureArgs {
    /// The directive as JSON
    directive: PathBuf,
    /// A record of a person whom it covers, by system and the system's own id; once for each
    #[arg(long, value_name = "SYSTEM:ID", required = true)]
    covers: Vec<CoveredRecord>,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// `SYSTEM:ID`; the id may hold colons.
#[derive(Debug, Clone, Serialize)]
struct CoveredRecord {
    system: String,
    person: String,
}

impl FromStr for CoveredRecord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((system, person)) if !system.is_empty() && !person.is_empty() => Ok(Self {
                system: system.to_owned(),
                person: person.to_owned(),
            }),
            _ => Err("expected SYSTEM:ID".to_owned()),
        }
    }
}

#[derive(Debug, Args)]
pub(in super::super) struct OneArgs {
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
                args.answer
                    .list(
                        Call::get(["consents"]).query("limit", args.limit),
                        "consents",
                        &[
                            ("id", "/id"),
                            ("state", "/state"),
                            ("effect", "/directive/effect"),
                            ("covers", "/covers"),
                            ("signed_by", "/directive/signer/capacity"),
                            ("valid_from", "/directive/valid_from"),
                            ("expiry", "/directive/expiry"),
                            ("categories", "/directive/categories"),
                        ],
                    )
                    .await
            }
            Self::Show(args) => args.answer.call(Call::get(["consents", &args.id])).await,
            Self::Capture(args) => {
                let directive: Value = read_json(&args.directive)?;
                let body = json!({ "directive": directive, "covers": args.covers });
                args.answer.call(Call::post(["consents"], body)).await
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
