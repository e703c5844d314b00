//! `tandem serve`: runs the gateway.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::exit::{Exit, Failure};
use crate::clock::Clock;
use crate::config::Loaded;

/// Run the gateway until it is asked to stop (Ctrl-C or SIGTERM).
///
/// Checks the configuration first; `tandem check` says more. What is under way when the stop is asked for ends, within
/// bounded time; what is not yet delivered is delivered after the next start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem serve --config county/gateway.toml
  TANDEM_LOG=tandem=debug tandem --log-json serve --config county/gateway.toml

Exit codes: 0 stopped as asked, 2 wrong usage, 3 could not start")]
pub(super) struct ServeArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
}

/// Runs the command.
pub(super) async fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let loaded = Loaded::from_file(&args.config).context("loading the configuration")?;
    crate::serve::run(loaded, Clock::System).await?;
    Ok(Exit::Yes)
}
