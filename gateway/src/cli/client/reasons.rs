//! `tandem decisions`, `why` and `simulate`: what was decided, why, and what would change it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::json_input::read_json;
use super::AnswerArgs;
use super::accounting::Copy;
use super::connection::Call;

/// List recorded decisions, or show one with its reasons (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem decisions --person 0198c2f0-... --token-file privacy.token
  tandem decisions 0198c2f1-...
  tandem decisions 0198c2f1-... --replay
  tandem decisions 0198c2f1-... --opening

Exit codes with --replay: 0 the answer is the same byte for byte, 1 it is not, or can't be made again")]
pub(in super::super) struct DecisionsArgs {
    /// Show this decision with its reasons
    #[arg(conflicts_with_all = ["person", "limit"])]
    id: Option<String>,
    /// Make the decision again with the rules, facts and directives of its time
    #[arg(long, requires = "id")]
    replay: bool,
    /// Find the smallest consent that would open what the decision closed
    #[arg(long, requires = "id", conflicts_with = "replay")]
    opening: bool,
    /// Only decisions about this person
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl DecisionsArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let Some(id) = &self.id else {
            let call = Call::get(["decisions"])
                .query("person", self.person.as_ref())
                .query("limit", self.limit);
            return self.answer.call(call).await;
        };
        if self.replay {
            let call = Call::post(["decisions", id, "replay"], json!({}));
            let answer = self.answer.ask(call).await?;
            self.answer.print(&answer)?;
            return Ok(Exit::of(answer["is_same"] == true));
        }
        let call = if self.opening {
            Call::get(["decisions", id, "opening"])
        } else {
            Call::get(["decisions", id])
        };
        self.answer.call(call).await
    }
}

/// Say why organisations were told of a person or were not (role privacy-officer or auditor).
///
/// Beside each answer stand the label rows and facts that gave its items their category and labels; a copy for the person
/// or a parent has none.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tandem why --person 0198c2f0-... --recipient org-cws\n  tandem why --person 0198c2f0-... --copy parent"
)]
pub(in super::super) struct WhyArgs {
    /// The person's id
    #[arg(long, value_name = "ID")]
    person: String,
    /// Only what would have been told to this organisation
    #[arg(long, value_name = "ORGANIZATION")]
    recipient: Option<String>,
    /// Most decisions looked at
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    /// For whom the answer is: a parent's leaves out services to which a minor may consent alone
    #[arg(long, value_enum, default_value_t = Copy::Staff)]
    copy: Copy,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl WhyArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["why"])
            .query("person", Some(&self.person))
            .query("recipient", self.recipient.as_ref())
            .query("limit", self.limit)
            .query("copy", Some(self.copy.code()));
        let columns = [
            ("last_at", "/last_at"),
            ("times", "/count"),
            ("recipient", "/recipient"),
            ("action", "/action"),
            ("outcome", "/outcome"),
            ("why", "/en"),
            ("labelled by", "/labelled_by"),
            ("decision", "/decision"),
        ];
        self.answer.list(call, "answers", &columns).await
    }
}

/// Say what would change for a person if a consent were signed or taken back; nothing is changed (role privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem simulate --person 0198c2f0-... --add release.json
  tandem simulate --person 0198c2f0-... --revoke d-1 --category MENTAL_HEALTH")]
pub(in super::super) struct SimulateArgs {
    /// The person's id
    #[arg(long, value_name = "ID")]
    person: String,
    /// A consent or refusal that would be signed and verified, as JSON
    #[arg(long, value_name = "FILE", required_unless_present = "revoke")]
    add: Option<PathBuf>,
    /// A consent that would be taken back
    #[arg(long, value_name = "ID")]
    revoke: Option<String>,
    /// A category that would be taken back; once for each; the whole consent when none is named
    #[arg(long = "category", value_name = "CATEGORY", requires = "revoke")]
    categories: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl SimulateArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let mut body = json!({ "person": self.person });
        if let Some(file) = &self.add {
            body["add"] = read_json::<Value>(file)?;
        }
        if let Some(id) = &self.revoke {
            body["revoke"] = json!({ "id": id, "categories": self.categories });
        }
        self.answer.call(Call::post(["simulations"], body)).await
    }
}
