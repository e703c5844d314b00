//! Splits the bytes of a CSV file into records, and survives what real exports do to quotes.
//!
//! RFC 4180 with recovery. A quote inside a quoted field that is followed by neither a comma, a quote nor
//! the end of the line is part of the text. A quoted field may run over several lines, but only as far as
//! [`MAX_JOINED_LINES`] and only when the record then has as many fields as the header; otherwise the quote
//! was a stray one and the line is split again on its own. One unclosed quote so spoils one record,
//! never the rest of the file.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};

use tandem_adapter_port::text::{Line, Lines};

use super::split::{QuoteRule, Splitter, split_line};

/// Free text of at most 500 characters does not run over more lines than this.
const MAX_JOINED_LINES: usize = 20;

/// One record, and what was odd about its bytes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Line on which the record starts, counted from 1.
    pub(crate) line: u64,
    /// Line on which it ends.
    pub(crate) last_line: u64,
    /// Field texts.
    pub(crate) fields: Vec<String>,
    /// A quote stood where none may stand; the text was kept.
    pub(crate) has_stray_quote: bool,
    /// The bytes were no UTF-8 and were read as Windows-1252.
    pub(crate) is_windows_1252: bool,
    /// The line was longer than allowed: its end is missing.
    pub(crate) is_cut: bool,
}

impl Record {
    /// Whether the fields are those of a header of this width: more are allowed only when blank.
    pub(crate) fn fits(&self, width: usize) -> bool {
        !self.is_cut
            && self.fields.len() >= width
            && self
                .fields
                .get(width..)
                .unwrap_or_default()
                .iter()
                .all(String::is_empty)
    }
}

/// The first bytes of a stream, given back to it.
type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// Reads records from a stream.
pub(crate) struct RecordReader<R> {
    lines: Lines<Peeked<R>>,
    pushed_back: VecDeque<Line>,
    had_bom: bool,
}

impl<R: Read> RecordReader<R> {
    /// Reads the first bytes of the stream.
    pub(crate) fn new(mut input: R) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(3).read_to_end(&mut head)?;
        let had_bom = head == b"\xef\xbb\xbf";
        let lines = Lines::new(Cursor::new(head).chain(input));
        Ok(Self {
            lines,
            pushed_back: VecDeque::new(),
            had_bom,
        })
    }

    /// Whether a byte order mark stood before the first line.
    pub(crate) fn had_bom(&self) -> bool {
        self.had_bom
    }

    /// The next record; `None` at the end. `width` is the number of fields that the header announced.
    pub(crate) fn next(&mut self, width: Option<usize>) -> io::Result<Option<Record>> {
        let first = loop {
            match self.next_line()? {
                None => return Ok(None),
                Some(line) if line.text.trim().is_empty() && !line.is_cut => {}
                Some(line) => break line,
            }
        };
        if !first.text.contains('"') {
            let fields = first.text.split(',').map(str::to_owned).collect();
            return Ok(Some(record_of(&first, fields, false)));
        }
        let mut splitter = Splitter::new(QuoteRule::Standard);
        splitter.feed(&first.text);
        if splitter.is_open() {
            return self.joined(&first, splitter, width).map(Some);
        }
        let (fields, is_stray) = splitter.finish();
        if width.is_none_or(|width| width == fields.len()) {
            return Ok(Some(record_of(&first, fields, is_stray)));
        }
        Ok(Some(alone(&first, fields, width)))
    }

    /// Continues a quoted field over the next lines, or gives the lines back when that makes no sense.
    fn joined(
        &mut self,
        first: &Line,
        mut splitter: Splitter,
        width: Option<usize>,
    ) -> io::Result<Record> {
        if width.is_none() {
            // A header runs over no two lines: the quote is a stray one.
            let fields = split_line(&first.text, QuoteRule::Literal);
            return Ok(record_of(first, fields, true));
        }
        let mut taken = Vec::new();
        let mut has_windows_1252 = first.is_windows_1252;
        while splitter.is_open() && taken.len() < MAX_JOINED_LINES {
            let Some(line) = self.next_line()? else { break };
            splitter.feed_next_line(&line.text);
            has_windows_1252 |= line.is_windows_1252;
            taken.push(line);
        }
        let is_open = splitter.is_open();
        let (fields, is_stray) = splitter.finish();
        // A quote out of place inside means that a stray one was taken for the beginning of a field.
        if !is_open && !is_stray && width == Some(fields.len()) {
            let mut record = record_of(first, fields, false);
            record.is_windows_1252 = has_windows_1252;
            record.last_line = taken.last().map_or(record.line, |line| line.number);
            return Ok(record);
        }
        for line in taken.into_iter().rev() {
            self.pushed_back.push_front(line);
        }
        let fields = split_line(&first.text, QuoteRule::Standard);
        Ok(alone(first, fields, width))
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        match self.pushed_back.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next_line(),
        }
    }
}

fn record_of(line: &Line, fields: Vec<String>, has_stray_quote: bool) -> Record {
    Record {
        line: line.number,
        last_line: line.number,
        fields,
        has_stray_quote,
        is_windows_1252: line.is_windows_1252,
        is_cut: line.is_cut,
    }
}

/// A line on its own whose quotes do not add up: the first reading that has the right width, else the first.
fn alone(line: &Line, standard: Vec<String>, width: Option<usize>) -> Record {
    let other = [QuoteRule::Doubled, QuoteRule::Literal]
        .into_iter()
        .map(|rule| split_line(&line.text, rule))
        .find(|fields| Some(fields.len()) == width);
    record_of(line, other.unwrap_or(standard), true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], width: usize) -> Vec<(u64, Vec<String>)> {
        let mut reader = RecordReader::new(text).unwrap();
        let mut records = Vec::new();
        while let Some(record) = reader.next(Some(width)).unwrap() {
            records.push((record.line, record.fields));
        }
        records
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (
            line,
            fields.iter().map(|field| (*field).to_owned()).collect(),
        )
    }

    #[test]
    fn quoted_text_may_run_over_lines() {
        let records = read(b"1,\"two\r\nlines\",3\r\n4,5,6\n", 3);
        assert_eq!(
            records,
            [row(1, &["1", "two\nlines", "3"]), row(3, &["4", "5", "6"])]
        );
    }

    #[test]
    fn an_unclosed_quote_spoils_only_its_own_line() {
        let records = read(b"1,\"Testa,3\n4,5,6\n7,\"8\",9\n", 3);
        assert_eq!(
            records,
            [
                row(1, &["1", "\"Testa", "3"]),
                row(2, &["4", "5", "6"]),
                row(3, &["7", "8", "9"])
            ]
        );
    }

    #[test]
    fn quotes_left_inside_names_are_kept_as_text() {
        let records = read(
            b"1,\"Testa \"Bee\" X\",3\n1,\"Testa \"Bee\"\",3\n1,O\"Example,3\n",
            3,
        );
        assert_eq!(
            records,
            [
                row(1, &["1", "Testa \"Bee\" X", "3"]),
                row(2, &["1", "Testa \"Bee\"", "3"]),
                row(3, &["1", "O\"Example", "3"])
            ]
        );
    }

    #[test]
    fn windows_1252_bytes_are_read_and_marked() {
        let mut reader = RecordReader::new(&b"Pe\xf1a,1\n"[..]).unwrap();
        let record = reader.next(Some(2)).unwrap().unwrap();
        assert_eq!(record.fields, ["Peña", "1"]);
        assert!(record.is_windows_1252);
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_read() {
        let mut bytes = vec![b'a'; tandem_adapter_port::text::MAX_LINE_BYTES + 100];
        bytes.extend_from_slice(b"\nb\n");
        let mut reader = RecordReader::new(&bytes[..]).unwrap();
        assert!(reader.next(Some(1)).unwrap().unwrap().is_cut);
        assert_eq!(reader.next(Some(1)).unwrap().unwrap().fields, ["b"]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end_and_lose_no_line(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'a'), any::<u8>()], 0..400)
        ) {
            let mut reader = RecordReader::new(&bytes[..]).unwrap();
            let mut last = 0;
            while let Some(record) = reader.next(Some(2)).unwrap() {
                prop_assert!(record.line > last);
                last = record.line;
            }
        }
    }
}
