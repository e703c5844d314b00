//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of the tree, each on a line, in a signed note.

use std::fmt;

use crate::codec;
use crate::key::{KeyKind, Signer, VerifierKey};
use crate::note::{Note, NoteError};
use crate::tree::Hash;

/// Why a note is no checkpoint of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is not origin, size and root.
    #[error(
        "expected three lines: the log's origin, its size as a whole number, and its root as base64 of 32 bytes"
    )]
    Form,
    /// It is of another log.
    #[error("the checkpoint is of the log `{found}`, expected `{expected}`")]
    Origin {
        /// The log of the key.
        expected: String,
        /// The log that the checkpoint names.
        found: String,
    },
    /// No signature of the log's key holds.
    #[error("no valid signature by the key of `{expected}`")]
    Signature {
        /// The name of the key.
        expected: String,
    },
    /// The key is a witness's.
    #[error("expected a log's key, found a witness's")]
    Key,
}

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a checkpoint. Lines beyond the three are refused: this log writes none, and nobody would check
    /// them.
    ///
    /// # Errors
    /// [`CheckpointError::Form`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err(CheckpointError::Form);
        };
        let root = codec::decode_array(root).map_err(|_| CheckpointError::Form)?;
        let number: u64 = size.parse().map_err(|_| CheckpointError::Form)?;
        if origin.is_empty() || number.to_string() != size {
            return Err(CheckpointError::Form);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root,
        })
    }

    /// The checkpoint of a note that the log's key has signed.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(note: &Note, key: &VerifierKey) -> Result<Self, CheckpointError> {
        if key.kind() != KeyKind::Log {
            return Err(CheckpointError::Key);
        }
        let checkpoint = Self::parse(&note.text)?;
        if checkpoint.origin != key.name() {
            let (expected, found) = (key.name().to_owned(), checkpoint.origin);
            return Err(CheckpointError::Origin { expected, found });
        }
        let is_signed = note
            .signatures
            .iter()
            .any(|line| key.verify(&note.text, line).is_some());
        if is_signed {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Signature {
                expected: key.name().to_owned(),
            })
        }
    }

    /// The signed note of this checkpoint.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Note {
        let text = self.to_string();
        let signatures = vec![signer.sign(&text, 0)];
        Note { text, signatures }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            codec::encode(&self.root)
        )
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_checkpoint_holds_for_its_own_log_and_key_alone() {
        let signer =
            |name, seed| Signer::new(name, KeyKind::Log, &Zeroizing::new([seed; 32])).unwrap();
        let ours = signer("demo.example/audit", 1);
        let head = Checkpoint {
            origin: "demo.example/audit".into(),
            size: 3,
            root: [9; 32],
        };
        let note = head.sign(&ours);
        let text = note.to_string();
        assert!(text.starts_with("demo.example/audit\n3\nCQkJ"), "{text}");
        assert_eq!(
            Checkpoint::verify(&Note::parse(&text).unwrap(), ours.public()),
            Ok(head)
        );
        let other = signer("demo.example/audit", 2);
        let error = Checkpoint::verify(&note, other.public()).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Signature { .. }),
            "{error}"
        );
        let elsewhere = signer("other.example/audit", 1);
        let error = Checkpoint::verify(&note, elsewhere.public()).unwrap_err();
        assert!(matches!(error, CheckpointError::Origin { .. }), "{error}");
    }

    #[test]
    fn a_checkpoint_has_one_form() {
        let text = Checkpoint {
            origin: "a".into(),
            size: 3,
            root: [9; 32],
        }
        .to_string();
        assert!(Checkpoint::parse(&text).is_ok());
        for bad in [
            text.replacen('3', "03", 1),
            format!("{text}more\n"),
            text.replacen("\n3", "", 1),
        ] {
            assert_eq!(Checkpoint::parse(&bad), Err(CheckpointError::Form), "{bad}");
        }
    }
}
