//! One event of the log as the line that is hashed into the tree.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::codec::CodecError;
use crate::commitment::Commitment;
use crate::tree::Hash;

/// First word of a line: the form and its version.
const FORM: &str = "tandem-audit-leaf/v1";
/// What stands for a field that the event has not.
const ABSENT: &str = "-";
/// Longest code, in bytes.
const CODE_LIMIT: usize = 64;

/// Why a line is no leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeafError {
    /// The line has not the nine words of its form.
    #[error("expected `{FORM} position time kind action object subject content record`")]
    Form,
    /// A number is not written as this form writes it.
    #[error("field `{field}`: expected a whole number without sign or leading zeros")]
    Number {
        /// Which field.
        field: &'static str,
    },
    /// A code has other characters than codes have.
    #[error("expected a code of 1 to {CODE_LIMIT} of the characters a-z, 0-9, `.`, `_`, `-`")]
    Code,
    /// A commitment is not written as this form writes it.
    #[error("field `{field}`: {error}")]
    Commitment {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        error: CodecError,
    },
}

/// A code: what kind of event, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// A code.
    ///
    /// # Errors
    /// When it is empty, longer than 64 bytes, or has other characters than `a-z`, `0-9`, `.`, `_` and `-`.
    pub fn new(text: impl Into<String>) -> Result<Self, LeafError> {
        let text = text.into();
        let is_code = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > CODE_LIMIT || !text.bytes().all(is_code) {
            return Err(LeafError::Code);
        }
        Ok(Self(text))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Position in the log, from 0: the leaf's index in the tree.
    pub position: u64,
    /// When, in microseconds since 1970.
    pub at: u64,
    /// What kind of record stands behind it, for example `decision`.
    pub kind: Code,
    /// What happened, for example `consent.revoke`.
    pub action: Code,
    /// The object's id.
    pub object: Commitment,
    /// The person's id, when it is about one.
    pub subject: Option<Commitment>,
    /// The stored columns.
    pub content: Commitment,
    /// What the sealed column holds, when there is one.
    pub record: Option<Commitment>,
}

impl Leaf {
    /// Reads a line. It is taken only as its `Display` writes it: one event has one line.
    ///
    /// # Errors
    /// [`LeafError`].
    pub fn parse(line: &str) -> Result<Self, LeafError> {
        let words: Vec<&str> = line.split(' ').collect();
        let [
            form,
            position,
            at,
            kind,
            action,
            object,
            subject,
            content,
            record,
        ] = words[..]
        else {
            return Err(LeafError::Form);
        };
        if form != FORM {
            return Err(LeafError::Form);
        }
        Ok(Self {
            position: number("position", position)?,
            at: number("time", at)?,
            kind: Code::new(kind)?,
            action: Code::new(action)?,
            object: commitment("object", object)?,
            subject: optional("subject", subject)?,
            content: commitment("content", content)?,
            record: optional("record", record)?,
        })
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, action) = (self.kind.as_str(), self.action.as_str());
        write!(
            f,
            "{FORM} {} {} {kind} {action} {} ",
            self.position, self.at, self.object
        )?;
        write_optional(f, self.subject.as_ref())?;
        write!(f, " {} ", self.content)?;
        write_optional(f, self.record.as_ref())
    }
}

fn write_optional(f: &mut fmt::Formatter<'_>, value: Option<&Commitment>) -> fmt::Result {
    match value {
        Some(commitment) => write!(f, "{commitment}"),
        None => f.write_str(ABSENT),
    }
}

fn number(field: &'static str, text: &str) -> Result<u64, LeafError> {
    let number: u64 = text.parse().map_err(|_| LeafError::Number { field })?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(LeafError::Number { field })
    }
}

fn commitment(field: &'static str, text: &str) -> Result<Commitment, LeafError> {
    Commitment::parse(text).map_err(|error| LeafError::Commitment { field, error })
}

fn optional(field: &'static str, text: &str) -> Result<Option<Commitment>, LeafError> {
    if text == ABSENT {
        Ok(None)
    } else {
        commitment(field, text).map(Some)
    }
}

/// The hash of a leaf in the tree: SHA-256 of a zero byte and the line (RFC 6962, section 2.1).
#[must_use]
pub fn leaf_hash(line: &str) -> Hash {
    Sha256::new_with_prefix([0])
        .chain_update(line)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitment::{Blind, Field};

    fn leaf() -> Leaf {
        let blind = Blind::new([7; 32]);
        Leaf {
            position: 12,
            at: 1_772_443_500_000_000,
            kind: Code::new("decision").unwrap(),
            action: Code::new("update_case_plan").unwrap(),
            object: blind.commit(Field::Object, b"o"),
            subject: None,
            content: blind.commit(Field::Content, b"c"),
            record: Some(blind.commit(Field::Record, b"r")),
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_in_no_other_form() {
        let line = leaf().to_string();
        assert_eq!(Leaf::parse(&line), Ok(leaf()));
        let others = [
            line.replacen("12 ", "012 ", 1),
            line.replacen("12 ", "+12 ", 1),
            line.replacen(' ', "  ", 1),
            format!("{line} "),
            format!("{line}\n"),
            line.replacen("/v1", "/v2", 1),
            line.replacen("decision", "Decision", 1),
        ];
        for other in others {
            assert!(Leaf::parse(&other).is_err(), "{other}");
        }
        assert!(Code::new("a".repeat(65)).is_err() && Code::new("").is_err());
    }
}
