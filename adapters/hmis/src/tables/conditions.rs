//! Columns that other columns of the same row ask for: blank unless the condition holds, or filled when it does.

use tandem_mappings::tables::{Row, Table, TableError};

use super::{Edition, FileLayout};

const CONDITIONS: &str = include_str!("../../../../mappings/tables/hmis/conditional_columns.csv");
const HEADER: [&str; 5] = ["version", "file", "column", "rule", "condition"];

/// A rule of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Position of the column.
    pub column: usize,
    /// Filled when the condition holds; else blank unless it holds.
    is_required: bool,
    /// One of these must hold, each with all of its parts.
    any_of: Vec<Vec<Part>>,
    text: String,
}

/// What one other column must say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    column: usize,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Filled,
    OneOf(Vec<String>),
    Not(String),
}

impl Condition {
    /// What the values of a row do against the rule: the code of the deviation, and what was expected.
    #[must_use]
    pub fn breach(&self, values: &[String]) -> Option<(&'static str, String)> {
        let value = |column: usize| values.get(column).map_or("", String::as_str);
        let is_blank = value(self.column).is_empty();
        if is_blank != self.is_required {
            return None;
        }
        let is_met = |part: &Part| match &part.test {
            Test::Filled => !value(part.column).is_empty(),
            Test::OneOf(codes) => codes.iter().any(|code| code == value(part.column)),
            Test::Not(code) => code != value(part.column),
        };
        let holds = self.any_of.iter().any(|all| all.iter().all(is_met));
        match (self.is_required, holds) {
            (true, true) => Some(("dependent-blank", format!("a value when {}", self.text))),
            (false, false) => Some(("dependent-filled", format!("blank unless {}", self.text))),
            _ => None,
        }
    }

    fn of(row: &Row, layout: &FileLayout) -> Result<Self, TableError> {
        let position = |name: &str, column: &str| {
            let found = layout.position(name);
            found.ok_or_else(|| row.refuse(column, "a column of the file"))
        };
        let text = row.required("condition")?;
        let part = |part: &str| {
            let known = "COLUMN=CODE, COLUMN!=CODE or COLUMN=*";
            let (name, code) = part
                .split_once('=')
                .ok_or_else(|| row.refuse("condition", known))?;
            let test = match (name.strip_suffix('!'), code) {
                (Some(_), code) => Test::Not(code.to_owned()),
                (None, "*") => Test::Filled,
                (None, codes) => Test::OneOf(codes.split('|').map(str::to_owned).collect()),
            };
            let column = position(name.trim_end_matches('!'), "condition")?;
            Ok(Part { column, test })
        };
        let any_of: Result<_, TableError> = text
            .split(';')
            .map(|all| all.split('&').map(part).collect::<Result<Vec<_>, _>>())
            .collect();
        Ok(Self {
            column: position(row.required("column")?, "column")?,
            is_required: match row.get("rule") {
                "required" => true,
                "only" => false,
                _ => return Err(row.refuse("rule", "only or required")),
            },
            any_of: any_of?,
            text: text.to_owned(),
        })
    }
}

/// The table of conditions.
pub(super) fn table() -> Result<Table, TableError> {
    Table::parse("conditional_columns.csv", CONDITIONS, &HEADER)?
        .unique_by(&["version", "file", "column", "rule"])
}

/// Puts the conditions of an edition at their files.
pub(super) fn load_into(files: &mut [FileLayout], edition: Edition) -> Result<(), TableError> {
    for row in table()?.rows() {
        match row.get("version") {
            "both" => {}
            "FY2024" | "FY2026" if row.get("version") == edition.name() => {}
            "FY2024" | "FY2026" => continue,
            _ => return Err(row.refuse("version", "FY2024, FY2026 or both")),
        }
        let layout = files.iter_mut().find(|file| file.name == row.get("file"));
        let layout = layout.ok_or_else(|| row.refuse("file", "a file of the specification"))?;
        let condition = Condition::of(row, layout)?;
        layout.conditions.push(condition);
    }
    Ok(())
}
