//! `tandem consent`: what people have permitted, refused and taken back.

mod attach;
mod check;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::json_input::read_json;
use super::AnswerArgs;
use super::connection::Call;

use self::attach::AttachArgs;
use self::check::CheckArgs;

/// List, capture, attach, verify, move and revoke consents (role privacy-officer); check a form without a gateway.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem consent list
  tandem consent capture directive.json --covers hmis-demo:48211 --covers cws-demo:0123456789
  tandem consent attach d-1 scan.pdf
  tandem consent verify d-1
  tandem consent revoke d-1 --category MENTAL_HEALTH --channel phone
  tandem consent revoke-everywhere hmis-demo:48211 --recipient org-cws --channel oral
  tandem consent move d-1 suspended
  tandem consent inbox --kind expiring
  tandem consent check form.json")]
pub(in super::super) enum ConsentCommand {
    /// List consents, newest first
    List(ListArgs),
    /// Show one consent with its earlier versions
    Show(OneArgs),
    /// Record a consent; it takes effect once somebody else has verified it
    Capture(CaptureArgs),
    /// Hand in the scanned document that was signed
    Attach(AttachArgs),
    /// Verify a consent that somebody else captured
    Verify(OneArgs),
    /// Revoke a consent, wholly or for some categories, recipients or sources
    Revoke(RevokeArgs),
    /// Revoke wherever a person permitted it: every consent that overlaps
    RevokeEverywhere(RevokeEverywhereArgs),
    /// Move a consent: offered, signed_unverified, refused, suspended, active, superseded, entered_in_error
    Move(MoveArgs),
    /// Hold back what somebody signed whose authority has ended
    AuthorityEnded(AuthorityEndedArgs),
    /// Show what waits for a privacy officer, and what to do next
    Inbox(InboxArgs),
    /// Say which laws the form of a directive satisfies, and why not the others; needs no gateway
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct RevokeEverywhereArgs {
    /// A record of the person, by system and the system's own id
    #[arg(value_name = "SYSTEM:ID")]
    record: CoveredRecord,
    #[command(flatten)]
    taken: TakenArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct MoveArgs {
    /// Id of the consent
    id: String,
    /// Where it should stand
    #[arg(value_name = "STATE")]
    to: String,
    /// Why it is held back: came_of_age, authority, death, review
    #[arg(long)]
    because: Option<String>,
    /// The consent that takes its place, for superseded
    #[arg(long, value_name = "ID")]
    successor: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct AuthorityEndedArgs {
    /// A record of the person for whom somebody signed
    #[arg(value_name = "SYSTEM:ID")]
    record: CoveredRecord,
    /// In which capacity was signed: guardian, conservator, agent, court, parent; once for each
    #[arg(long = "capacity", value_name = "CAPACITY", required = true)]
    capacities: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct InboxArgs {
    /// Only this kind: break_glass_review, stuck, needs_counsel, came_of_age, suspended, unverified, expiring
    #[arg(long)]
    kind: Option<String>,
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// What is taken back.
#[derive(Debug, Args)]
pub(in super::super) struct TakenArgs {
    /// A category; once for each; all when none is named
    #[arg(long = "category", value_name = "CATEGORY")]
    categories: Vec<String>,
    /// A recipient who may not be told any more; once for each; all when none is named
    #[arg(long = "recipient", value_name = "ORGANIZATION")]
    recipients: Vec<String>,
    /// A source that may not tell any more; once for each; all when none is named
    #[arg(long = "discloser", value_name = "ORGANIZATION")]
    disclosers: Vec<String>,
    /// How the person told it: oral, in-person, phone, letter, ...
    #[arg(long)]
    channel: String,
}

impl TakenArgs {
    fn body(&self) -> Value {
        json!({ "categories": self.categories, "recipients": self.recipients,
                "disclosers": self.disclosers, "channel": self.channel })
    }
}

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    /// Only those of this person, by the gateway's id
    #[arg(long, value_name = "UUID")]
    person: Option<String>,
    /// Only those that stand so
    #[arg(long)]
    state: Option<String>,
    /// Only those that name this recipient
    #[arg(long, value_name = "ORGANIZATION")]
    recipient: Option<String>,
    /// Only those about this category
    #[arg(long)]
    category: Option<String>,
    /// Only those that end before this instant
    #[arg(long, value_name = "INSTANT")]
    expiring_before: Option<String>,
    /// From here on; `next` of the page before gives it
    #[arg(long)]
    after: Option<String>,
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
    #[command(flatten)]
    taken: TakenArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ConsentCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run().await,
            Self::Show(args) => args.answer.call(Call::get(["consents", &args.id])).await,
            Self::Capture(args) => {
                let directive: Value = read_json(&args.directive)?;
                let body = json!({ "directive": directive, "covers": args.covers });
                args.answer.call(Call::post(["consents"], body)).await
            }
            Self::Attach(args) => args.run().await,
            Self::Verify(args) => {
                args.answer
                    .call(Call::post(["consents", &args.id, "verify"], json!({})))
                    .await
            }
            Self::Revoke(args) => {
                let call = Call::post(["consents", &args.id, "revoke"], args.taken.body());
                args.answer.call(call).await
            }
            Self::RevokeEverywhere(args) => {
                let body = json!({ "record": args.record, "taken": args.taken.body() });
                let call = Call::post(["consents", "revocations"], body);
                args.answer.call(call).await
            }
            Self::Move(args) => {
                let body =
                    json!({ "to": args.to, "because": args.because, "successor": args.successor });
                let call = Call::post(["consents", &args.id, "state"], body);
                args.answer.call(call).await
            }
            Self::AuthorityEnded(args) => {
                let body = json!({ "record": args.record, "capacities": args.capacities });
                let call = Call::post(["consents", "authority-ended"], body);
                args.answer.call(call).await
            }
            Self::Inbox(args) => args.run().await,
            Self::Check(args) => args.run(),
        }
    }
}

impl ListArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["consents"])
            .query("person", self.person.as_ref())
            .query("state", self.state.as_ref())
            .query("recipient", self.recipient.as_ref())
            .query("category", self.category.as_ref())
            .query("expiring_before", self.expiring_before.as_ref())
            .query("after", self.after.as_ref())
            .query("limit", self.limit);
        let columns = [
            ("id", "/id"),
            ("state", "/state"),
            ("effect", "/directive/effect"),
            ("covers", "/covers"),
            ("signed_by", "/directive/signer/capacity"),
            ("valid_from", "/directive/valid_from"),
            ("expiry", "/directive/expiry"),
            ("categories", "/directive/categories"),
        ];
        self.answer.list(call, "consents", &columns).await
    }
}

impl InboxArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["privacy", "inbox"])
            .query("kind", self.kind.as_ref())
            .query("limit", self.limit);
        let columns = [
            ("kind", "/kind"),
            ("consent", "/consent"),
            ("decision", "/decision"),
            ("error", "/error"),
            ("since", "/since"),
            ("due", "/due"),
            ("next", "/next"),
        ];
        self.answer.list(call, "entries", &columns).await
    }
}
