//! The fields of one line: text, or bytes that are none.

use std::borrow::Cow;

use csv::{ByteRecord, StringRecord};

use super::row::decode;

/// The fields of one line.
#[derive(Debug)]
pub(super) enum Fields {
    /// UTF-8 throughout, as nearly every line is.
    Text(StringRecord),
    /// With bytes that are not UTF-8: an old export.
    Bytes(ByteRecord),
}

impl Fields {
    /// Looks once whether a line is text.
    pub(super) fn of(line: ByteRecord) -> Self {
        match StringRecord::from_byte_record(line) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_byte_record()),
        }
    }

    /// The line as it came, so that its room can be used again.
    pub(super) fn into_line(self) -> ByteRecord {
        match self {
            Self::Text(text) => text.into_byte_record(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether a field goes over the end of its line.
    pub(super) fn spans_lines(&self) -> bool {
        match self {
            Self::Text(text) => text.as_slice().contains('\n'),
            Self::Bytes(bytes) => bytes.as_slice().contains(&b'\n'),
        }
    }

    /// A field without the blanks around it; empty when there is none.
    pub(super) fn get(&self, place: usize) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(trimmed(text.get(place).unwrap_or_default())),
            Self::Bytes(bytes) => match decode(bytes.get(place).unwrap_or_default()) {
                Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
                Cow::Owned(text) => Cow::Owned(trimmed(&text).to_owned()),
            },
        }
    }
}

/// A text without the blanks around it; mostly there are none.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) {
        return text;
    }
    text.trim()
}
