//! The fixed-width layout of one record type of the federal files.

use tandem_mappings::tables::{
    ExampleFailure, FixedColumns, FixedField, FixedLayout, Gaps, Table, TableError,
};

use super::accepted::Accepted;

const COLUMNS: [&str; 12] = [
    "record",
    "item_number",
    "field",
    "start",
    "end",
    "type",
    "description",
    "codes",
    "occurrence",
    "required",
    "accepted_values",
    "codes_basis",
];

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// State TANF (ACF-199).
    Tanf,
    /// Separate state program (ACF-209).
    Ssp,
    /// Tribal TANF.
    Tribal,
}

/// The section that a file carries, named by its header letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// A: families aided, month by month.
    Active,
    /// C: families closed.
    Closed,
    /// G: counts.
    Aggregate,
    /// S: families per stratum.
    Stratum,
}

impl Section {
    /// The section of a header letter.
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "A" => Some(Self::Active),
            "C" => Some(Self::Closed),
            "G" => Some(Self::Aggregate),
            "S" => Some(Self::Stratum),
            _ => None,
        }
    }
}

/// The type column of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Digits, zero-padded; blanks before or after are tolerated.
    Number,
    /// Text of which leading zeros count.
    Text,
    /// Not used.
    Filler,
}

/// Where a field stands: 0-based start, exclusive end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First character, 0-based.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
}

impl Span {
    /// The field's characters as far as the line has them; a trimmed line reads as blanks.
    #[must_use]
    pub fn of<'a>(&self, line: &'a str) -> &'a str {
        let end = self.end.min(line.len());
        line.get(self.start.min(end)..end).unwrap_or("")
    }
}

/// One field of a layout.
#[derive(Debug, Clone)]
pub struct Field {
    /// Item number in the federal coding instructions; empty for tags.
    pub item: String,
    /// Field name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Its type.
    pub kind: FieldKind,
    /// Slot of a repeating group (`child1`, `stratum3.month1`); empty when shared or single.
    pub occurrence: String,
    /// Whether a blank is an error.
    pub is_required: bool,
    /// What it may hold.
    pub accepted: Accepted,
}

impl Field {
    /// The repeating group without the month: `child1`, `stratum3`, or empty.
    #[must_use]
    pub fn group(&self) -> &str {
        let group = self.occurrence.split('.').next().unwrap_or("");
        if group.starts_with("month") {
            ""
        } else {
            group
        }
    }
}

/// The layout of one record type.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Record type, for example `T1`.
    pub record: String,
    /// Fields in order of position; they leave no gap and do not overlap.
    pub fields: Vec<Field>,
    /// Full length in characters.
    pub length: usize,
    /// Shortest line that is accepted, in characters (rule R1).
    pub minimum: usize,
    /// Shortest line when the second group is filled (two children), in characters.
    pub second_group_minimum: Option<usize>,
}

impl Layout {
    /// Where a field stands.
    ///
    /// # Errors
    /// When the layout has no such field.
    pub fn span(&self, name: &str, occurrence: &str) -> Result<Span, TableError> {
        self.fields
            .iter()
            .find(|field| field.name == name && field.occurrence == occurrence)
            .map(|field| field.span)
            .ok_or_else(|| TableError::Value {
                file: format!("layout of {}", self.record),
                line: 0,
                column: "field".to_owned(),
                expected: format!("a field {name} {occurrence}"),
            })
    }

    pub(super) fn parse(name: &str, text: &str) -> Result<Self, TableError> {
        let fixed = fixed(name, text)?;
        let record = fixed
            .fields()
            .first()
            .map(|field| field.record.clone())
            .unwrap_or_default();
        let length = fixed.length(&record);
        let fields = fixed.record(&record).map(field).collect::<Result<_, _>>()?;
        Ok(Self {
            record,
            fields,
            length,
            minimum: length,
            second_group_minimum: None,
        })
    }
}

fn fixed(name: &str, text: &str) -> Result<FixedLayout, TableError> {
    let table = Table::parse(name, text, &COLUMNS)?;
    let columns = FixedColumns {
        record: Some("record"),
        field: "field",
        start: "start",
        end: "end",
        occurrence: Some("occurrence"),
    };
    FixedLayout::new(table, columns, Gaps::Forbidden)
}

/// The example pairs of a layout table that do not come true.
pub(super) fn failed_examples(name: &str, text: &str) -> Result<Vec<ExampleFailure>, TableError> {
    fixed(name, text).map(|layout| layout.failed_examples())
}

fn field(fixed: &FixedField) -> Result<Field, TableError> {
    let row = &fixed.row;
    let kind = match row.get("type") {
        "num" => FieldKind::Number,
        "alnum" | "date8" | "yyyymm" | "yyyyq" => FieldKind::Text,
        "filler" => FieldKind::Filler,
        _ => return Err(row.refuse("type", "num, alnum, date8, yyyymm, yyyyq or filler")),
    };
    let accepted = Accepted::parse(row.get("accepted_values"))
        .map_err(|error| row.refuse("accepted_values", error.to_string()))?;
    Ok(Field {
        item: row.get("item_number").to_owned(),
        name: fixed.name.clone(),
        span: Span {
            start: fixed.start.saturating_sub(1),
            end: fixed.end,
        },
        kind,
        occurrence: fixed.occurrence.clone(),
        is_required: row.get("required") == "yes",
        accepted,
    })
}
