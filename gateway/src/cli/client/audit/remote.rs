//! What a running gateway gives of its log: as it comes, to a file or to standard output, for others to check.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::super::exit::{Exit, Failure};
use super::super::super::output_file::OutputFile;
use super::super::AnswerArgs;
use super::super::connection::{Call, ConnectionArgs, Gateway};

/// Where an answer goes.
#[derive(Debug, Args)]
struct OutputArgs {
    /// Write it to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl OutputArgs {
    async fn save(&self, call: Call) -> Result<Exit, Failure> {
        let gateway = Gateway::connect(&self.connection)?;
        match &self.output {
            Some(file) => {
                let mut out = OutputFile::create(file)?;
                gateway.save(call, &mut out).await?;
                out.finish()?;
            }
            None => {
                let mut out = io::stdout();
                gateway.save(call, &mut out).await?;
                out.flush().context("writing the answer")?;
            }
        }
        Ok(Exit::Yes)
    }
}

/// What an export shows of the records.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Show {
    /// Kind, action and time of each event alone
    Nothing,
    /// The stored columns as well, sealed ones as they are sealed
    Columns,
    /// What decisions hold in clear as well
    Records,
}

/// Save the whole log for somebody to check elsewhere (role privacy-officer or auditor).
///
/// A checkpoint is signed first, so that it covers everything. `tandem audit verify FILE` and the separate program
/// `tandem-audit-verify FILE` check it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem audit export --show columns --output log.export --token-file auditor.token")]
pub(super) struct ExportArgs {
    /// What to show of the records
    #[arg(long, value_enum, default_value_t = Show::Nothing)]
    show: Show,
    #[command(flatten)]
    output: OutputArgs,
}

impl ExportArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let show = match self.show {
            Show::Nothing => "nothing",
            Show::Columns => "columns",
            Show::Records => "records",
        };
        let call = Call::get(["audit", "export"]).query("show", Some(show));
        self.output.save(call).await
    }
}

/// Prove that one event is in the log, with its record (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem audit proof --decision 0198c2f0-... --output decision.proof --token-file auditor.token
  tandem-audit-verify decision.proof --origin-key county.pub")]
pub(super) struct ProofArgs {
    /// The decision with this id
    #[arg(
        long,
        value_name = "ID",
        group = "event",
        required_unless_present_any = ["entry", "position"]
    )]
    decision: Option<String>,
    /// The audit entry at this position of the list
    #[arg(long, value_name = "NUMBER", group = "event")]
    entry: Option<u64>,
    /// The leaf at this position of the log, from 0
    #[arg(long, value_name = "NUMBER", group = "event")]
    position: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
}

impl ProofArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["audit", "proof"])
            .query("decision", self.decision.as_ref())
            .query("entry", self.entry)
            .query("position", self.position);
        self.output.save(call).await
    }
}

/// Prove that the log only grew between two checkpoints (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem audit consistency 41200 --output growth.proof --token-file auditor.token")]
pub(super) struct ConsistencyArgs {
    /// Size of the older checkpoint
    old: u64,
    /// Size of the newer one; the newest when absent
    new: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
}

impl ConsistencyArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["audit", "consistency"])
            .query("old", Some(self.old))
            .query("new", self.new);
        self.output.save(call).await
    }
}

/// Show the newest signed checkpoint (role privacy-officer or auditor), or sign one now (privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem audit checkpoint --sign --output today.checkpoint --token-file privacy.token")]
pub(super) struct CheckpointArgs {
    /// Sign one now, when anything was added
    #[arg(long)]
    sign: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl CheckpointArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let path = ["audit", "checkpoint"];
        let call = if self.sign {
            Call::post(path, json!({}))
        } else {
            Call::get(path)
        };
        self.output.save(call).await
    }
}

/// Show the public keys of the log (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tandem audit keys --json --token-file auditor.token")]
pub(super) struct KeysArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

impl KeysArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        self.answer.call(Call::get(["audit", "keys"])).await
    }
}

/// Hand in what a witness signed (role privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tandem audit cosign 41200 --witness-key second-agency.pub signed.line --token-file privacy.token")]
pub(super) struct CosignArgs {
    /// Size of the checkpoint
    size: u64,
    /// File with the line that `tandem audit witness` printed
    line: PathBuf,
    /// File with the witness's public key
    #[arg(long, value_name = "FILE")]
    witness_key: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl CosignArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let body = json!({ "witness_key": text(&self.witness_key)?, "line": text(&self.line)? });
        let size = self.size.to_string();
        let call = Call::post(["audit", "checkpoints", &size, "cosignatures"], body);
        self.answer.call(call).await
    }
}

fn text(file: &Path) -> Result<String, Failure> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(text.trim().to_owned())
}
