//! What a partner says of a file that it picked up.

use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::MessageId;

use super::file::{open_plain, size_of};

/// How long an acknowledgement that can't be read may still be on its way: not every partner writes it beside and renames it.
pub(super) const STILL_WRITING: Duration = Duration::from_secs(60);
/// Largest acknowledgement, in bytes: some hundred thousand messages.
const LARGEST_ACK: u64 = 16 << 20;

/// What a partner says about a file that it picked up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartnerAck {
    /// Messages taken.
    #[serde(default)]
    pub accepted: Vec<MessageId>,
    /// Messages refused.
    #[serde(default)]
    pub rejected: Vec<RejectedMessage>,
    /// What became of the file as a whole, from a partner whose format has no message ids.
    #[serde(default)]
    pub file: Option<FileVerdict>,
}

/// What became of a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileVerdict {
    /// Taken.
    Accepted,
    /// Refused.
    Rejected,
}

/// A message that a partner refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedMessage {
    /// Which.
    pub message_id: MessageId,
    /// Why, in the partner's words.
    #[serde(default)]
    pub reason: String,
}

/// The name of the file that an acknowledgement speaks of.
#[must_use]
pub fn subject_of(acknowledgement: &Path) -> String {
    acknowledgement
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Reads an acknowledgement; `None` when it can't be read and may still be on its way, or has gone.
///
/// # Errors
/// When it can't be read, though it is surely whole: [`io::ErrorKind::InvalidData`] for what is none, any other kind for what may be
/// read at a later look.
pub fn read_acknowledgement(file: &Path) -> io::Result<Option<PartnerAck>> {
    match read_whole(file) {
        Ok(ack) => Ok(Some(ack)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if is_young(file) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_whole(path: &Path) -> io::Result<PartnerAck> {
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    // Why a link does not open is no error of its own kind.
    if size_of(path)?.is_none() {
        return Err(invalid("expected a regular file".to_owned()));
    }
    let file = open_plain(path)?;
    if file.metadata()?.len() > LARGEST_ACK {
        return Err(invalid(format!("expected at most {LARGEST_ACK} bytes")));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_ACK).read_to_end(&mut bytes)?;
    // The place alone: the words are the partner's.
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        invalid(format!(
            "no acknowledgement at line {line}, column {column}"
        ))
    })
}

/// Whether a file was written just now.
fn is_young(path: &Path) -> bool {
    let written = path
        .symlink_metadata()
        .and_then(|metadata| metadata.modified());
    // The clock of the partner's machine may be ahead. By much, it would say of no file that it is old.
    let age = written.map(|at| at.elapsed().unwrap_or_else(|ahead| ahead.duration()));
    age.is_ok_and(|age| age < STILL_WRITING)
}
