//! The prover's command line.

use std::process::ExitCode;

use clap::Parser as _;
use tandem_prover::{Cli, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(run(&cli, &mut std::io::stdout()))
}
