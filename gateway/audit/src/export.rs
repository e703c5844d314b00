//! An export of the log: one JSON value a line. First the header; then the leaves in order, each followed by its opening
//! when it is shown; a checkpoint stands after the leaves that it covers.

use std::io::{self, BufRead, Read as _};

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::leaf::leaf_hash;
use crate::opening::Opening;
use crate::tree::Hash;

/// Longest line, in bytes: the opening of a large decision.
pub const MAX_LINE_BYTES: u64 = 32 << 20;

/// Why a line can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file can't be read.
    #[error("reading: {0}")]
    Read(#[from] io::Error),
    /// It is no entry.
    #[error("expected an entry of an export as JSON: column {column}")]
    Entry {
        /// Where in the line.
        column: usize,
    },
    /// It is an entry in another spelling than the one that entries have.
    #[error("the entry is not written in the form that entries have: altered")]
    Form,
    /// It is longer than entries are.
    #[error("the line is longer than {MAX_LINE_BYTES} bytes, or the file ends within it")]
    Size,
}

/// The keys of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The log's public key.
    pub origin_key: String,
    /// The public keys of its witnesses.
    pub witness_keys: Vec<String>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Entry {
    /// The first.
    #[serde(rename = "tandem-audit-export/v1")]
    Header(Header),
    /// A leaf with its hash: when one of both is altered, the other shows where.
    #[serde(rename = "leaf")]
    Leaf {
        /// The line of the leaf.
        line: String,
        /// Its hash in the tree, as base64.
        hash: String,
    },
    /// What the leaf before commits to.
    #[serde(rename = "opening")]
    Opening(Box<Opening>),
    /// A checkpoint over all leaves before, as a signed note.
    #[serde(rename = "checkpoint")]
    Checkpoint(String),
}

impl Entry {
    /// The entry of a leaf.
    #[must_use]
    pub fn leaf(line: String, hash: &Hash) -> Self {
        Self::Leaf {
            line,
            hash: codec::encode(hash),
        }
    }

    /// The line, with its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Entries are strings, numbers and maps by strings: they have a JSON text.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a line without its line feed, in the one form that it has.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn parse(line: &str) -> Result<Self, ExportError> {
        let entry: Self = serde_json::from_str(line).map_err(|error| ExportError::Entry {
            column: error.column(),
        })?;
        if entry.to_line().trim_end_matches('\n') == line {
            Ok(entry)
        } else {
            Err(ExportError::Form)
        }
    }
}

/// The hash that an entry says of a leaf, and the one that it has.
pub(crate) fn hashes(line: &str, told: &str) -> (Option<Hash>, Hash) {
    (codec::decode_array(told).ok(), leaf_hash(line))
}

/// The entries of an export with their line numbers, from 1. One that can't be used does not hide the next.
pub fn read_entries(
    mut input: impl BufRead,
) -> impl Iterator<Item = (u64, Result<Entry, ExportError>)> {
    let (mut number, mut is_over) = (0_u64, false);
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        number += 1;
        match next_line(&mut input) {
            Ok(None) => None,
            Ok(Some(line)) => Some((number, Entry::parse(&line))),
            Err(error) => {
                is_over = true;
                Some((number, Err(error)))
            }
        }
    })
}

fn next_line(input: &mut impl BufRead) -> Result<Option<String>, ExportError> {
    let mut bytes = Vec::new();
    input
        .by_ref()
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop() != Some(b'\n') {
        return Err(ExportError::Size);
    }
    // What is no text is no entry; its line says so.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
