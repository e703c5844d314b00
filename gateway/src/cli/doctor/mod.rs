//! `tandem doctor`: is everything there that a gateway with this configuration needs? Looks by itself, whether a
//! gateway runs or not.

mod blobs;
mod certificates;
mod chain;
mod clock;
mod disk;
mod events;
mod examination;
mod folder;
mod key_files;
mod keys;
mod lanes;
mod partner;
mod recalls;
mod rules;
mod store;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::examination::{Examination, Finding};
use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use crate::config::{ConfigError, Loaded};

/// Longest time that a partner is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Examine the gateway's surroundings: store, disk, clock, certificates, and each partner by name, connection,
/// certificate chain, token and description of itself.
///
/// Each check is ok, warning, failed or not-applicable, with what was expected and what to do. It runs beside a gateway
/// and when the gateway is stopped, changes nothing, and asks a partner nothing about anybody.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem doctor --config gateway.toml
  tandem doctor --config gateway.toml --offline --json

Exit codes: 0 all is well, 1 a check failed, 2 wrong usage, 3 the configuration can't be read, 4 no check failed and one warns")]
pub(super) struct DoctorArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Ask no partner
    #[arg(long)]
    offline: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) async fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let examination = examine(args).await?;
    if args.json {
        print_json(&examination.as_json())?;
    } else {
        print(&examination.for_people())?;
    }
    Ok(examination.exit())
}

async fn examine(args: &DoctorArgs) -> Result<Examination, Failure> {
    let mut examination = Examination::default();
    let file = args.config.display();
    let loaded = match Loaded::from_file(&args.config) {
        Err(ConfigError::Unreadable {
            file: unread,
            error,
        }) if unread == args.config => {
            let error = anyhow::Error::new(error).context(format!("reading {file}"));
            return Err(error.into());
        }
        loaded => loaded,
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let found = format!("{file}: {error}");
            let help = "tandem check lists every problem; nothing else can be examined before";
            examination.add(Finding::failed(
                "configuration",
                found,
                "a sound configuration",
                help,
            ));
            return Ok(examination);
        }
    };
    examination.add(Finding::ok("configuration", format!("{file} is sound")));
    let config = &loaded.config;
    let started = clock::started();
    disk::examine(&mut examination, &config.data);
    let last = store::examine(&mut examination, config, started.at()).await;
    certificates::examine(&mut examination, config, started.at());
    for (id, system) in &config.systems {
        if let Some(exchange) = &system.folder {
            folder::examine(&mut examination, id.as_str(), &exchange.path);
        }
        for partner in partner::of(id, system) {
            partner
                .examine(&mut examination, args.offline, started.at())
                .await;
        }
    }
    clock::examine(&mut examination, &started, last);
    Ok(examination)
}
