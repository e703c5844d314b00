//! `tandem check`: is this configuration sound? Reads and compiles everything, changes nothing.

mod certificate;
mod fit;
mod problem;
mod tables;

use std::path::{Path, PathBuf};

use clap::Args;
use tandem_matching::Settings;

use self::problem::{Findings, Level};
use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use crate::adapters::Adapters;
use crate::config::{Config, ConfigError, Loaded};
use crate::serve;

/// Check a configuration and everything that it names, without side effects.
///
/// Reads the registry, the tokens, the rules with the county's layer, the matching settings, the tables and the gateway's
/// certificate; compiles the rules, runs the example pairs of every table, and checks that the parts fit. Lists every
/// problem with its file and entry. Nothing is written, and no partner is called.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem check --config gateway.toml
  tandem check --config gateway.toml --deny-warnings --json

Exit codes: 0 sound, 1 problems were found, 2 wrong usage, 3 the file can't be read")]
pub(super) struct CheckArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Take warnings as errors
    #[arg(long)]
    deny_warnings: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let findings = examine(&args.config)?;
    let is_sound = findings.is_sound(args.deny_warnings);
    if args.json {
        print_json(&findings.as_json(is_sound))?;
    } else {
        print(&findings.for_people(&args.config))?;
    }
    Ok(Exit::of(is_sound))
}

/// Everything that is wrong or doubtful.
fn examine(file: &Path) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let loaded = match Loaded::from_file(file) {
        Ok(loaded) => Some(loaded),
        Err(ConfigError::Unreadable {
            file: unread,
            error,
        }) if unread == file => {
            let error = anyhow::Error::new(error).context(format!("reading {}", file.display()));
            return Err(error.into());
        }
        Err(error) => {
            refused(file, &error, &mut findings);
            None
        }
    };
    // With a problem in one part the others are still worth checking.
    let config = loaded
        .as_ref()
        .map_or_else(|| parse_alone(file), |loaded| Some(loaded.config.clone()));
    if let Some(config) = &config {
        rules(config, file, &mut findings);
        matching(config, &mut findings);
        if let Err(error) = Adapters::new(config) {
            findings.add(Level::Error, file, "", error);
        }
    }
    if let Some(loaded) = &loaded {
        fit::check(loaded, file, &mut findings);
        certificate::check(&loaded.config, file, &mut findings);
    }
    tables::check(&mut findings);
    Ok(findings)
}

/// One finding for each line of an error that lists several problems.
fn refused(file: &Path, error: &ConfigError, findings: &mut Findings) {
    match error {
        ConfigError::Problems(problems) => {
            for problem in problems {
                let (entry, reason) = problem.split_once(": ").unwrap_or(("", problem));
                findings.add(Level::Error, file, entry, reason);
            }
        }
        ConfigError::Malformed {
            file: named,
            problem,
        } if named.is_dir() => {
            for line in problem.lines() {
                findings.add(Level::Error, named, "", line);
            }
        }
        ConfigError::Malformed {
            file: named,
            problem,
        } => {
            findings.add(Level::Error, named, "", problem.trim_end());
        }
        other => findings.add(Level::Error, file, "", other),
    }
}

/// The configuration by itself, with the paths resolved that the checks need.
fn parse_alone(file: &Path) -> Option<Config> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut config: Config = toml::from_str(&text).ok()?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let optional = [
        &mut config.rules,
        &mut config.overrides,
        &mut config.matching,
    ];
    for path in optional.into_iter().flatten() {
        *path = folder.join(&*path);
    }
    for system in config.systems.values_mut() {
        for path in system
            .fhir
            .iter_mut()
            .flat_map(|fhir| fhir.tables.paths_mut())
        {
            *path = folder.join(&*path);
        }
        for layout in &mut system.calworks.caseload.layouts {
            *layout = folder.join(&*layout).to_string_lossy().into_owned();
        }
    }
    Some(config)
}

fn rules(config: &Config, file: &Path, findings: &mut Findings) {
    let place = config
        .rules
        .as_deref()
        .or(config.overrides.as_deref())
        .unwrap_or(file);
    match serve::bundle(config) {
        Err(error) => findings.add(Level::Error, place, "", format!("{error:#}")),
        Ok(bundle) => {
            if let Some(other) = bundle
                .jurisdiction()
                .filter(|own| *own != config.jurisdiction.as_str())
            {
                let reason = format!(
                    "the county layer is for {other}, the configuration for {}",
                    config.jurisdiction
                );
                findings.add(Level::Error, place, "jurisdiction", reason);
            }
            findings.count("rules", bundle.rules().count());
            findings.count("regimes", bundle.regimes().count());
        }
    }
}

fn matching(config: &Config, findings: &mut Findings) {
    let Some(path) = &config.matching else { return };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let settings = text.and_then(|text| Settings::parse(&text).map_err(|error| error.to_string()));
    if let Err(reason) = settings {
        findings.add(Level::Error, path, "", reason.trim_end());
    }
}
