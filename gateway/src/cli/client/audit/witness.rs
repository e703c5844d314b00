//! `tandem audit witness`: a second party signs that the log only grew. It needs nothing of the gateway but its public
//! key, a checkpoint, and later the proof that the next one continues it.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use tandem_audit::{KeyKind, Witness, WitnessError, WitnessState};

use super::super::super::exit::{Exit, Failure};
use super::super::super::output::{print, tell};
use super::verify::key;
use crate::audit::{create_key, read_key, read_witness_state, write_witness_state};
use crate::clock::Clock;

/// Sign a checkpoint as a witness, after checking that the log only grew since the last one signed.
///
/// The first checkpoint is taken as it is, with --origin-key. For each later one give the proof that `tandem audit
/// consistency` made from the size of the last. What was signed last is kept beside the key, in KEY.last, and is durable
/// before the signature is printed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem audit witness --key agency.key --new second-agency.example --origin-key county.pub first.checkpoint
  tandem audit witness --key agency.key growth.proof > signed.line

Exit codes: 0 signed, 1 refused: the log shrank, forked, or growth is not proven; 2 wrong usage, 3 a file can't be used")]
pub(super) struct WitnessArgs {
    /// A checkpoint, or a consistency proof that leads to it
    checkpoint: PathBuf,
    /// File of the witness's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Make the key, under this name; its public part goes to KEY.pub
    #[arg(long, value_name = "NAME")]
    new: Option<String>,
    /// Public key of the log, or a file that holds it; needed the first time
    #[arg(long, value_name = "KEY")]
    origin_key: Option<String>,
}

impl WitnessArgs {
    /// Runs the command.
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let file = &self.checkpoint;
        let text =
            fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let state = self.state()?;
        let signer = match &self.new {
            Some(name) => create_key(&self.key, name, KeyKind::Witness),
            None => read_key(&self.key),
        };
        let signer = signer.context("the witness's key")?;
        if self.new.is_some() {
            let public = self.beside("pub");
            fs::write(&public, format!("{}\n", signer.public()))
                .with_context(|| format!("writing {}", public.display()))?;
            tell(&format!(
                "made {} and {}",
                self.key.display(),
                public.display()
            ));
        }
        let mut witness = Witness::new(signer, &state).map_err(|error| refused(&error))?;
        let now = u64::try_from(Clock::System.now().as_second()).unwrap_or_default();
        let line = witness
            .cosign(&text, now)
            .map_err(|error| refused(&error))?;
        write_witness_state(&self.beside("last"), &witness.state())
            .context("remembering what was signed")?;
        print(&line.to_string())?;
        Ok(Exit::Yes)
    }

    fn state(&self) -> Result<WitnessState, Failure> {
        let given = self.origin_key.as_deref().map(key).transpose()?;
        let file = self.beside("last");
        if file.exists() {
            let state = read_witness_state(&file).context("what was signed last")?;
            return match given {
                Some(key) if key.to_string() != state.origin_key => Err(Failure::Refused(
                    "the log's key is not the one of the checkpoint signed last".to_owned(),
                )),
                _ => Ok(state),
            };
        }
        let origin = given.ok_or_else(|| {
            Failure::Usage("the first time, --origin-key says whose log it is".to_owned())
        })?;
        Ok(WitnessState {
            origin_key: origin.to_string(),
            last: None,
        })
    }

    /// A file beside the key: its name with this ending added.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.key.clone().into_os_string();
        name.push(format!(".{ending}"));
        name.into()
    }
}

fn refused(error: &WitnessError) -> Failure {
    match error {
        WitnessError::Key => Failure::Usage(error.to_string()),
        _ => Failure::Refused(error.to_string()),
    }
}
