//! The commands and their dispatch.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use super::backup::BackupArgs;
use super::check::{self, CheckArgs};
use super::client::{
    AccountingCommand, AuditArgs, BaselineCommand, BreakGlassCommand, ConsentCommand,
    DecisionsArgs, EventCommand, EventsArgs, HoldCommand, InputCommand, InputsArgs, KeysCommand,
    LaneCommand, LanesArgs, LinksArgs, MatchArgs, MeasureArgs, MessageArgs, MessagesArgs,
    OverdueArgs, ReloadArgs, ReplayArgs, RetentionCommand, SimulateArgs, WhyArgs,
};
use super::decide::{self, DecideArgs};
#[cfg(feature = "demo")]
use super::demo::{self, DemoArgs};
use super::doctor::{self, DoctorArgs};
use super::encode::{self, EncodeArgs};
use super::exit::{Exit, Failure};
use super::init::{self, InitArgs};
use super::labels::LabelsCommand;
use super::link::{self, LinkArgs};
use super::log;
use super::migrate::{self, MigrateArgs};
use super::output::tell;
use super::policy::PolicyCommand;
use super::read::{self, ReadArgs};
use super::restore::RestoreArgs;
use super::serve::{self, ServeArgs};
use super::store::StoreCommand;

/// How long the end waits for work that can't be told to end.
const AT_THE_END: Duration = Duration::from_secs(5);

/// Finds the people whom several human-services agencies serve, decides what may be told to whom, and carries
/// referrals and case-plan updates between the systems that the agencies already use.
#[derive(Debug, Parser)]
#[command(
    name = "tandem",
    version,
    propagate_version = true,
    after_help = "\
Exit codes of every command: 0 yes (accepted in any degree, permitted, done), 1 no (rejected, check failed, denied),
2 wrong usage, 3 could not run. TANDEM_LOG says what is logged, for example TANDEM_LOG=tandem=debug."
)]
struct Cli {
    /// Write logs as JSON, one object a line
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    Read(ReadArgs),
    Link(LinkArgs),
    Encode(EncodeArgs),
    Decide(DecideArgs),
    #[command(subcommand)]
    Policy(PolicyCommand),
    #[command(subcommand)]
    Labels(LabelsCommand),
    Check(CheckArgs),
    Doctor(DoctorArgs),
    Init(InitArgs),
    Serve(ServeArgs),
    Reload(ReloadArgs),
    Migrate(MigrateArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    #[command(subcommand)]
    Store(StoreCommand),
    #[command(subcommand)]
    Keys(KeysCommand),
    Links(LinksArgs),
    Match(MatchArgs),
    Lanes(LanesArgs),
    #[command(subcommand)]
    Lane(LaneCommand),
    Messages(MessagesArgs),
    Message(MessageArgs),
    Events(EventsArgs),
    #[command(subcommand)]
    Event(EventCommand),
    Inputs(InputsArgs),
    #[command(subcommand)]
    Input(InputCommand),
    Overdue(OverdueArgs),
    Replay(ReplayArgs),
    #[command(subcommand)]
    Consent(ConsentCommand),
    Decisions(DecisionsArgs),
    Why(WhyArgs),
    Simulate(SimulateArgs),
    Measure(MeasureArgs),
    #[command(subcommand)]
    Baseline(BaselineCommand),
    Audit(AuditArgs),
    #[command(subcommand)]
    Accounting(AccountingCommand),
    #[command(subcommand)]
    BreakGlass(BreakGlassCommand),
    #[command(subcommand)]
    Retention(RetentionCommand),
    #[command(subcommand)]
    Hold(HoldCommand),
}

/// Parses the command line, runs the command and tells how it ended.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let ended = log::start(cli.command.is_server(), cli.log_json).and_then(|()| cli.command.run());
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            tell(&format!("error: {failure}"));
            failure.exit().into()
        }
    }
}

impl Command {
    const fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    fn run(&self) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("starting the runtime")?;
        let answered = runtime.block_on(self.answer());
        // A folder that does not answer any more holds up no end.
        runtime.shutdown_timeout(AT_THE_END);
        answered
    }

    async fn answer(&self) -> Result<Exit, Failure> {
        match self {
            #[cfg(feature = "demo")]
            Self::Demo(args) => Box::pin(demo::run(args)).await,
            Self::Read(args) => read::run(args),
            Self::Link(args) => link::run(args),
            Self::Encode(args) => encode::run(args),
            Self::Decide(args) => decide::run(args),
            Self::Policy(command) => command.run().await,
            Self::Labels(command) => command.run(),
            Self::Check(args) => check::run(args),
            Self::Doctor(args) => Box::pin(doctor::run(args)).await,
            Self::Init(args) => init::run(args),
            Self::Serve(args) => serve::run(args).await,
            Self::Reload(args) => args.run().await,
            Self::Migrate(args) => migrate::run(args).await,
            Self::Backup(args) => Box::pin(args.run()).await,
            Self::Restore(args) => Box::pin(args.run()).await,
            Self::Store(command) => Box::pin(command.run()).await,
            Self::Keys(command) => Box::pin(command.run()).await,
            Self::Links(args) => args.run().await,
            Self::Match(args) => args.run().await,
            Self::Lanes(args) => args.run().await,
            Self::Lane(command) => command.run().await,
            Self::Messages(args) => args.run().await,
            Self::Message(args) => args.run().await,
            Self::Events(args) => args.run().await,
            Self::Event(command) => command.run().await,
            Self::Inputs(args) => args.run().await,
            Self::Input(command) => command.run().await,
            Self::Overdue(args) => args.run().await,
            Self::Replay(args) => args.run().await,
            Self::Consent(command) => command.run().await,
            Self::Decisions(args) => args.run().await,
            Self::Why(args) => args.run().await,
            Self::Simulate(args) => args.run().await,
            Self::Measure(args) => args.run().await,
            Self::Baseline(command) => command.run().await,
            Self::Audit(args) => args.run().await,
            Self::Accounting(command) => command.run().await,
            Self::BreakGlass(command) => command.run().await,
            Self::Retention(command) => command.run().await,
            Self::Hold(command) => command.run().await,
        }
    }
}
