//! Signed notes (C2SP signed-note): a text, an empty line, and lines `— name base64(id || signature)`.

use std::fmt;

use crate::codec;

/// Start of a signature line: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";
/// Largest note, in bytes.
const NOTE_LIMIT: usize = 64 << 10;
/// Most signatures.
const SIGNATURE_LIMIT: usize = 64;

/// Why a text is no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is too large.
    #[error("the note is larger than {NOTE_LIMIT} bytes")]
    Size,
    /// It has no empty line before its signatures.
    #[error("expected a text, an empty line and signature lines")]
    Form,
    /// It has control characters.
    #[error("the note holds control characters")]
    Control,
    /// A signature line is not one.
    #[error("signature line {line}: expected `\u{2014} name base64`")]
    Signature {
        /// Which signature line, from 1.
        line: usize,
    },
    /// It has none, or too many.
    #[error("expected 1 to {SIGNATURE_LIMIT} signatures")]
    Count,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Who signed.
    pub name: String,
    /// The id of the key.
    pub id: [u8; 4],
    /// What follows the id: the signature, after a witness's time.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// Reads a line without its line feed.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
        let bytes = codec::decode(bytes)?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        let is_name = !name.is_empty()
            && !name.contains(|letter: char| letter == '+' || letter.is_whitespace());
        (is_name && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_slice(), &self.bytes].concat();
        write!(f, "{SIGNATURE}{} {}", self.name, codec::encode(&bytes))
    }
}

/// A signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed; ends with a line feed.
    pub text: String,
    /// Who signed it.
    pub signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LIMIT {
            return Err(NoteError::Size);
        }
        if note.contains(|letter: char| letter.is_control() && letter != '\n') {
            return Err(NoteError::Control);
        }
        let gap = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, rest) = note.split_at_checked(gap + 1).ok_or(NoteError::Form)?;
        let lines = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Form)?;
        let signatures = lines
            .split('\n')
            .enumerate()
            .map(|(at, line)| Signature::parse(line).ok_or(NoteError::Signature { line: at + 1 }))
            .collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURE_LIMIT {
            return Err(NoteError::Count);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::VerifierKey;

    /// The example of Go's `golang.org/x/mod/sumdb/note` package documentation.
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_note_that_another_program_signed_is_read_written_and_verified() {
        let note = Note::parse(GO_NOTE).unwrap();
        assert_eq!(note.to_string(), GO_NOTE);
        let key = VerifierKey::parse(GO_PUBLIC).unwrap();
        assert_eq!(key.verify(&note.text, &note.signatures[0]), Some(None));
        assert_eq!(
            key.verify(&note.text.replace("know", "knew"), &note.signatures[0]),
            None
        );
    }

    #[test]
    fn what_is_no_note_is_refused_with_its_place() {
        let bad = [
            ("", NoteError::Form),
            ("text\n", NoteError::Form),
            ("text\n\n", NoteError::Form),
            ("text\n\n\u{2014} a AAAAAAE=", NoteError::Form),
            ("te\rxt\n\n\u{2014} a AAAAAAE=\n", NoteError::Control),
            ("text\n\n- a AAAAAAE=\n", NoteError::Signature { line: 1 }),
            (
                "text\n\n\u{2014} a AAAAAAE=\n\u{2014} a AAAA\n",
                NoteError::Signature { line: 2 },
            ),
        ];
        for (text, error) in bad {
            assert_eq!(Note::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(
            Note::parse(&"a".repeat(NOTE_LIMIT + 1)),
            Err(NoteError::Size)
        );
    }
}
