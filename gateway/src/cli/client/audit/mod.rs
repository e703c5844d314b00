//! `tandem audit`: the log of who did what when, and the proof that nobody altered it.

mod remote;
mod verify;
mod witness;

use clap::{Args, Subcommand};

use self::remote::{CheckpointArgs, ConsistencyArgs, CosignArgs, ExportArgs, KeysArgs, ProofArgs};
use self::verify::VerifyArgs;
use self::witness::WitnessArgs;
use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;

/// Read the audit log, prove what stands in it, and check that nobody altered it.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tandem audit list --action link.confirm --token-file auditor.token
  tandem audit verify --config county/gateway.toml
  tandem audit export --output log.export --token-file auditor.token
  tandem audit verify log.export --witness-key second-agency.pub

Without a command it lists, as `tandem audit list` does."
)]
pub(in super::super) struct AuditArgs {
    #[command(subcommand)]
    command: Option<AuditCommand>,
    #[command(flatten)]
    list: Listing,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    List(ListArgs),
    Verify(VerifyArgs),
    Export(ExportArgs),
    Proof(ProofArgs),
    Consistency(ConsistencyArgs),
    Checkpoint(CheckpointArgs),
    Keys(KeysArgs),
    Witness(WitnessArgs),
    Cosign(CosignArgs),
}

/// List who did what when, newest first (role privacy-officer or auditor).
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tandem audit list --action link.confirm --token-file auditor.token"
)]
struct ListArgs {
    #[command(flatten)]
    list: Listing,
}

/// What is listed.
#[derive(Debug, Args)]
struct Listing {
    /// Only entries of this action
    #[arg(long)]
    action: Option<String>,
    /// Most entries
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl Listing {
    async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::get(["audit"])
            .query("action", self.action.as_ref())
            .query("limit", self.limit);
        self.answer.call(call).await
    }
}

impl AuditArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        match &self.command {
            None => self.list.run().await,
            Some(AuditCommand::List(args)) => args.list.run().await,
            Some(AuditCommand::Verify(args)) => args.run().await,
            Some(AuditCommand::Export(args)) => args.run().await,
            Some(AuditCommand::Proof(args)) => args.run().await,
            Some(AuditCommand::Consistency(args)) => args.run().await,
            Some(AuditCommand::Checkpoint(args)) => args.run().await,
            Some(AuditCommand::Keys(args)) => args.run().await,
            Some(AuditCommand::Witness(args)) => args.run(),
            Some(AuditCommand::Cosign(args)) => args.run().await,
        }
    }
}
