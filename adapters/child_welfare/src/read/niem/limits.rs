//! What a message may be at most, and where in its text the reader stands.

/// Largest message, in bytes.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Deepest nesting of elements. Our own messages nest ten deep.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most elements.
pub(crate) const MAX_ELEMENTS: usize = 100_000;
/// Most attributes of one element, and most namespaces in force at one place.
pub(crate) const MAX_ATTRIBUTES: usize = 64;

/// Counts lines as the reader moves forward.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            offset: 0,
            line: 1,
        }
    }

    /// Moves to a byte of the text; moving back changes nothing.
    pub(crate) fn advance(&mut self, position: u64) {
        let position = usize::try_from(position)
            .unwrap_or(usize::MAX)
            .min(self.text.len());
        if let Some(passed) = self.text.get(self.offset..position) {
            let breaks = passed.iter().filter(|byte| **byte == b'\n').count();
            self.line += u64::try_from(breaks).unwrap_or(0);
            self.offset = position;
        }
    }

    /// The line reached, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }
}
