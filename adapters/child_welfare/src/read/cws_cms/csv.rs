//! Comma-separated records with their physical lines, robust against stray quotes.
//!
//! A quoted field may span lines. When a record that spans lines does not fit the header, its first
//! line alone is given up and reading goes on with the next, so that one stray quote costs one row
//! and not the rest of the file.

use std::collections::VecDeque;
use std::io::{self, Read};

use tandem_adapter_port::text::{Line, Lines};

/// The most lines that one record may span; the longest free text of a table has 254 characters.
const MAX_RECORD_LINES: usize = 16;

/// One record and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The cells, unquoted, not trimmed.
    pub(crate) cells: Vec<String>,
    /// First line, from 1.
    pub(crate) line: u64,
    /// Last line.
    pub(crate) last_line: u64,
    /// Whether it was not UTF-8 and was read as Windows-1252.
    pub(crate) is_windows_1252: bool,
}

/// What a table yields next.
pub(crate) enum Next {
    /// A record with as many cells as the header.
    Record(Record),
    /// A line that is no record.
    Malformed {
        /// The line, from 1.
        line: u64,
    },
}

/// Reads records of one width.
pub(crate) struct Records<R> {
    lines: Lines<R>,
    pending: VecDeque<Line>,
    width: usize,
}

impl<R: Read> Records<R> {
    /// Starts a table: its header, then its records. `None` when there is no header.
    pub(crate) fn start(reader: R) -> io::Result<Option<(Record, Self)>> {
        let mut records = Self {
            lines: Lines::new(reader),
            pending: VecDeque::new(),
            width: 0,
        };
        let Some(line) = records.filled_line()? else {
            return Ok(None);
        };
        let mut cells = Vec::new();
        // A carriage return inside the header ends lines that this reader can't tell apart: the
        // whole table would pass for a header without rows.
        let is_one_line = !line.is_cut && !line.text.contains('\r');
        if !is_one_line || !split(&line.text, &mut cells) {
            cells.clear();
        }
        records.width = cells.len();
        let header = Record {
            cells,
            line: line.number,
            last_line: line.number,
            is_windows_1252: line.is_windows_1252,
        };
        Ok(Some((header, records)))
    }

    /// The next record or malformed line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Next>> {
        let Some(first) = self.filled_line()? else {
            return Ok(None);
        };
        if first.is_cut {
            return Ok(Some(Next::Malformed { line: first.number }));
        }
        let mut joined = first.text.clone();
        let mut taken: Vec<Line> = Vec::new();
        let mut windows = first.is_windows_1252;
        let mut cells = Vec::new();
        loop {
            cells.clear();
            let is_closed = split(&joined, &mut cells);
            if is_closed && cells.len() == self.width {
                let last_line = taken.last().map_or(first.number, |line| line.number);
                let record = Record {
                    cells,
                    line: first.number,
                    last_line,
                    is_windows_1252: windows,
                };
                return Ok(Some(Next::Record(record)));
            }
            if is_closed || taken.len() + 1 >= MAX_RECORD_LINES {
                break;
            }
            match self.line()? {
                Some(line) if !line.is_cut => {
                    joined.push('\n');
                    joined.push_str(&line.text);
                    windows |= line.is_windows_1252;
                    taken.push(line);
                }
                Some(line) => {
                    taken.push(line);
                    break;
                }
                None => break,
            }
        }
        for line in taken.into_iter().rev() {
            self.pending.push_front(line);
        }
        Ok(Some(Next::Malformed { line: first.number }))
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        match self.pending.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next_line(),
        }
    }

    fn filled_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.line()? {
                Some(line) if line.text.trim().is_empty() && !line.is_cut => {}
                other => return Ok(other),
            }
        }
    }
}

/// Splits a text into cells; false when a quote is left open.
fn split(text: &str, cells: &mut Vec<String>) -> bool {
    let mut cell = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    let mut at_start = true;
    while let Some(one) = characters.next() {
        match one {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if at_start => quoted = true,
            ',' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                at_start = true;
                continue;
            }
            other => cell.push(other),
        }
        at_start = false;
    }
    cells.push(cell);
    !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Vec<String>>, Vec<u64>) {
        let Some((_, mut records)) = Records::start(text.as_bytes()).unwrap() else {
            return Default::default();
        };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        while let Some(next) = records.next().unwrap() {
            match next {
                Next::Record(record) => good.push(record.cells),
                Next::Malformed { line } => bad.push(line),
            }
        }
        (good, bad)
    }

    #[test]
    fn a_quoted_cell_may_hold_commas_quotes_and_line_ends() {
        let (good, bad) = read("A,B\n\"a,\"\"b\"\"\",\"c\nd\"\ne,f\n");
        assert_eq!(good, [["a,\"b\"", "c\nd"], ["e", "f"]]);
        assert!(bad.is_empty());
    }

    #[test]
    fn one_stray_quote_costs_one_row() {
        let (good, bad) = read("A,B\n\"a,b\nc,d\ne,f\n");
        assert_eq!(good, [["c", "d"], ["e", "f"]]);
        assert_eq!(bad, [2]);
    }

    #[test]
    fn a_quote_inside_a_cell_is_a_letter() {
        let (good, bad) = read("A,B\nO\"Demofield,x\n");
        assert_eq!(good, [["O\"Demofield", "x"]]);
        assert!(bad.is_empty());
    }

    #[test]
    fn a_row_of_another_width_is_malformed() {
        let (good, bad) = read("A,B\na\na,b,c\na,b\n");
        assert_eq!((good.len(), bad), (1, vec![2, 3]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[\\PC\n\",]{0,300}") {
            let _ = read(&text);
        }
    }
}
