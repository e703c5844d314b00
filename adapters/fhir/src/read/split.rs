//! Cuts a stream of FHIR JSON into pieces that are small enough to parse one by one.
//!
//! A stream holds one resource, one Bundle, or newline-delimited resources (FHIR Bulk Data,
//! "Output File": one resource a line). A Bundle's `entry` elements are handed out one at a time
//! while the rest of the Bundle (its envelope) is kept apart, so a Bundle of any length needs the
//! memory of its largest entry, and one entry that is not JSON costs that entry alone.
//!
//! The splitter knows only strings, brackets and line ends. Whether a piece is JSON is for the
//! parser to say.

use std::io::{self, BufRead, BufReader, Cursor, Read};

/// How many bytes are looked at to tell newline-delimited JSON from a single document.
const PEEK_BYTES: u64 = 64 * 1024;

/// Largest piece kept, in bytes; a larger one is skipped over and reported.
pub(crate) const MAX_PIECE_BYTES: usize = 8 * 1024 * 1024;

/// What a piece was cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// A whole top-level value; of a Bundle, everything but its entries.
    Whole,
    /// One element of a top-level object's `entry` array.
    Entry,
}

/// One piece of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) kind: PieceKind,
    /// The bytes; empty when the piece was larger than [`MAX_PIECE_BYTES`].
    pub(crate) bytes: Vec<u8>,
    /// Line where the piece begins, from 1.
    pub(crate) line: u64,
    /// Byte of that line where it begins, from 1.
    pub(crate) column: u64,
    /// Line where the piece ends.
    pub(crate) last_line: u64,
    /// Entries of this top-level value handed out before this piece.
    pub(crate) entries_before: u64,
    pub(crate) oversized: bool,
    /// The stream ended inside this piece.
    pub(crate) cut_short: bool,
}

/// Iterator over the pieces of a stream.
pub(crate) struct Splitter<R: Read> {
    source: BufReader<io::Chain<Cursor<Vec<u8>>, R>>,
    by_line: bool,
    at: Position,
    scan: Scan,
    done: bool,
}

/// A place in the stream: line and byte of the line, from 1.
#[derive(Clone, Copy)]
struct Position {
    line: u64,
    column: u64,
}

impl<R: Read> Splitter<R> {
    /// Looks at the beginning of the stream and prepares to cut it.
    ///
    /// # Errors
    /// The stream's own read errors.
    pub(crate) fn new(mut source: R) -> io::Result<Self> {
        let mut head = Vec::new();
        source.by_ref().take(PEEK_BYTES).read_to_end(&mut head)?;
        if head.starts_with(b"\xEF\xBB\xBF") {
            head.drain(..3);
        }
        let by_line = is_line_delimited(&head);
        let source = BufReader::with_capacity(64 * 1024, Cursor::new(head).chain(source));
        Ok(Self {
            source,
            by_line,
            at: Position { line: 1, column: 1 },
            scan: Scan::default(),
            done: false,
        })
    }

    fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let mut used = 0;
            let mut piece = None;
            let buffer = self.source.fill_buf()?;
            let at_end = buffer.is_empty();
            for &byte in buffer {
                used += 1;
                piece = if self.by_line {
                    self.scan.line_byte(byte, self.at)
                } else {
                    self.scan.byte(byte, self.at)
                };
                self.at.column += 1;
                if byte == b'\n' {
                    self.at.line += 1;
                    self.at.column = 1;
                }
                if piece.is_some() {
                    break;
                }
            }
            self.source.consume(used);
            // After the first whole value the rest can only be further lines.
            if piece
                .as_ref()
                .is_some_and(|piece| piece.kind == PieceKind::Whole)
            {
                self.by_line = true;
            }
            if at_end {
                self.done = true;
                return Ok(self.scan.finish(self.by_line));
            }
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }
}

impl<R: Read> Iterator for Splitter<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_piece();
        if next.is_err() {
            self.done = true;
        }
        next.transpose()
    }
}

/// Newline-delimited when the first line looks complete and the second one begins an object.
fn is_line_delimited(head: &[u8]) -> bool {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let Some(first) = lines.find(|line| !line.is_empty()) else {
        return false;
    };
    let Some(second) = lines.find(|line| !line.is_empty()) else {
        return false;
    };
    let is_open = matches!(first.last(), Some(b'{' | b'[' | b',' | b':'));
    first.starts_with(b"{") && !is_open && second.starts_with(b"{\"")
}

/// Where the scan stands inside the current top-level value.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The string just read at depth 1, to recognise the key `entry`.
    last_string: Vec<u8>,
    /// A colon followed `"entry"` at depth 1.
    entry_key: bool,
    in_entries: bool,
    entries: u64,
    whole: Buffer,
    entry: Buffer,
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    line: u64,
    column: u64,
    last_line: u64,
    oversized: bool,
}

impl Buffer {
    fn push(&mut self, byte: u8, at: Position) {
        self.last_line = at.line;
        if self.bytes.is_empty() && !self.oversized {
            (self.line, self.column) = (at.line, at.column);
        }
        if self.oversized {
            return;
        }
        if self.bytes.len() >= MAX_PIECE_BYTES {
            self.bytes = Vec::new();
            self.oversized = true;
            return;
        }
        self.bytes.push(byte);
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.oversized
    }

    fn take(&mut self, kind: PieceKind, entries_before: u64, cut_short: bool) -> Piece {
        let taken = std::mem::take(self);
        Piece {
            kind,
            bytes: taken.bytes,
            line: taken.line,
            column: taken.column,
            last_line: taken.last_line,
            entries_before,
            oversized: taken.oversized,
            cut_short,
        }
    }
}

impl Scan {
    /// Takes one byte of newline-delimited JSON; gives a piece at the end of a line.
    fn line_byte(&mut self, byte: u8, at: Position) -> Option<Piece> {
        if byte == b'\n' {
            return (!self.whole.is_empty()).then(|| self.whole.take(PieceKind::Whole, 0, false));
        }
        if !(self.whole.is_empty() && byte.is_ascii_whitespace()) {
            self.whole.push(byte, at);
        }
        None
    }

    /// Takes one byte of a document; gives a piece when an entry or the whole value ends.
    fn byte(&mut self, byte: u8, at: Position) -> Option<Piece> {
        if self.depth == 0 && !self.in_string && self.whole.is_empty() && byte.is_ascii_whitespace()
        {
            return None;
        }
        // What stands between two entries; anything else there is an entry, if only a number.
        let is_between = self.depth == 2
            && !self.in_string
            && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'));
        if self.in_entries && self.depth >= 2 && !is_between {
            self.entry.push(byte, at);
        } else if !self.in_entries || (byte == b']' && !self.in_string) {
            self.whole.push(byte, at);
        }
        if self.in_string {
            self.string_byte(byte);
            return None;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.last_string.clear();
            }
            b':' if self.depth == 1 => self.entry_key = self.last_string == b"entry",
            b',' if self.depth == 1 => self.entry_key = false,
            b',' if self.in_entries && self.depth == 2 => return self.plain_entry(),
            b'{' | b'[' => {
                self.in_entries |= self.depth == 1 && self.entry_key && byte == b'[';
                self.depth += 1;
            }
            b'}' | b']' => return self.close(),
            _ => {}
        }
        None
    }

    fn string_byte(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            return;
        }
        if self.depth == 1 && self.last_string.len() < 16 {
            self.last_string.push(byte);
        }
    }

    /// An element of the entries that is no object or list.
    fn plain_entry(&mut self) -> Option<Piece> {
        if self.entry.is_empty() {
            return None;
        }
        self.entries += 1;
        Some(self.entry.take(PieceKind::Entry, self.entries - 1, false))
    }

    fn close(&mut self) -> Option<Piece> {
        self.depth = self.depth.saturating_sub(1);
        if self.in_entries && self.depth == 2 {
            self.entries += 1;
            return Some(self.entry.take(PieceKind::Entry, self.entries - 1, false));
        }
        if self.in_entries && self.depth == 1 {
            self.in_entries = false;
            self.entry_key = false;
            return self.plain_entry();
        }
        if self.depth == 0 {
            let piece = self.whole.take(PieceKind::Whole, self.entries, false);
            *self = Self::default();
            return Some(piece);
        }
        None
    }

    /// What is left when the stream ends.
    fn finish(&mut self, by_line: bool) -> Option<Piece> {
        if by_line {
            return (!self.whole.is_empty()).then(|| self.whole.take(PieceKind::Whole, 0, false));
        }
        let entries = self.entries;
        self.whole.last_line = self.whole.last_line.max(self.entry.last_line);
        (!self.whole.is_empty()).then(|| self.whole.take(PieceKind::Whole, entries, true))
    }
}
