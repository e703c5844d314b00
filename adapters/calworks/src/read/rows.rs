//! Rows of CSV text (RFC 4180), one at a time and of bounded size.
//!
//! A quoted cell may hold line ends. A quote that is never closed would swallow the rest of a file, so that a row ends
//! after [`MAX_ROW_LINES`] lines or [`MAX_ROW_BYTES`] bytes: its first line is reported and reading goes on with the
//! line after it.

use std::collections::VecDeque;
use std::io::{self, Read};

use tandem_adapter_port::text::{Line, Lines};

/// The most lines of one row.
pub(crate) const MAX_ROW_LINES: usize = 32;
/// The most bytes of one row.
pub(crate) const MAX_ROW_BYTES: usize = 64 * 1024;

/// What is wrong with a row as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFault {
    /// A quote is not closed, or stands inside a cell without quotes.
    StrayQuote,
    /// The line is longer than any row.
    TooLong,
    /// The stream broke; nothing follows.
    Unreadable,
}

/// One row.
pub(crate) struct Row {
    /// Line on which it starts, 1-based.
    pub(crate) line: u64,
    /// Line on which it ends.
    pub(crate) last_line: u64,
    /// Its cells.
    pub(crate) cells: Result<Vec<String>, RowFault>,
    /// Whether bytes were not UTF-8 and were read as Windows-1252.
    pub(crate) is_windows_1252: bool,
}

/// Rows of a stream.
pub(crate) struct Rows<R> {
    lines: Lines<R>,
    ahead: VecDeque<Line>,
    is_over: bool,
}

impl<R: Read> Rows<R> {
    /// Rows of this stream.
    pub(crate) fn new(reader: R) -> Self {
        Self {
            lines: Lines::new(reader),
            ahead: VecDeque::new(),
            is_over: false,
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None if self.is_over => Ok(None),
            None => self.lines.next_line(),
        }
    }

    /// The next row that is not blank; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Row> {
        loop {
            match self.next_line() {
                Ok(None) => return None,
                Ok(Some(line)) if line.text.trim().is_empty() => {}
                Ok(Some(line)) => return Some(self.row(line)),
                Err(_) => return Some(self.broken(0)),
            }
        }
    }

    fn broken(&mut self, line: u64) -> Row {
        self.is_over = true;
        self.ahead.clear();
        Row {
            line,
            last_line: line,
            cells: Err(RowFault::Unreadable),
            is_windows_1252: false,
        }
    }

    fn row(&mut self, first: Line) -> Row {
        let (number, is_windows_1252) = (first.number, first.is_windows_1252);
        let fault = |fault| Row {
            line: number,
            last_line: number,
            cells: Err(fault),
            is_windows_1252,
        };
        if first.is_cut || first.text.len() > MAX_ROW_BYTES {
            return fault(RowFault::TooLong);
        }
        let mut text = first.text;
        let mut more: Vec<Line> = Vec::new();
        let mut is_open = has_open_quote(&text);
        while is_open {
            let is_full = more.len() + 1 >= MAX_ROW_LINES || text.len() > MAX_ROW_BYTES;
            let next = if is_full { Ok(None) } else { self.next_line() };
            match next {
                Ok(Some(line)) => {
                    text.push('\n');
                    text.push_str(&line.text);
                    is_open = is_open != has_open_quote(&line.text);
                    more.push(line);
                }
                Ok(None) => {
                    more.into_iter()
                        .rev()
                        .for_each(|line| self.ahead.push_front(line));
                    return fault(RowFault::StrayQuote);
                }
                Err(_) => return self.broken(number),
            }
        }
        let is_windows_1252 = is_windows_1252 || more.iter().any(|line| line.is_windows_1252);
        let last_line = more.last().map_or(number, |line| line.number);
        Row {
            line: number,
            last_line,
            cells: cells(&text),
            is_windows_1252,
        }
    }
}

/// Whether the text has an odd number of quotes: a quoted cell is still open at its end.
fn has_open_quote(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

fn cells(text: &str) -> Result<Vec<String>, RowFault> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = cell(rest)?;
        cells.push(cell);
        match after {
            Some(after) => rest = after,
            None => return Ok(cells),
        }
    }
}

/// The first cell, and what follows its comma.
fn cell(text: &str) -> Result<(String, Option<&str>), RowFault> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (cell, after) = match text.split_once(',') {
            Some((cell, after)) => (cell, Some(after)),
            None => (text, None),
        };
        return if cell.contains('"') {
            Err(RowFault::StrayQuote)
        } else {
            Ok((cell.to_owned(), after))
        };
    };
    let mut cell = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"').ok_or(RowFault::StrayQuote)?;
        cell.push_str(part);
        if let Some(doubled) = after.strip_prefix('"') {
            cell.push('"');
            rest = doubled;
        } else if after.is_empty() {
            return Ok((cell, None));
        } else {
            return Ok((
                cell,
                Some(after.strip_prefix(',').ok_or(RowFault::StrayQuote)?),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(u64, Result<Vec<String>, RowFault>)> {
        let mut rows = Rows::new(text.as_bytes());
        std::iter::from_fn(|| rows.next_row())
            .map(|row| (row.line, row.cells))
            .collect()
    }

    fn texts(cells: &[&str]) -> Result<Vec<String>, RowFault> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn quotes_hold_commas_line_ends_and_doubled_quotes() {
        let found = all("a,\"b,\n\"\"c\"\"\",\r\n\nd\n");
        assert_eq!(
            found,
            [(1, texts(&["a", "b,\n\"c\"", ""])), (4, texts(&["d"]))]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_line_only() {
        let mut text = "a,\"b\n".to_owned();
        (0..100).for_each(|_| text.push_str("c,d\n"));
        let found = all(&text);
        assert_eq!(found.len(), 101);
        assert_eq!(found[0], (1, Err(RowFault::StrayQuote)));
        assert_eq!(found[1], (2, texts(&["c", "d"])));
    }

    #[test]
    fn a_quote_inside_a_plain_cell_is_a_fault() {
        assert_eq!(all("a\"b\"\n"), [(1, Err(RowFault::StrayQuote))]);
    }

    proptest::proptest! {
        #[test]
        fn what_the_csv_crate_writes_reads_back(cells in proptest::collection::vec("[a,\"\n =é]{0,5}", 1..5)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&cells).unwrap();
            let bytes = writer.into_inner().unwrap();
            let mut rows = Rows::new(bytes.as_slice());
            let first = rows.next_row();
            if let Some(row) = first {
                proptest::prop_assert_eq!(row.cells.unwrap(), cells);
            }
        }

        #[test]
        fn no_bytes_make_reading_panic_or_hang(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let mut rows = Rows::new(bytes.as_slice());
            let count = std::iter::from_fn(|| rows.next_row()).count();
            proptest::prop_assert!(count <= bytes.len() + 1);
        }
    }
}
