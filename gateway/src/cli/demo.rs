//! `tandem demo`: one family's journey through four systems.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use crate::demo::{self, Options};

/// Play one family's journey through four agency systems, with synthetic people.
///
/// Starts a gateway on a fresh store and simulators of the four systems, which speak only files and HTTP. Plays nine
/// steps and checks each in what the simulated systems received. Ends with 9/9 when every step came true.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem demo
  tandem demo --stay
  tandem demo --without-consent
  tandem demo --postgres 'postgres:///tandem_demo?host=/run/postgresql'

Exit codes: 0 every step came true, 1 a step did not, 2 wrong usage, 3 could not start")]
pub(super) struct DemoArgs {
    /// Leave the gateway running at the end, and say what to try next
    #[arg(long)]
    stay: bool,
    /// Play without the family's consent: nothing that depends on it may reach anybody
    #[arg(long)]
    without_consent: bool,
    /// Keep the deployment in this folder; a temporary one, removed at the end, when absent
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Keep the rows in this empty database of PostgreSQL, such as postgres:///tandem?host=/run/postgresql
    #[arg(long, value_name = "ADDRESS")]
    postgres: Option<url::Url>,
    /// Send the gateway's traces to this OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318
    #[arg(long, value_name = "URL")]
    otlp: Option<url::Url>,
}

/// Runs the command.
pub(super) async fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let options = Options {
        stay: args.stay,
        without_consent: args.without_consent,
        folder: args.folder.clone(),
        postgres: args.postgres.clone(),
        otlp: args.otlp.clone(),
    };
    // The story is one large future: it lives on the heap.
    Ok(Exit::of(Box::pin(demo::run(options)).await?))
}
