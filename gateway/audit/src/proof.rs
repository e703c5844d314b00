//! Proofs that are checked with nothing but themselves and the log's public key: that a leaf is in the log, and that one
//! head of the log only added to another. The hashes are checked by `ct-merkle`.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::codec;
use crate::key::{KeyError, VerifierKey};
use crate::leaf::{Leaf, LeafError};
use crate::note::{Note, NoteError};
use crate::opening::Opening;
use crate::tree::Hash;

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It is no proof.
    #[error("expected a proof as JSON: line {line}, column {column}")]
    Form {
        /// Where.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A key can't be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody said which log it should be.
    #[error("the log's public key must be given")]
    NoKey,
    /// A checkpoint does not hold.
    #[error("{which} checkpoint: {error}")]
    Checkpoint {
        /// Which one.
        which: &'static str,
        /// Why not.
        error: CheckpointError,
    },
    /// The leaf can't be read.
    #[error("leaf: {0}")]
    Leaf(#[from] LeafError),
    /// The opening is of something else.
    #[error("position {position}: the opening is not what the leaf commits to: {fields}")]
    Opening {
        /// The leaf.
        position: u64,
        /// What differs.
        fields: String,
    },
    /// The hashes lead elsewhere.
    #[error("position {position}: the leaf is not in the log of {size} leaves by this proof")]
    NotIncluded {
        /// The leaf.
        position: u64,
        /// Leaves of the checkpoint.
        size: u64,
    },
    /// The hashes lead elsewhere.
    #[error("the log of {new} leaves does not continue that of {old} by this proof")]
    NotConsistent {
        /// Leaves of the older checkpoint.
        old: u64,
        /// Leaves of the newer checkpoint.
        new: u64,
    },
}

fn head(which: &'static str, note: &str, key: &VerifierKey) -> Result<Checkpoint, ProofError> {
    Note::parse(note)
        .map_err(NoteError::into)
        .and_then(|note| Checkpoint::verify(&note, key))
        .map_err(|error| ProofError::Checkpoint { which, error })
}

fn root(head: &Checkpoint) -> RootHash<Sha256> {
    RootHash::new(head.root.into(), head.size)
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| codec::encode(hash)).collect()
}

/// The hashes one after the other; `None` when one is none.
fn joined(texts: &[String]) -> Option<Vec<u8>> {
    let hashes: Option<Vec<Hash>> = texts
        .iter()
        .map(|text| codec::decode_array(text).ok())
        .collect();
    hashes.map(|hashes| hashes.concat())
}

/// That a leaf is in the log (RFC 6962, section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// The log's public key, for who has no better source of it.
    pub origin_key: String,
    /// The line of the leaf.
    pub leaf: String,
    /// The path, as base64.
    pub hashes: Vec<String>,
    /// The checkpoint, as a signed note.
    pub checkpoint: String,
    /// What the leaf commits to, for who may see it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opening: Option<Opening>,
}

impl Inclusion {
    /// A proof by a path, from the leaf to the root.
    #[must_use]
    pub fn new(
        origin_key: &VerifierKey,
        leaf: String,
        hashes: &[Hash],
        checkpoint: &Note,
        opening: Option<Opening>,
    ) -> Self {
        Self {
            origin_key: origin_key.to_string(),
            leaf,
            hashes: texts(hashes),
            checkpoint: checkpoint.to_string(),
            opening,
        }
    }

    /// The leaf that is proven to be in the log, and the checkpoint under which it is.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, key: &VerifierKey) -> Result<(Leaf, Checkpoint), ProofError> {
        let head = head("the", &self.checkpoint, key)?;
        let leaf = Leaf::parse(&self.leaf)?;
        let not_included = ProofError::NotIncluded {
            position: leaf.position,
            size: head.size,
        };
        let is_included = joined(&self.hashes)
            .and_then(|path| InclusionProof::try_from_bytes(path).ok())
            // Beyond 2^62 leaves `ct-merkle` stops; no log has so many.
            .filter(|_| head.size <= 1 << 62)
            .is_some_and(|proof| {
                root(&head)
                    .verify_inclusion(&self.leaf, leaf.position, &proof)
                    .is_ok()
            });
        if !is_included {
            return Err(not_included);
        }
        let differences = self
            .opening
            .as_ref()
            .map(|opening| opening.differences(&leaf));
        if let Some(fields) = differences.filter(|fields| !fields.is_empty()) {
            return Err(ProofError::Opening {
                position: leaf.position,
                fields: fields.join(", "),
            });
        }
        Ok((leaf, head))
    }

    /// The proof as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        Document::Inclusion(Box::new(self.clone())).to_text()
    }
}

/// That the log only grew between two checkpoints (RFC 6962, section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// The older checkpoint, as a signed note.
    pub old: String,
    /// The newer one.
    pub new: String,
    /// The nodes, as base64.
    pub hashes: Vec<String>,
}

impl Consistency {
    /// A proof by nodes.
    #[must_use]
    pub fn new(old: &Note, new: &Note, hashes: &[Hash]) -> Self {
        Self {
            old: old.to_string(),
            new: new.to_string(),
            hashes: texts(hashes),
        }
    }

    /// The two heads, of which the newer is proven to continue the older.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, key: &VerifierKey) -> Result<(Checkpoint, Checkpoint), ProofError> {
        let old = head("the older", &self.old, key)?;
        let new = head("the newer", &self.new, key)?;
        let is_consistent = joined(&self.hashes)
            .and_then(|nodes| ConsistencyProof::try_from_bytes(nodes).ok())
            .filter(|_| new.size <= 1 << 62)
            .is_some_and(|proof| root(&new).verify_consistency(&root(&old), &proof).is_ok());
        if is_consistent {
            Ok((old, new))
        } else {
            Err(ProofError::NotConsistent {
                old: old.size,
                new: new.size,
            })
        }
    }

    /// The proof as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        Document::Consistency(Box::new(self.clone())).to_text()
    }
}

/// A proof as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Document {
    /// Of a leaf.
    #[serde(rename = "tandem-audit-inclusion/v1")]
    Inclusion(Box<Inclusion>),
    /// Of growth.
    #[serde(rename = "tandem-audit-consistency/v1")]
    Consistency(Box<Consistency>),
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no proof.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        serde_json::from_str(text).map_err(|error| ProofError::Form {
            line: error.line(),
            column: error.column(),
        })
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Checks a proof by a key; one of a leaf may be checked by the key that stands in it. Gives what is proven, as a
/// sentence.
///
/// # Errors
/// [`ProofError`].
pub fn check_document(text: &str, key: Option<&VerifierKey>) -> Result<String, ProofError> {
    match Document::parse(text)? {
        Document::Inclusion(proof) => {
            let told = VerifierKey::parse(&proof.origin_key)?;
            let (leaf, head) = proof.verify(key.unwrap_or(&told))?;
            let by = if key.is_some() {
                "the key given"
            } else {
                "the key in the file"
            };
            Ok(format!(
                "position {} ({} {}) is in the log {} of {} leaves, signed with {by}",
                leaf.position,
                leaf.kind.as_str(),
                leaf.action.as_str(),
                head.origin,
                head.size
            ))
        }
        Document::Consistency(proof) => {
            let key = key.ok_or(ProofError::NoKey)?;
            let (old, new) = proof.verify(key)?;
            Ok(format!(
                "the log {} of {} leaves continues that of {}",
                new.origin, new.size, old.size
            ))
        }
    }
}
