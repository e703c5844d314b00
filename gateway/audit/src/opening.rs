//! The opening of a leaf's commitments: the record itself with its key, for who may see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::commitment::{Blind, Commitment, Field};
use crate::leaf::Leaf;

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Bytes.
    Bytes(#[serde(with = "codec::text")] Vec<u8>),
}

/// The columns of a stored record by name. A column without a value is not among them, so that a column that is added to
/// the table later changes nothing of what was committed before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Columns(pub BTreeMap<String, Value>);

impl Columns {
    /// The bytes that are committed to: for each column in the order of names its name, a letter for its type and its
    /// value, names and values after their length as eight bytes, the most significant first.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.0 {
            sized(&mut out, name.as_bytes());
            match value {
                Value::Text(text) => {
                    out.push(b't');
                    sized(&mut out, text.as_bytes());
                }
                Value::Integer(number) => {
                    out.push(b'i');
                    sized(&mut out, &number.to_be_bytes());
                }
                Value::Bytes(bytes) => {
                    out.push(b'b');
                    sized(&mut out, bytes);
                }
            }
        }
        out
    }
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// What a leaf commits to, and the key that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Position of the leaf.
    pub position: u64,
    /// The key of the commitments.
    pub blind: Blind,
    /// The object's id.
    pub object: String,
    /// The person's id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// The stored columns.
    pub columns: Columns,
    /// What the sealed column holds in clear, when it is shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<String>,
}

impl Opening {
    /// The fields of the leaf that are not what is shown here. A record that is not shown is not compared.
    #[must_use]
    pub fn differences(&self, leaf: &Leaf) -> Vec<&'static str> {
        let commit = |field, value: &str| self.blind.commit(field, value.as_bytes());
        let same = |committed: &Option<Commitment>, field, value: Option<&String>| {
            *committed == value.map(|value| commit(field, value))
        };
        let checks = [
            ("position", self.position == leaf.position),
            ("object", commit(Field::Object, &self.object) == leaf.object),
            (
                "subject",
                same(&leaf.subject, Field::Subject, self.subject.as_ref()),
            ),
            (
                "content",
                self.blind.commit(Field::Content, &self.columns.canonical()) == leaf.content,
            ),
            (
                "record",
                self.record.is_none() || same(&leaf.record, Field::Record, self.record.as_ref()),
            ),
        ];
        checks
            .into_iter()
            .filter(|(_, is_same)| !is_same)
            .map(|(name, _)| name)
            .collect()
    }
}
