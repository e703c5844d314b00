//! A witness: a second party that signs a log's checkpoint only when the log has grown from the one it signed before
//! (C2SP tlog-witness, without its HTTP). Two checkpoints that contradict each other are never both signed.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::{KeyKind, Signer, VerifierKey};
use crate::note::{Note, NoteError, Signature};
use crate::proof::{Consistency, Document, ProofError};

/// Why a witness does not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The witness's key is a log's.
    #[error("expected a witness's key, found a log's")]
    Key,
    /// What was given is no checkpoint of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The state or the document can't be read.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The log has fewer leaves than it had.
    #[error("the log shrank: {found} leaves, {expected} were signed before")]
    Shrunk {
        /// Leaves of the checkpoint signed before.
        expected: u64,
        /// Leaves of this one.
        found: u64,
    },
    /// Another root for the same size.
    #[error("the log forked: another root for {size} leaves was signed before")]
    Fork {
        /// Leaves.
        size: u64,
    },
    /// A proof is needed.
    #[error(
        "a consistency proof from {from} to {to} leaves is needed: the last checkpoint signed is of {from}"
    )]
    ProofNeeded {
        /// Leaves of the checkpoint signed before.
        from: u64,
        /// Leaves of this one.
        to: u64,
    },
    /// An inclusion proof says nothing of growth.
    #[error("expected a checkpoint or a consistency proof, found an inclusion proof")]
    Inclusion,
}

impl From<NoteError> for WitnessError {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error.into())
    }
}

/// What a witness remembers of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessState {
    /// The log's key.
    pub origin_key: String,
    /// The last checkpoint signed, as a note.
    pub last: Option<String>,
}

/// A witness of one log.
#[derive(Debug)]
pub struct Witness {
    signer: Signer,
    origin: VerifierKey,
    last: Option<(Checkpoint, String)>,
}

impl Witness {
    /// A witness with its key and what it remembers.
    ///
    /// # Errors
    /// When the key is not a witness's, or what it remembers is not of the log.
    pub fn new(signer: Signer, state: &WitnessState) -> Result<Self, WitnessError> {
        if signer.public().kind() != KeyKind::Witness {
            return Err(WitnessError::Key);
        }
        let origin = VerifierKey::parse(&state.origin_key).map_err(ProofError::Key)?;
        let last = match &state.last {
            None => None,
            Some(text) => Some((
                Checkpoint::verify(&Note::parse(text)?, &origin)?,
                text.clone(),
            )),
        };
        Ok(Self {
            signer,
            origin,
            last,
        })
    }

    /// What it remembers: to be made durable before a signature leaves.
    #[must_use]
    pub fn state(&self) -> WitnessState {
        let last = self.last.as_ref().map(|(_, note)| note.clone());
        WitnessState {
            origin_key: self.origin.to_string(),
            last,
        }
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> &VerifierKey {
        self.signer.public()
    }

    /// The checkpoint that it signed last.
    #[must_use]
    pub fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref().map(|(checkpoint, _)| checkpoint)
    }

    /// Signs the checkpoint that a text holds: a note, or a consistency proof to it. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`WitnessError`]: then nothing is signed, and nothing remembered.
    pub fn cosign(&mut self, text: &str, now: u64) -> Result<Signature, WitnessError> {
        if text.starts_with('{') {
            return match Document::parse(text)? {
                Document::Consistency(proof) => {
                    let note = Note::parse(&proof.new)?;
                    self.cosign_note(&note, Some(&proof), now)
                }
                Document::Inclusion(_) => Err(WitnessError::Inclusion),
            };
        }
        self.cosign_note(&Note::parse(text)?, None, now)
    }

    /// Signs a checkpoint.
    ///
    /// # Errors
    /// [`WitnessError`]: then nothing is signed, and nothing remembered.
    pub fn cosign_note(
        &mut self,
        note: &Note,
        proof: Option<&Consistency>,
        now: u64,
    ) -> Result<Signature, WitnessError> {
        let next = Checkpoint::verify(note, &self.origin)?;
        if let Some((last, _)) = &self.last {
            self.check_growth(last, &next, proof)?;
        }
        let signature = self.signer.sign(&note.text, now);
        self.last = Some((next, note.to_string()));
        Ok(signature)
    }

    fn check_growth(
        &self,
        last: &Checkpoint,
        next: &Checkpoint,
        proof: Option<&Consistency>,
    ) -> Result<(), WitnessError> {
        let (from, to) = (last.size, next.size);
        if to < from {
            return Err(WitnessError::Shrunk {
                expected: from,
                found: to,
            });
        }
        if to == from {
            let is_same = last.root == next.root;
            return if is_same {
                Ok(())
            } else {
                Err(WitnessError::Fork { size: to })
            };
        }
        // Everything grows from nothing.
        if from == 0 {
            return Ok(());
        }
        let proof = proof.ok_or(WitnessError::ProofNeeded { from, to })?;
        let (old, new) = proof.verify(&self.origin)?;
        if old.size != from {
            return Err(WitnessError::ProofNeeded { from, to });
        }
        if old != *last || new != *next {
            return Err(WitnessError::Fork { size: from });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::leaf::leaf_hash;
    use crate::tree::Tree;

    fn key(name: &str, kind: KeyKind) -> Signer {
        Signer::new(name, kind, &Zeroizing::new([5; 32])).unwrap()
    }

    fn tree(word: &str, size: u64) -> Tree {
        let mut tree = Tree::default();
        tree.extend((0..size).map(|number| leaf_hash(&format!("{word} {number}"))));
        tree
    }

    fn note(tree: &Tree, size: u64) -> Note {
        let root = tree.root(size).unwrap();
        Checkpoint {
            origin: "log".into(),
            size,
            root,
        }
        .sign(&key("log", KeyKind::Log))
    }

    fn proof(tree: &Tree, old: u64, new: u64) -> String {
        let hashes = tree.consistency(old, new).unwrap();
        Consistency::new(&note(tree, old), &note(tree, new), &hashes).to_text()
    }

    fn witness() -> Witness {
        let origin_key = key("log", KeyKind::Log).public().to_string();
        Witness::new(
            key("w", KeyKind::Witness),
            &WitnessState {
                origin_key,
                last: None,
            },
        )
        .unwrap()
    }

    #[test]
    fn a_witness_signs_a_log_that_grew_and_remembers_it() {
        let (tree, mut witness) = (tree("a", 9), witness());
        witness.cosign(&note(&tree, 3).to_string(), 1).unwrap();
        let line = witness.cosign(&proof(&tree, 3, 9), 2).unwrap();
        assert_eq!(
            witness.public().verify(&note(&tree, 9).text, &line),
            Some(Some(2))
        );
        let state = serde_json::to_string(&witness.state()).unwrap();
        let mut again = Witness::new(
            key("w", KeyKind::Witness),
            &serde_json::from_str(&state).unwrap(),
        )
        .unwrap();
        assert_eq!(again.last().map(|head| head.size), Some(9));
        // The same head again is no contradiction.
        again.cosign(&note(&tree, 9).to_string(), 3).unwrap();
    }

    #[test]
    fn a_witness_never_signs_a_log_that_shrank_forked_or_is_unproven() {
        let (ours, forked) = (tree("a", 9), tree("b", 9));
        let mut witness = witness();
        witness.cosign(&note(&ours, 5).to_string(), 1).unwrap();
        let refused = |witness: &mut Witness, text: &str| witness.cosign(text, 2).unwrap_err();
        let error = refused(&mut witness, &note(&ours, 4).to_string());
        assert!(
            matches!(
                error,
                WitnessError::Shrunk {
                    expected: 5,
                    found: 4
                }
            ),
            "{error}"
        );
        let error = refused(&mut witness, &note(&forked, 5).to_string());
        assert!(matches!(error, WitnessError::Fork { size: 5 }), "{error}");
        let error = refused(&mut witness, &note(&ours, 9).to_string());
        assert!(
            matches!(error, WitnessError::ProofNeeded { from: 5, to: 9 }),
            "{error}"
        );
        let error = refused(&mut witness, &proof(&ours, 4, 9));
        assert!(
            matches!(error, WitnessError::ProofNeeded { from: 5, to: 9 }),
            "{error}"
        );
        // A sound proof within another log.
        let error = refused(&mut witness, &proof(&forked, 5, 9));
        assert!(matches!(error, WitnessError::Fork { size: 5 }), "{error}");
        assert_eq!(witness.last().map(|head| head.size), Some(5));
    }
}
