//! Ids of rows, small enough to hold one for every client of a county.

use std::fmt;

use crate::key::CmsKey;

/// The id of a row: a key, or whatever else an extract uses.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum RowId {
    /// A CWS/CMS key, read from either written form.
    Key(CmsKey),
    /// Another text.
    Other(Box<str>),
}

impl RowId {
    /// Reads an id; `None` when the text is blank or too long to be one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
            return None;
        }
        Some(CmsKey::parse_any(text).map_or_else(|_| Self::Other(text.into()), Self::Key))
    }

    /// The key, when it is one.
    pub(crate) fn key(&self) -> Option<CmsKey> {
        match self {
            Self::Key(key) => Some(*key),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(formatter),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RowId(..)")
    }
}
