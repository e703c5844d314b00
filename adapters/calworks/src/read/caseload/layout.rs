//! A county's layout of its caseload batch: a data file that says where each field stands and what its codes mean.
//!
//! Columns: `field` (one of [`FIELDS`], or `filler1`, `filler2`...), `column` (CSV) or `start` and `end` (fixed width,
//! 1-based and inclusive; without gaps), `type`, `format` (of a date), `codes` (`source code=canonical code;...`) and
//! `required`. Comment lines `# example: field|source text -> value` are pairs that a check runs.

use std::collections::HashMap;

use tandem_mappings::model::person::{Relation, Sex};
use tandem_mappings::tables::{
    ExampleFailure, FixedColumns, FixedLayout, Gaps, Row, Table, TableError,
};

use super::value::{DateFormat, Kind, Value, read};

const EXAMPLE_CSV: &str = include_str!("../../../../../config/tables/calworks/caseload_csv.csv");
const EXAMPLE_FIXED: &str =
    include_str!("../../../../../config/tables/calworks/caseload_fixed.csv");
const COLUMNS: [&str; 8] = [
    "field", "column", "start", "end", "type", "format", "codes", "required",
];

/// Every field that a layout may name.
pub const FIELDS: [&str; 22] = [
    "case_number",
    "county_id",
    "cin",
    "first_name",
    "middle_name",
    "last_name",
    "suffix",
    "birth_date",
    "sex",
    "ssn",
    "aid_code",
    "worker_id",
    "worker_name",
    "worker_phone",
    "relationship",
    "street",
    "city",
    "state",
    "zip",
    "phone",
    "status",
    "case_status_date",
];

/// Statuses of a person on a case.
pub(super) const STATUSES: [&str; 3] = ["active", "pending", "ended"];

/// One field of a layout.
#[derive(Debug, Clone)]
pub(super) struct LayoutField {
    pub(super) name: String,
    pub(super) column: String,
    /// 0-based first character and width, in fixed width.
    pub(super) span: (usize, usize),
    pub(super) kind: Kind,
    pub(super) codes: HashMap<String, String>,
    pub(super) is_required: bool,
}

impl LayoutField {
    /// The value of a source text, or what was expected of it.
    pub(super) fn value(&self, text: &str) -> Result<Value, &'static str> {
        read(self.kind, &self.codes, text)
    }
}

/// A county's layout.
#[derive(Debug, Clone)]
pub struct CaseloadLayout {
    table: Table,
    pub(super) fields: Vec<LayoutField>,
    /// Length of a record in characters; 0 for CSV.
    pub(super) length: usize,
}

impl CaseloadLayout {
    /// The example layouts that ship with Tandem: one CSV, one of fixed width.
    ///
    /// # Errors
    /// When a table is not sound.
    pub fn examples() -> Result<Vec<Self>, TableError> {
        Ok(vec![
            Self::load("caseload_csv.csv", EXAMPLE_CSV)?,
            Self::load("caseload_fixed.csv", EXAMPLE_FIXED)?,
        ])
    }

    /// Loads a layout from the text of its table; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the table is not sound: an unknown field or type, a field twice, a gap or overlap of positions, a code that
    /// is mapped to nothing of the closed list, or neither `case_number` nor `last_name`.
    pub fn load(name: &str, text: &str) -> Result<Self, TableError> {
        let table = Table::parse(name, text, &COLUMNS)?.unique_by(&["field"])?;
        let fields: Vec<LayoutField> = table.rows().iter().map(field).collect::<Result<_, _>>()?;
        let is_fixed = fields.iter().all(|field| field.span.1 > 0);
        for (row, field) in table.rows().iter().zip(&fields) {
            if is_fixed != field.column.is_empty() {
                return Err(row.refuse(
                    "column",
                    "a column in every row, or start and end in every row",
                ));
            }
        }
        for needed in ["case_number", "last_name"] {
            if !fields.iter().any(|field| field.name == needed) {
                let (file, column) = (name.to_owned(), "field".to_owned());
                return Err(TableError::Value {
                    file,
                    line: 0,
                    column,
                    expected: format!("a row for {needed}"),
                });
            }
        }
        let length = if is_fixed { checked_length(&table)? } else { 0 };
        let table = if is_fixed {
            table
        } else {
            table.unique_by(&["column"])?
        };
        Ok(Self {
            table,
            fields,
            length,
        })
    }

    /// Whether the layout is of fixed width; else it is CSV.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.length > 0
    }

    /// Whether a text looks like a record of this fixed width: short enough, and most of its typed fields can be read.
    pub(super) fn looks_like_record(&self, text: &str) -> bool {
        let typed = self
            .fields
            .iter()
            .filter(|field| field.kind != Kind::Text)
            .filter_map(|field| {
                let cell: String = text.chars().skip(field.span.0).take(field.span.1).collect();
                (!cell.trim().is_empty()).then(|| field.value(&cell).is_ok())
            });
        let (good, bad) = typed.fold((0, 0), |(good, bad), is_good| {
            if is_good {
                (good + 1, bad)
            } else {
                (good, bad + 1)
            }
        });
        self.is_fixed() && text.chars().count() <= self.length && good > bad
    }

    /// The layout's version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.table.version()
    }

    /// Runs the example pairs and returns those that did not come true.
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        self.table.failed_examples(|input| {
            let (name, text) = input.split_once('|')?;
            let field = self.fields.iter().find(|field| field.name == name)?;
            field.value(text).ok().map(|value| value.to_string())
        })
    }
}

fn checked_length(table: &Table) -> Result<usize, TableError> {
    let columns = FixedColumns {
        record: None,
        field: "field",
        start: "start",
        end: "end",
        occurrence: None,
    };
    FixedLayout::new(table.clone(), columns, Gaps::Forbidden).map(|layout| layout.length(""))
}

fn field(row: &Row) -> Result<LayoutField, TableError> {
    let name = row.required("field")?.to_owned();
    let is_filler = name
        .strip_prefix("filler")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_filler && !FIELDS.contains(&name.as_str()) {
        return Err(row.refuse("field", "a field of the caseload batch"));
    }
    let kind = kind(row)?;
    let codes = codes(row, &name, kind)?;
    Ok(LayoutField {
        name,
        column: row.get("column").to_owned(),
        span: span(row)?,
        kind,
        codes,
        is_required: row.get("required") == "yes",
    })
}

fn span(row: &Row) -> Result<(usize, usize), TableError> {
    if row.get("start").is_empty() && row.get("end").is_empty() {
        return Ok((0, 0));
    }
    let (start, end): (usize, usize) = (
        row.parsed("start", "a position")?,
        row.parsed("end", "a position")?,
    );
    if start == 0 || end < start {
        return Err(row.refuse("start", "a position from 1, not after end"));
    }
    Ok((start - 1, end + 1 - start))
}

fn kind(row: &Row) -> Result<Kind, TableError> {
    Ok(match row.get("type") {
        "text" => Kind::Text,
        "code" => Kind::Code,
        "digits" => Kind::Digits,
        "ssn" => Kind::Ssn,
        "cin" => Kind::Cin,
        "county-id" => Kind::CountyId,
        "aid-code" => Kind::AidCode,
        "date" => {
            Kind::Date(DateFormat::from_code(row.get("format")).ok_or_else(|| {
                row.refuse("format", "YYYY-MM-DD, YYYYMMDD, MM/DD/YYYY or MMDDYYYY")
            })?)
        }
        _ => {
            return Err(row.refuse(
                "type",
                "text, code, digits, date, ssn, cin, county-id or aid-code",
            ));
        }
    })
}

fn codes(row: &Row, name: &str, kind: Kind) -> Result<HashMap<String, String>, TableError> {
    let mut codes = HashMap::new();
    for pair in row
        .get("codes")
        .split(';')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (source, canonical) = pair
            .split_once('=')
            .ok_or_else(|| row.refuse("codes", "code=canonical pairs"))?;
        if !is_canonical(name, canonical.trim()) {
            return Err(row.refuse("codes", format!("canonical codes of {name}")));
        }
        if codes
            .insert(source.trim().to_lowercase(), canonical.trim().to_owned())
            .is_some()
        {
            return Err(row.refuse("codes", "each source code once"));
        }
    }
    if kind == Kind::Code && codes.is_empty() {
        return Err(row.refuse("codes", "the codes of a field of type code"));
    }
    Ok(codes)
}

fn is_canonical(field: &str, code: &str) -> bool {
    match field {
        "sex" => Sex::from_code(code).is_some(),
        "relationship" => Relation::from_code(code).is_some(),
        "status" => STATUSES.contains(&code),
        _ => !code.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = EXAMPLE_CSV;
    const FIXED: &str = EXAMPLE_FIXED;

    #[test]
    fn the_example_layouts_load_and_their_pairs_come_true() {
        for (name, text) in [("caseload_csv.csv", CSV), ("caseload_fixed.csv", FIXED)] {
            let layout = CaseloadLayout::load(name, text).unwrap();
            assert_eq!(layout.failed_examples(), vec![]);
        }
        assert_eq!(CaseloadLayout::load("f", FIXED).unwrap().length, 270);
    }

    #[test]
    fn a_bad_layout_is_refused_with_file_and_line() {
        let line_of = |text: &str| {
            CaseloadLayout::load("county.csv", text)
                .unwrap_err()
                .to_string()
        };
        assert!(line_of(&CSV.replace("\nsuffix,", "\nsufix,")).starts_with("county.csv:17:"));
        assert!(line_of(&CSV.replace("X=other", "X=nobody")).contains("canonical codes of sex"));
        assert!(line_of(&FIXED.replace("cin,,22,30", "cin,,23,30")).contains("gap"));
        assert!(line_of(&FIXED.replace("cin,,22,30", "cin,,21,30")).contains("position after"));
        assert!(line_of(&CSV.replace("YYYY-MM-DD,,no", "DD.MM.YY,,no")).contains("format"));
    }
}
