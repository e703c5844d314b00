//! A message as filled fields, whatever its form.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::tables::LineType;

/// The filled fields of one row. `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Whether text holds control characters that no writer means: all but line ends and tabs.
#[must_use]
pub(crate) fn has_controls(text: &str) -> bool {
    text.contains(|character: char| {
        character.is_control() && !matches!(character, '\n' | '\r' | '\t')
    })
}

impl Fields {
    /// Sets a field; a blank value leaves it out. Control characters become blanks and surrounding blanks go: no form
    /// of the messages carries them.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let plain: String = value
            .as_ref()
            .chars()
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        let plain = plain.trim();
        if !plain.is_empty() {
            self.0.insert(name.to_owned(), plain.to_owned());
        }
    }

    /// Sets a field when there is a value.
    pub(crate) fn set_some(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// The text of a field; empty when it is not filled.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The text of a field, when it is filled.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// The value of a field, when it is filled and reads as `T`.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.parse().ok()
    }

    /// Takes a field away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Filled fields.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A row that belongs to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it describes.
    pub(crate) line_type: LineType,
    /// Where it stands in the input: line, or number of the message in JSON; 0 when it is to be written.
    pub(crate) line: u64,
    /// Its fields.
    pub(crate) fields: Fields,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// Unique for the sender.
    pub(crate) id: String,
    /// Where it starts in the input.
    pub(crate) line: u64,
    /// Header fields.
    pub(crate) header: Fields,
    /// Rows in order.
    pub(crate) parts: Vec<Part>,
}

impl Message {
    /// The rows of a line type.
    pub(crate) fn rows(&self, line_type: LineType) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(move |part| part.line_type == line_type)
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, line_type: LineType, fields: Fields) {
        self.parts.push(Part {
            line_type,
            line: 0,
            fields,
        });
    }
}
