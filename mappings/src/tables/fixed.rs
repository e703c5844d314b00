//! Fixed-width layouts: which positions of a record hold which field.

use std::collections::BTreeMap;

use super::{ExampleFailure, Row, Table, TableError};

/// Which columns of a table hold the parts of a fixed-width layout.
#[derive(Debug, Clone, Copy)]
pub struct FixedColumns<'a> {
    /// Record type that the field belongs to; `None` when the table holds one record type.
    pub record: Option<&'a str>,
    /// Field name, unique within its record type and occurrence.
    pub field: &'a str,
    /// First position, counted from 1.
    pub start: &'a str,
    /// Last position, inclusive.
    pub end: &'a str,
    /// Name of the repetition (`child1`, `child2`) when a block of fields stands several times in a
    /// record; `None` when no block does.
    pub occurrence: Option<&'a str>,
}

/// Whether positions may belong to no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// Every position from 1 to the end must belong to a field (fillers are listed).
    Forbidden,
    /// The publisher leaves positions out.
    Allowed,
}

/// One field of a fixed-width record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedField {
    /// Record type; empty when the layout has one.
    pub record: String,
    /// Field name.
    pub name: String,
    /// Name of the repetition; empty for a field that stands once.
    pub occurrence: String,
    /// First position, counted from 1.
    pub start: usize,
    /// Last position, inclusive.
    pub end: usize,
    /// The row, for the other columns of the table.
    pub row: Row,
}

impl FixedField {
    /// Width in positions.
    #[must_use]
    pub fn width(&self) -> usize {
        self.end + 1 - self.start
    }

    /// The part of a record that is this field. A record whose trailing blanks were cut gives what
    /// is left of the field, or nothing.
    #[must_use]
    pub fn slice<'a>(&self, record: &'a [u8]) -> &'a [u8] {
        let end = self.end.min(record.len());
        record.get(self.start - 1..end).unwrap_or_default()
    }
}

/// A checked fixed-width layout.
#[derive(Debug, Clone)]
pub struct FixedLayout {
    table: Table,
    fields: Vec<FixedField>,
}

impl FixedLayout {
    /// Builds a layout from a table; fields come out ordered by record type and position.
    ///
    /// # Errors
    /// [`TableError`] with file and line when a position is not a number from 1, a field ends
    /// before it starts, overlaps another, leaves a gap, or is there twice.
    pub fn new(table: Table, columns: FixedColumns<'_>, gaps: Gaps) -> Result<Self, TableError> {
        let mut fields = Vec::with_capacity(table.rows().len());
        let mut names: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        for row in table.rows() {
            let field = read_field(row, columns)?;
            let key = (
                field.record.clone(),
                field.name.clone(),
                field.occurrence.clone(),
            );
            if let Some(first) = names.insert(key, row.line()) {
                return Err(TableError::Duplicate {
                    file: row.file().to_owned(),
                    line: row.line(),
                    column: columns.field.to_owned(),
                    first,
                });
            }
            fields.push(field);
        }
        fields.sort_by(|one, other| {
            (one.record.as_str(), one.start).cmp(&(other.record.as_str(), other.start))
        });
        check_positions(&fields, columns.start, gaps)?;
        Ok(Self { table, fields })
    }

    /// The table that the layout was built from.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// All fields, by record type and position.
    #[must_use]
    pub fn fields(&self) -> &[FixedField] {
        &self.fields
    }

    /// Fields of one record type (`""` when the layout has one), by position.
    pub fn record<'a>(&'a self, record: &'a str) -> impl Iterator<Item = &'a FixedField> {
        self.fields
            .iter()
            .filter(move |field| field.record == record)
    }

    /// Length of a record in positions, 0 for an unknown record type.
    #[must_use]
    pub fn length(&self, record: &str) -> usize {
        self.record(record)
            .map(|field| field.end)
            .max()
            .unwrap_or(0)
    }

    /// A field by record type, name and occurrence (`""` for a field that stands once).
    #[must_use]
    pub fn field(&self, record: &str, name: &str, occurrence: &str) -> Option<&FixedField> {
        let mut fields = self.fields.iter();
        fields.find(|field| {
            field.record == record && field.name == name && field.occurrence == occurrence
        })
    }

    /// Runs the example pairs, written `# example: field|RAW RECORD -> value`, or
    /// `# example: record.field|RAW RECORD -> value`.
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        self.table.failed_examples(|input| {
            let (name, raw) = input.split_once('|')?;
            let (record, name) = name.trim().split_once('.').unwrap_or(("", name.trim()));
            let slice = self.field(record, name, "")?.slice(raw.as_bytes());
            Some(String::from_utf8_lossy(slice).trim().to_owned())
        })
    }
}

fn read_field(row: &Row, columns: FixedColumns<'_>) -> Result<FixedField, TableError> {
    let record = columns
        .record
        .map_or(Ok(""), |column| row.required(column))?
        .to_owned();
    let occurrence = columns
        .occurrence
        .map_or("", |column| row.get(column))
        .to_owned();
    let start: usize = row.parsed(columns.start, "a position from 1")?;
    let end: usize = row.parsed(columns.end, "a position from 1")?;
    if start == 0 {
        return Err(row.refuse(columns.start, "a position from 1"));
    }
    // A record longer than this is a typing error, not a layout.
    if end < start || end > 100_000 {
        return Err(row.refuse(columns.end, "a position from the start to 100000"));
    }
    let name = row.required(columns.field)?.to_owned();
    Ok(FixedField {
        record,
        name,
        occurrence,
        start,
        end,
        row: row.clone(),
    })
}

fn check_positions(fields: &[FixedField], column: &str, gaps: Gaps) -> Result<(), TableError> {
    let (mut record, mut previous_end) = (None, 0);
    for field in fields {
        if record != Some(&field.record) {
            (record, previous_end) = (Some(&field.record), 0);
        }
        let (file, line) = (field.row.file().to_owned(), field.row.line());
        let column = column.to_owned();
        if field.start <= previous_end {
            return Err(TableError::Overlap {
                file,
                line,
                column,
                previous_end,
            });
        }
        if gaps == Gaps::Forbidden && field.start > previous_end + 1 {
            let expected_start = previous_end + 1;
            return Err(TableError::Gap {
                file,
                line,
                column,
                expected_start,
            });
        }
        previous_end = field.end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[&str] = &["record", "field", "start", "end", "occurrence"];
    const COLUMNS: FixedColumns<'_> = FixedColumns {
        record: Some("record"),
        field: "field",
        start: "start",
        end: "end",
        occurrence: Some("occurrence"),
    };

    fn layout(rows: &str, gaps: Gaps) -> Result<FixedLayout, TableError> {
        let text = format!(
            "# source: x\n# version: 1\n# example: T3.month|T3202601 -> 202601\nrecord,field,start,end,occurrence\n{rows}"
        );
        FixedLayout::new(Table::parse("t3.csv", &text, HEADER)?, COLUMNS, gaps)
    }

    const ROWS: &str =
        "T3,tag,1,2,\nT3,month,3,8,\nT3,sex,9,9,child1\nT3,sex,10,10,child2\nT4,tag,1,2,\n";

    #[test]
    fn fields_are_cut_by_position_and_a_trimmed_record_gives_what_is_left() {
        let layout = layout(ROWS, Gaps::Forbidden).unwrap();
        let field = |name, occurrence| layout.field("T3", name, occurrence).unwrap();
        assert_eq!(field("sex", "child2").slice(b"T320260112"), b"2");
        assert_eq!(field("month", "").slice(b"T3202"), b"202");
        assert_eq!(field("sex", "child1").slice(b"T3202"), b"");
        assert_eq!(
            (
                layout.length("T3"),
                layout.length("T4"),
                layout.length("T9")
            ),
            (10, 2, 0)
        );
        assert_eq!(field("month", "").width(), 6);
        assert_eq!(layout.failed_examples(), []);
    }

    #[test]
    fn an_overlap_a_gap_and_a_duplicate_are_refused_with_file_and_line() {
        let message = |rows| layout(rows, Gaps::Forbidden).unwrap_err().to_string();
        assert_eq!(
            message("T3,tag,1,2,\nT3,month,2,8,\n"),
            "t3.csv:6: column `start`: expected a position after 2"
        );
        assert_eq!(
            message("T3,tag,1,2,\nT3,month,4,8,\n"),
            "t3.csv:6: column `start`: expected position 3, found a gap"
        );
        assert_eq!(
            message("T3,tag,1,2,\nT3,tag,3,8,\n"),
            "t3.csv:6: column `field`: expected one row per key, first at line 5"
        );
    }

    #[test]
    fn a_gap_is_allowed_only_on_request() {
        let rows = "T3,tag,1,2,\nT3,month,4,8,\n";
        assert!(layout(rows, Gaps::Allowed).is_ok());
        assert!(layout(rows, Gaps::Forbidden).is_err());
    }

    #[test]
    fn positions_count_from_one_and_end_after_they_start() {
        for rows in [
            "T3,tag,0,2,\n",
            "T3,tag,3,2,\n",
            "T3,tag,1,x,\n",
            "T3,tag,1,99999999,\n",
        ] {
            assert!(matches!(
                layout(rows, Gaps::Allowed),
                Err(TableError::Value { line: 5, .. })
            ));
        }
    }
}
