//! `tandem policy key` and `tandem policy sign`: a person signs for rules.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use tandem_audit::{KeyKind, Note, Signer};
use zeroize::Zeroizing;

use super::super::exit::{Exit, Failure};
use super::super::json_input::{read_text, usage};
use super::super::key_file;
use super::super::output::{print, print_json, tell};
use super::source;
use crate::policy::{Approval, SignedAs};

#[derive(Debug, Args)]
pub(in super::super) struct KeyArgs {
    /// Name of the person who will sign with it
    name: String,
    /// New file for the private key; only its owner can read it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(in super::super) struct SignArgs {
    /// Folder of rules, or of a county's layer over the built-in ones
    bundle: PathBuf,
    /// The signer's private key, made by `tandem policy key`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// As what: author or approver
    #[arg(long = "as", value_name = "ROLE")]
    signed_as: SignedAs,
    /// From when the rules are to count, the same for author and approver
    #[arg(long, value_name = "INSTANT")]
    effective_at: Timestamp,
    /// The author's note, which an approver must have before him
    #[arg(long, value_name = "FILE", required_if_eq("signed_as", "approver"))]
    author_note: Option<PathBuf>,
    /// Print the note as JSON
    #[arg(long)]
    json: bool,
}

impl KeyArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        crate::seal::fill_random(seed.as_mut()).context("making a key")?;
        let key = Signer::new(&self.name, KeyKind::Log, &seed)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        key_file::write_new(&self.out, key.to_text().as_bytes())?;
        tell("the public key, for the county's signers file:");
        print(&key.public().to_string())?;
        Ok(Exit::Yes)
    }
}

impl SignArgs {
    pub(in super::super) fn run(&self) -> Result<Exit, Failure> {
        let key = signer(&self.key)?;
        let bundle = source::load(&self.bundle)?;
        if let Some(file) = &self.author_note {
            self.check_author(file, bundle.hash(), &key)?;
        }
        let approval = Approval {
            bundle: bundle.hash().to_owned(),
            signed_as: self.signed_as,
            effective_at: self.effective_at,
        };
        let note = approval.sign(&key).to_string();
        tell(&format!(
            "{} rules; signed as {} by {}",
            bundle.rules().count(),
            self.signed_as.code(),
            key.public().name()
        ));
        if self.json {
            print_json(&json!({ "bundle": bundle.hash(), "note": note }))?;
        } else {
            print(&note)?;
        }
        Ok(Exit::Yes)
    }

    /// An approver signs for what the author signed, and is somebody else.
    fn check_author(&self, file: &Path, bundle: &str, key: &Signer) -> Result<(), Failure> {
        let note = Note::parse(&read_text(file)?).map_err(|error| usage(file, error))?;
        let author: Approval = note.text.parse().map_err(|error| usage(file, error))?;
        let refused = |reason: &str| Err(usage(file, reason));
        if author.signed_as != SignedAs::Author {
            return refused("expected the note of the author");
        }
        if author.bundle != bundle {
            return refused("the author signed for other rules");
        }
        if author.effective_at != self.effective_at {
            return refused("the author signed for another instant");
        }
        let by_same =
            |line: &tandem_audit::Signature| key.public().verify(&note.text, line).is_some();
        if note.signatures.iter().any(by_same) {
            return refused("signed with the same key: a different person must approve");
        }
        Ok(())
    }
}

fn signer(file: &Path) -> Result<Signer, Failure> {
    let text = Zeroizing::new(read_text(file)?);
    Signer::parse(&text).map_err(|error| usage(file, error))
}
