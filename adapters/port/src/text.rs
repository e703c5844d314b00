//! Lines of text from bytes of any origin: capped, with the encoding found rather than trusted.

use std::io::{self, BufRead, BufReader, Read};

/// The longest line that a reader takes, in bytes. The longest published record has 379 characters (T6); a
/// 77-column CSV row of full strings stays below 32 KiB.
pub const MAX_LINE_BYTES: usize = 256 * 1024;

/// One physical line.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// Line number, from 1.
    pub number: u64,
    /// The text without its line end.
    pub text: String,
    /// Whether bytes were not UTF-8 and were read as Windows-1252.
    pub is_windows_1252: bool,
    /// Whether the line was longer than [`MAX_LINE_BYTES`] and its rest was skipped.
    pub is_cut: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({}, [redacted])", self.number)
    }
}

/// Reads capped lines. A byte order mark before the first line is dropped.
pub struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    buffer: Vec<u8>,
}

impl<R> std::fmt::Debug for Lines<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines(at {})", self.number)
    }
}

impl<R: Read> Lines<R> {
    /// Lines of a stream.
    pub fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, reader),
            number: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        self.buffer.clear();
        let mut is_cut = false;
        let mut any = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |at| at + 1);
            let room = MAX_LINE_BYTES.saturating_sub(self.buffer.len());
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            is_cut |= part.len() > room;
            self.buffer
                .extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            self.reader.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        if self.number == 1 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
            self.buffer.drain(..3);
        }
        let (text, is_windows_1252) = decode(&self.buffer);
        Ok(Some(Line {
            number: self.number,
            text,
            is_windows_1252,
            is_cut,
        }))
    }
}

/// Text from bytes: UTF-8 when they are, else Windows-1252. The flag tells which.
#[must_use]
pub fn decode(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => {
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
            (text.into_owned(), true)
        }
    }
}
