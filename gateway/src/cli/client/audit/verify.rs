//! `tandem audit verify`: reads the store of a gateway, or a file, and asks nobody.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tandem_audit::{Note, Trust, Verifier, VerifierKey, check_document};

use super::super::super::exit::{Exit, Failure};
use super::super::super::output::{print, print_json};
use crate::audit::Check;
use crate::config::Loaded;

/// Check that nobody altered the log: in the store of a gateway, with every record, or in an export or a proof.
///
/// It reads the data folder by itself, also while the gateway serves: whose log it is, is not asked. An altered, deleted
/// or inserted audit row, decision or checkpoint is named by its place.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem audit verify --config county/gateway.toml
  tandem audit verify log.export --witness-key second-agency.pub --checkpoint last-month.checkpoint
  tandem audit verify decision.proof --origin-key county.pub

Exit codes: 0 sound, 1 not sound, 2 wrong usage, 3 could not be read")]
pub(super) struct VerifyArgs {
    /// An export or a proof; the store of the configuration when absent
    file: Option<PathBuf>,
    /// Configuration whose store is checked
    #[arg(
        long,
        value_name = "FILE",
        default_value = "gateway.toml",
        conflicts_with = "file"
    )]
    config: PathBuf,
    /// Public key of the log, or a file that holds it
    #[arg(long, value_name = "KEY")]
    origin_key: Option<String>,
    /// Public key of a witness that must have signed, or a file that holds it; may be given more than once
    #[arg(long, value_name = "KEY")]
    witness_key: Vec<String>,
    /// A checkpoint kept from before, which the log must contain; may be given more than once
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

impl VerifyArgs {
    /// Runs the command.
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let trust = self.trust()?;
        let report = match &self.file {
            None => self.check_store(trust).await?,
            Some(file) => {
                let reading = || format!("reading {}", file.display());
                if !is_export(file).with_context(reading)? {
                    return self.check_proof(file, trust.origin.as_ref());
                }
                let input = BufReader::new(File::open(file).with_context(reading)?);
                Verifier::export(input, trust)
            }
        };
        if self.json {
            print_json(&report)?;
        } else {
            print(&report.to_string())?;
        }
        Ok(Exit::of(report.is_sound()))
    }

    async fn check_store(&self, trust: Trust) -> Result<tandem_audit::Report, Failure> {
        let loaded = Loaded::from_file(&self.config).context("loading the configuration")?;
        let check = Check { trust };
        Ok(check
            .configured(&loaded.config)
            .await
            .context("reading the audit log")?)
    }

    fn check_proof(&self, file: &Path, key: Option<&VerifierKey>) -> Result<Exit, Failure> {
        let text =
            fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let found = check_document(&text, key);
        let is_sound = found.is_ok();
        let text = found.unwrap_or_else(|error| error.to_string());
        if self.json {
            print_json(&serde_json::json!({ "is_sound": is_sound, "text": text }))?;
        } else {
            print(&text)?;
        }
        Ok(Exit::of(is_sound))
    }

    fn trust(&self) -> Result<Trust, Failure> {
        let known = self.checkpoint.iter().map(|file| {
            let text =
                fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            Note::parse(&text)
                .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
        });
        Ok(Trust {
            origin: self.origin_key.as_deref().map(key).transpose()?,
            witnesses: self
                .witness_key
                .iter()
                .map(|text| key(text))
                .collect::<Result<_, _>>()?,
            known: known.collect::<Result<_, Failure>>()?,
            ..Trust::default()
        })
    }
}

/// A key as it is given: itself, or a file that holds it.
pub(super) fn key(given: &str) -> Result<VerifierKey, Failure> {
    let file = Path::new(given);
    let text = if file.is_file() {
        fs::read_to_string(file).with_context(|| format!("reading {given}"))?
    } else {
        given.to_owned()
    };
    VerifierKey::parse(text.trim())
        .map_err(|error| Failure::Usage(format!("key `{given}`: {error}")))
}

fn is_export(file: &Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let mut start = Vec::new();
    File::open(file)?.take(64).read_to_end(&mut start)?;
    Ok(start.starts_with(b"{\"tandem-audit-export/"))
}
