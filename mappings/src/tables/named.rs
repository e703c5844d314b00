//! CSV layouts: which named columns of a partner's file hold which field.

use std::collections::BTreeMap;

use super::{Row, Table, TableError};

/// Which columns of a table hold the parts of a CSV layout.
#[derive(Debug, Clone, Copy)]
pub struct CsvColumns<'a> {
    /// File or record type that the column belongs to; `None` when the table describes one.
    pub file: Option<&'a str>,
    /// Our field name.
    pub field: &'a str,
    /// The header name in the partner's file; the field name itself when the cell is blank.
    pub column: &'a str,
}

/// One column of a partner's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvField {
    /// File or record type; empty when the layout has one.
    pub file: String,
    /// Our field name.
    pub name: String,
    /// Header name in the partner's file.
    pub column: String,
    /// The row, for the other columns of the table.
    pub row: Row,
}

/// A checked CSV layout. Columns keep the order of the table.
#[derive(Debug, Clone)]
pub struct CsvLayout {
    table: Table,
    fields: Vec<CsvField>,
}

impl CsvLayout {
    /// Builds a layout from a table.
    ///
    /// # Errors
    /// [`TableError`] with file and line when a name is blank, or a field or a header name stands
    /// twice in one file.
    pub fn new(table: Table, columns: CsvColumns<'_>) -> Result<Self, TableError> {
        let mut fields = Vec::with_capacity(table.rows().len());
        let mut seen: BTreeMap<(&str, String, String), u64> = BTreeMap::new();
        for row in table.rows() {
            let file = columns
                .file
                .map_or(Ok(""), |column| row.required(column))?
                .to_owned();
            let name = row.required(columns.field)?.to_owned();
            let column = match row.get(columns.column) {
                "" => name.clone(),
                column => column.to_owned(),
            };
            for (kind, value) in [(columns.field, &name), (columns.column, &column)] {
                if let Some(first) = seen.insert((kind, file.clone(), value.clone()), row.line())
                    && first != row.line()
                {
                    return Err(TableError::Duplicate {
                        file: row.file().to_owned(),
                        line: row.line(),
                        column: kind.to_owned(),
                        first,
                    });
                }
            }
            fields.push(CsvField {
                file,
                name,
                column,
                row: row.clone(),
            });
        }
        Ok(Self { table, fields })
    }

    /// The table that the layout was built from.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Columns of one file (`""` when the layout has one), in order.
    pub fn file<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a CsvField> {
        self.fields.iter().filter(move |field| field.file == file)
    }

    /// A field by the header name in the partner's file.
    #[must_use]
    pub fn by_column(&self, file: &str, column: &str) -> Option<&CsvField> {
        self.fields
            .iter()
            .find(|field| field.file == file && field.column == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: CsvColumns<'_> = CsvColumns {
        file: None,
        field: "field",
        column: "column",
    };

    fn layout(rows: &str) -> Result<CsvLayout, TableError> {
        let text = format!("# source: x\n# version: 1\nfield,column\n{rows}");
        CsvLayout::new(
            Table::parse("caseload.csv", &text, &["field", "column"])?,
            COLUMNS,
        )
    }

    #[test]
    fn a_field_is_found_by_the_partners_header_name() {
        let layout = layout("first_name,FNAME\ncin,\n").unwrap();
        assert_eq!(layout.by_column("", "FNAME").unwrap().name, "first_name");
        assert_eq!(layout.by_column("", "cin").unwrap().name, "cin");
        assert!(layout.by_column("", "first_name").is_none());
        assert_eq!(layout.file("").count(), 2);
    }

    #[test]
    fn a_field_or_header_name_that_stands_twice_is_refused_with_its_line() {
        for rows in ["cin,A\ncin,B\n", "cin,A\nssn,A\n"] {
            let error = layout(rows).unwrap_err();
            assert!(
                matches!(
                    error,
                    TableError::Duplicate {
                        line: 5,
                        first: 4,
                        ..
                    }
                ),
                "{error}"
            );
        }
        assert!(layout(",A\n").is_err());
    }
}
