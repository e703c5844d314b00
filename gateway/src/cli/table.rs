//! Aligned columns for people.

/// Rows of text under a header.
#[derive(Debug, Default)]
pub(super) struct TextTable {
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// A table with a header.
    pub(super) fn new<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Self {
        let mut table = Self::default();
        table.row(header);
        table
    }

    /// Adds a row.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|cell| printable(&cell.into()));
        self.rows.push(cells.collect());
    }

    /// The rows as lines; each column as wide as its widest cell.
    pub(super) fn lines(&self, indent: &str) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let padded = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            let text = padded.collect::<Vec<_>>().join("  ");
            format!("{indent}{}", text.trim_end())
        };
        self.rows.iter().map(line).collect()
    }
}

/// Text that does nothing to a terminal but show: control characters become `?`.
pub(super) fn printable(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() { '?' } else { letter };
    text.chars().map(shown).collect()
}

/// Text of its own lines, outside a table: each of them as [`printable`] has it.
pub(super) fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_line_ends_with_blanks() {
        let mut table = TextTable::new(["type", "count"]);
        table.row(["TRAILER", "1"]);
        table.row(["T1"]);
        assert_eq!(table.lines(" "), [" type     count", " TRAILER  1", " T1"]);
    }

    #[test]
    fn a_file_name_can_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a?[2Jb?");
        assert_eq!(printable_lines("a\u{1b}[2J\r\nb\n"), "a?[2J\nb");
    }
}
