//! `tandem consent attach`: hands in the scanned document that was signed.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::super::exit::{Exit, Failure};
use super::super::AnswerArgs;
use super::super::connection::{Call, Upload};
use crate::api::consents::document::{MOST_BYTES, media_type};

/// Bytes that are sent at a time.
const PIECE: usize = 64 * 1024;
/// Smaller files are sent before anybody wonders.
const LARGE: usize = 1024 * 1024;

/// Hand in the scanned document of a consent: PDF, PNG or JPEG, up to 10 MiB (role privacy-officer).
#[derive(Debug, Args)]
#[command(after_help = "\
What the file is, its first bytes say, not its name. Until the consent is verified another file takes its place.

Examples:
  tandem consent attach d-1 release.pdf --token-file privacy.token
  tandem consent attach d-1 page.png --json --token-file privacy.token")]
pub(in super::super::super) struct AttachArgs {
    /// Id of the consent
    id: String,
    /// The scan
    file: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl AttachArgs {
    pub(super) async fn run(&self) -> Result<Exit, Failure> {
        let bytes = read(&self.file)?;
        let kind = media_type(&bytes).ok_or_else(|| {
            let expected = "expected a PDF, PNG or JPEG, as its first bytes say";
            Failure::Usage(format!("{}: {expected}", self.file.display()))
        })?;
        let (size, hash) = (bytes.len(), hash(&bytes));
        let file = Upload {
            kind,
            size,
            bytes: pieces(&bytes),
        };
        let call = Call::upload(["consents", &self.id, "document"], file);
        let stored = self
            .answer
            .ask(call.about(format!("consent {}", self.id)))
            .await?;
        let told = stored.pointer("/directive/source_document_hash");
        if told.and_then(Value::as_str) != Some(&hash) {
            let told = told.and_then(Value::as_str).unwrap_or("no hash");
            let what = format!("the gateway keeps other bytes than were sent: {told}, not {hash}");
            return Err(anyhow!(what).into());
        }
        self.answer.print(&json!({
            "consent": self.id, "media_type": kind, "bytes": size, "hash": hash,
        }))?;
        Ok(Exit::Yes)
    }
}

/// The file, if it is not larger than the gateway takes.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let reading = || format!("reading {}", path.display());
    let file = File::open(path).with_context(reading)?;
    let mut bytes = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .with_context(reading)?;
    if bytes.len() > MOST_BYTES {
        return Err(Failure::Usage(format!(
            "{}: expected at most {MOST_BYTES} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

fn hash(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// The bytes in pieces, so that whoever waits at a terminal sees how far they have come.
fn pieces(bytes: &[u8]) -> reqwest::Body {
    let total = bytes.len();
    let is_shown = total >= LARGE && std::io::stderr().is_terminal();
    let mut sent = 0;
    let pieces: Vec<Vec<u8>> = bytes.chunks(PIECE).map(<[u8]>::to_vec).collect();
    let told = pieces.into_iter().map(move |piece| {
        sent += piece.len();
        if is_shown {
            let end = if sent == total { "\n" } else { "" };
            let (sent, total) = (sent / 1024, total / 1024);
            let _closed = write!(std::io::stderr().lock(), "\rsent {sent} of {total} kB{end}");
        }
        Ok::<_, std::io::Error>(piece)
    });
    reqwest::Body::wrap_stream(futures::stream::iter(told))
}
