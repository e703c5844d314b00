//! `tandem hold`: legal holds.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::output::tell;
use super::AnswerArgs;
use super::connection::Call;

/// Keep what a court, a counsel or an agency wants kept from being disposed of, and release it again.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tandem hold place --record cws-demo 48211 --reason 'preservation letter 2026-14' --token-file privacy.token
  tandem hold place --case 0198c2f0-... --reason 'preservation letter 2026-15'
  tandem hold place --organization org-hmis --reason 'federal audit'
  tandem hold list --json
  tandem hold release 0198c2f0-... --reason 'case closed'

A hold on a record keeps everything about the person, by every record that is the person. It permits no disclosure: what is
held stays as sealed and as unreachable as it was.")]
pub(in super::super) enum HoldCommand {
    /// Place a hold (role privacy-officer)
    Place(PlaceArgs),
    /// List the holds that stand, or those that were released
    List(ListArgs),
    /// Release a hold: what it kept goes when its term is over (role privacy-officer)
    Release(ReleaseArgs),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("scope").required(true).args(["record", "case", "organization"])))]
pub(in super::super) struct PlaceArgs {
    /// A record of the person: its system, and the person's id there
    #[arg(long, num_args = 2, value_names = ["SYSTEM", "ID"])]
    record: Option<Vec<String>>,
    /// A case: the id of a referral or of co-management, or the case key that tandem message shows
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// Everything of an organisation of the registry
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
    /// Why, in a few words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    /// Which holds
    #[arg(long, value_enum, default_value = "placed")]
    standing: Standing,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Standing {
    /// Those that stand
    Placed,
    /// Those that have ended
    Released,
}

#[derive(Debug, Args)]
pub(in super::super) struct ReleaseArgs {
    /// Id of the hold
    id: String,
    /// Why, in a few words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl HoldCommand {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Place(args) => args.run().await,
            Self::List(args) => {
                let standing = match args.standing {
                    Standing::Placed => "placed",
                    Standing::Released => "released",
                };
                let call = Call::get(["holds"]).query("standing", Some(standing));
                args.answer.call(call).await
            }
            Self::Release(args) => {
                let call = Call::post(
                    ["holds", &args.id, "release"],
                    json!({ "reason": args.reason }),
                );
                args.answer.call(call).await
            }
        }
    }
}

impl PlaceArgs {
    async fn run(&self) -> Result<Exit, Failure> {
        let placed = self.answer.ask(Call::post(["holds"], self.body())).await?;
        self.answer.print(&placed)?;
        if placed.get("is_known") == Some(&Value::Bool(false)) {
            let scope = placed.get("scope").and_then(Value::as_str);
            let scope = scope.unwrap_or("thing");
            tell(&format!(
                "the hold is placed, but the gateway knows no such {scope}: see whether it is written right; a hold that is \
                 wrong is released with tandem hold release"
            ));
        }
        Ok(Exit::Yes)
    }

    fn body(&self) -> Value {
        let mut body = json!({ "reason": self.reason });
        if let Some([system, person]) = self.record.as_deref() {
            body["record"] = json!({ "system": system, "person": person });
        }
        if let Some(case) = &self.case {
            body["case"] = json!(case);
        }
        if let Some(organization) = &self.organization {
            body["organization"] = json!(organization);
        }
        body
    }
}
