//! `tandem break-glass`: emergencies, from enrolling who may declare one to the review of each.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;
use crate::state::break_glass::{Outcome, Reason};

/// Most bytes read of a file or of standard input.
const MOST: u64 = 1 << 20;

/// Break the glass in an emergency, and review who did.
#[derive(Debug, Subcommand)]
pub(in super::super) enum BreakGlassCommand {
    Open(OpenArgs),
    Read(ReadArgs),
    List(ListArgs),
    Show(ShowArgs),
    Review(ReviewArgs),
    Disclosed(DisclosedArgs),
    Documented(DocumentedArgs),
    Enrol(EnrolArgs),
    Withdraw(WithdrawArgs),
}

/// See for minutes what the rules open for an emergency (role system). The one-time code is read from standard input.
#[derive(Debug, Args)]
#[command(after_help = "\
The reason in words stands in a file, so that it is in no list of processes and no history of a shell.

Examples:
  tandem break-glass open --user worker-17 --own mrn-204 --purpose ETREAT --reason overdose \\
    --text-file reason.txt --token-file clinic.token < code.txt
  tandem break-glass open --user worker-17 --person-file person.json --purpose BTG --reason medical_emergency \\
    --text-file reason.txt --token-file clinic.token")]
pub(in super::super) struct OpenArgs {
    /// The person who asks, as enrolled
    #[arg(long)]
    user: String,
    /// The person asked about, by the asking system's own id
    #[arg(long, value_name = "ID", required_unless_present = "person_file")]
    own: Option<String>,
    /// JSON file of what is known of the person: names, birth, ssn, identifiers
    #[arg(long, value_name = "FILE", conflicts_with = "own")]
    person_file: Option<PathBuf>,
    /// BTG, ETREAT or THREAT
    #[arg(long)]
    purpose: String,
    /// Why
    #[arg(long, value_enum)]
    reason: Reason,
    /// File of the reason in words, 10 to 2000 characters
    #[arg(long, value_name = "FILE")]
    text_file: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Read once more what was opened, until its end (role system). Its key is read from standard input.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem break-glass read 0198c2f0-... --token-file clinic.token < grant.key")]
pub(in super::super) struct ReadArgs {
    /// The grant's id
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Where a review stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Standing {
    /// Not reviewed yet
    Waiting,
    /// Not reviewed, and due
    Overdue,
    /// It was an emergency
    Justified,
    /// It was none: the list for breach review
    NotJustified,
    /// Nothing was opened
    Denied,
}

/// List emergencies (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem break-glass list --standing overdue --token-file privacy.token
  tandem break-glass list --standing not_justified --json --token-file privacy.token")]
pub(in super::super) struct ListArgs {
    /// Where their review stands
    #[arg(long, value_enum, default_value_t = Standing::Waiting)]
    standing: Standing,
    /// Most entries
    #[arg(long)]
    limit: Option<u16>,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Show an emergency with its reason in words (role privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem break-glass show 0198c2f0-... --token-file privacy.token")]
pub(in super::super) struct ShowArgs {
    /// The emergency's id
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Record what the review of an emergency found (role privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem break-glass review 0198c2f0-... --outcome justified --note 'chart seen, overdose confirmed' \\
    --token-file privacy.token")]
pub(in super::super) struct ReviewArgs {
    /// The emergency's id
    id: String,
    /// What it found
    #[arg(long, value_enum)]
    outcome: Outcome,
    /// In words, without anything of the person
    #[arg(long)]
    note: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// List what was opened of the asking system's Part 2 records, to be documented there (role system).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem break-glass disclosed --token-file bh.token")]
pub(in super::super) struct DisclosedArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Tell that an emergency was documented in the patient's record (role system).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem break-glass documented 0198c2f0-... --token-file bh.token")]
pub(in super::super) struct DocumentedArgs {
    /// The emergency's id
    id: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Enrol a person at an agency with a fresh second factor (role administrator).
#[derive(Debug, Args)]
#[command(after_help = "\
The secret is printed once. Hand it to the person alone, over a safe way.

Example:
  tandem break-glass enrol clinic-demo worker-17 --name 'Demo Nurse, Demofield Community Clinic' --role clinician \\
    --token-file administrator.token")]
pub(in super::super) struct EnrolArgs {
    /// The system through which the person asks
    system: String,
    /// The person as that system knows him or her
    user: String,
    /// Name and affiliation
    #[arg(long)]
    name: String,
    /// The role, as the configuration names it
    #[arg(long)]
    role: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Withdraw a person's second factor (role administrator).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem break-glass withdraw clinic-demo worker-17 --token-file administrator.token")]
pub(in super::super) struct WithdrawArgs {
    /// The system
    system: String,
    /// The person as that system knows him or her
    user: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl BreakGlassCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Open(args) => args.run().await,
            Self::Read(args) => {
                let body = json!({ "key": *from_stdin("the key")? });
                let call = Call::post(["break-glass", &args.id, "read"], body);
                args.answer.call(call).await
            }
            Self::List(args) => args.run().await,
            Self::Show(args) => args.answer.call(Call::get(["break-glass", &args.id])).await,
            Self::Review(args) => {
                let body = json!({ "outcome": code(&args.outcome), "note": args.note });
                let call = Call::post(["break-glass", &args.id, "review"], body);
                args.answer.call(call).await
            }
            Self::Disclosed(args) => {
                let call = Call::get(["break-glass", "disclosed"]);
                args.answer.call(call).await
            }
            Self::Documented(args) => {
                let call = Call::post(["break-glass", &args.id, "documented"], json!({}));
                args.answer.call(call).await
            }
            Self::Enrol(args) => {
                let body = json!({
                    "system": args.system, "user": args.user, "name": args.name, "role": args.role,
                });
                let call = Call::post(["break-glass", "users"], body);
                args.answer.call(call).await
            }
            Self::Withdraw(args) => {
                let body = json!({ "system": args.system, "user": args.user });
                let call = Call::post(["break-glass", "users", "withdraw"], body);
                args.answer.call(call).await
            }
        }
    }
}

impl OpenArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let mut body = json!({
            "user": self.user,
            "code": *from_stdin("the one-time code")?,
            "purpose": self.purpose,
            "reason": self.reason.code(),
            "text": read(&self.text_file)?.trim(),
        });
        if let Some(own) = &self.own {
            body["own"] = json!(own);
        }
        if let Some(file) = &self.person_file {
            let person: Value = serde_json::from_str(&read(file)?)
                .with_context(|| format!("{}: expected JSON", file.display()))?;
            body["person"] = person;
        }
        self.answer.call(Call::post(["break-glass"], body)).await
    }
}

impl ListArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let standing = code(&self.standing);
        let call = Call::get(["break-glass"])
            .query("standing", Some(standing))
            .query("limit", self.limit);
        let columns = [
            ("id", "/id"),
            ("at", "/at"),
            ("system", "/system"),
            ("user", "/user"),
            ("purpose", "/purpose"),
            ("reason", "/reason"),
            ("standing", "/standing"),
            ("due", "/review_due"),
            ("overdue", "/is_overdue"),
        ];
        self.answer.list(call, "emergencies", &columns).await
    }
}

/// The name of a choice, which is its code.
fn code(choice: &impl ValueEnum) -> String {
    let name = choice.to_possible_value();
    name.map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn read(file: &std::path::Path) -> Result<String, Failure> {
    let reading = || format!("reading {}", file.display());
    let mut text = String::new();
    std::fs::File::open(file)
        .with_context(reading)?
        .take(MOST)
        .read_to_string(&mut text)
        .with_context(reading)?;
    Ok(text)
}

fn from_stdin(what: &str) -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin()
        .read_line(&mut line)
        .with_context(|| format!("reading {what} from standard input"))?;
    let line = Zeroizing::new(line.trim().to_owned());
    if line.is_empty() {
        return Err(Failure::Usage(format!(
            "{what}: expected on standard input"
        )));
    }
    Ok(line)
}
