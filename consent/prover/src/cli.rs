//! The command line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tandem_consent::{Bundle, BundleError};

use crate::diff::diff;
use crate::mutant::mutants;
use crate::property::{Property, properties};
use crate::prove::{Against, Wanted, prove};
use crate::report;
use crate::solver::Cvc5;

/// Proves of the legal rules what they must never permit, with the solver cvc5.
///
/// Exit codes: 0 proven, 1 not proven (a property failed, or the solver gave no answer), 2 wrong usage, 3 could not run.
#[derive(Debug, Parser)]
#[command(name = "tandem-prover", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove every property of every rule set
    #[command(after_help = "\
Examples:
  tandem-prover prove --jurisdiction demo-county
  tandem-prover prove --bundle rules-2027 --against rules-2026 --listed P2-22
  tandem-prover prove --property S6 --property S9 --json")]
    Prove(ProveArgs),
    /// Show what a new bundle permits that an old one did not, and the reverse
    #[command(after_help = "\
Examples:
  tandem-prover diff built-in built-in:demo-county
  tandem-prover diff rules-2026 rules-2027 --json")]
    Diff(DiffArgs),
    /// Leave conditions out of rules and see whether a property notices
    Mutants(MutantArgs),
}

#[derive(Debug, Args)]
struct ProveArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// The older bundle for S9: a folder, `built-in` or `built-in:JURISDICTION`. For a county's layer the rules under it
    #[arg(long, value_name = "OLD")]
    against: Option<String>,
    /// A rule that may permit more than the older bundle; may be repeated
    #[arg(long, value_name = "RULE")]
    listed: Vec<String>,
    /// Only this property, such as S6; may be repeated
    #[arg(long, value_name = "ID")]
    property: Vec<String>,
    /// Only the rules of this regime
    #[arg(long, value_name = "REGIME")]
    regime: Option<String>,
    #[command(flatten)]
    solver: SolverArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// The old bundle: a folder, `built-in` or `built-in:JURISDICTION`
    old: String,
    /// The new bundle
    new: String,
    #[command(flatten)]
    solver: SolverArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct MutantArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Only the rules of this regime
    #[arg(long, value_name = "REGIME")]
    regime: Option<String>,
    #[command(flatten)]
    solver: SolverArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct BundleArgs {
    /// Folder of rules, or of a county's layer over the built-in ones; the built-in rules when absent
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// The built-in rules of this jurisdiction
    #[arg(long, value_name = "ID", conflicts_with = "bundle")]
    jurisdiction: Option<String>,
}

#[derive(Debug, Args)]
struct SolverArgs {
    /// Executable of cvc5; else the one that CVC5 names, else the one on PATH
    #[arg(long, value_name = "FILE")]
    solver: Option<PathBuf>,
    /// Seconds that one question may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// Why there is no answer.
enum Failure {
    Usage(String),
    CouldNotRun(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::CouldNotRun(error)
    }
}

/// Runs a command and returns the exit code.
#[must_use]
pub fn run(cli: &Cli, out: &mut dyn std::io::Write) -> u8 {
    let answered = match &cli.command {
        Command::Prove(args) => args.run(),
        Command::Diff(args) => args.run(),
        Command::Mutants(args) => args.run(),
    };
    let (code, message) = match answered {
        Ok((text, holds)) => match writeln!(out, "{text}") {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                (3, Some(format!("writing the answer: {error}")))
            }
            _ => (u8::from(!holds), None),
        },
        Err(Failure::Usage(message)) => (2, Some(message)),
        Err(Failure::CouldNotRun(error)) => (3, Some(format!("{error:#}"))),
    };
    if let Some(message) = message {
        // Nobody is left to tell when standard error is closed.
        let _closed = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("tandem-prover: {message}\n").as_bytes(),
        );
    }
    code
}

/// A printed answer, and whether it is yes.
type Answered = Result<(String, bool), Failure>;

impl ProveArgs {
    fn run(&self) -> Answered {
        let properties = wanted(&self.property)?;
        let bundle = self.bundle.load()?;
        let listed: BTreeSet<String> = self.listed.iter().cloned().collect();
        let against = match &self.against {
            Some(old) => Some(named(old)?),
            None => self.bundle.under(&bundle)?,
        };
        let against = against.map(|bundle| Against { bundle, listed });
        let wanted = Wanted {
            properties,
            regime: known_regime(&bundle, self.regime.as_deref())?,
            against,
        };
        let proof = prove(&bundle, &wanted, &self.solver.find()?);
        let text = if self.json {
            json_text(&report::proof_json(&proof))?
        } else {
            report::proof_text(&proof)
        };
        Ok((text, proof.holds()))
    }
}

impl DiffArgs {
    fn run(&self) -> Answered {
        let (old, new) = (named(&self.old)?, named(&self.new)?);
        let diff = diff(&old, &new, &self.solver.find()?);
        let decided = diff.changes.iter().all(report::is_decided);
        let text = if self.json {
            json_text(&report::diff_json(&diff))?
        } else {
            report::diff_text(&diff)
        };
        Ok((text, decided))
    }
}

impl MutantArgs {
    fn run(&self) -> Answered {
        let bundle = self.bundle.load()?;
        let regime = known_regime(&bundle, self.regime.as_deref())?;
        let mutants = mutants(&bundle, regime.as_deref(), &self.solver.find()?);
        let decided = mutants.iter().all(|one| one.undecided.is_none());
        let text = if self.json {
            json_text(&report::mutants_json(&mutants))?
        } else {
            report::mutants_text(&mutants)
        };
        Ok((text, decided))
    }
}

impl BundleArgs {
    fn load(&self) -> Result<Bundle, Failure> {
        match &self.bundle {
            Some(folder) => load(folder),
            None => built_in(self.jurisdiction.as_deref().unwrap_or("")),
        }
    }

    /// The rules under a county's layer: what the county may narrow and not widen.
    fn under(&self, bundle: &Bundle) -> Result<Option<Bundle>, Failure> {
        let is_whole = |folder: &PathBuf| folder.join("schema.cedarschema").is_file();
        if bundle.jurisdiction().is_none() || self.bundle.as_ref().is_some_and(is_whole) {
            return Ok(None);
        }
        built_in("").map(Some)
    }
}

impl SolverArgs {
    fn find(&self) -> Result<Cvc5, Failure> {
        let limit = Duration::from_secs(self.timeout);
        Ok(Cvc5::find(self.solver.as_deref(), limit).map_err(anyhow::Error::from)?)
    }
}

fn known_regime(bundle: &Bundle, regime: Option<&str>) -> Result<Option<String>, Failure> {
    match regime {
        Some(regime) if !bundle.regimes().any(|known| known == regime) => {
            let known: Vec<_> = bundle.regimes().collect();
            let known = known.join(", ");
            Err(Failure::Usage(format!(
                "no regime {regime}; there are {known}"
            )))
        }
        other => Ok(other.map(str::to_owned)),
    }
}

fn wanted(ids: &[String]) -> Result<Vec<&'static Property>, Failure> {
    let known = || properties().iter();
    if let Some(id) = ids.iter().find(|id| !known().any(|one| one.id == **id)) {
        let all: Vec<_> = known().map(|one| one.id).collect();
        return Err(Failure::Usage(format!(
            "no property {id}; there are {}",
            all.join(", ")
        )));
    }
    let is_wanted = |one: &&Property| ids.is_empty() || ids.iter().any(|id| *id == one.id);
    Ok(known().filter(is_wanted).collect())
}

/// The bundle of a folder, or a built-in one.
fn named(name: &str) -> Result<Bundle, Failure> {
    match name.split_once(':') {
        _ if name == "built-in" => built_in(""),
        Some(("built-in", jurisdiction)) => built_in(jurisdiction),
        _ => load(Path::new(name)),
    }
}

fn built_in(jurisdiction: &str) -> Result<Bundle, Failure> {
    Ok(Bundle::default_for(jurisdiction).context("loading the built-in rules")?)
}

fn load(folder: &Path) -> Result<Bundle, Failure> {
    Bundle::load(folder).map_err(|error| match error {
        BundleError::Unreadable { .. } => Failure::CouldNotRun(error.into()),
        other => Failure::Usage(other.to_string()),
    })
}

fn json_text(value: &serde_json::Value) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value).context("writing the answer as JSON")?)
}
