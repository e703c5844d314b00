//! The label tables: which code calls for which category and labels.

use std::collections::BTreeSet;

use super::code::{begins_within, icd_form, is_icd, is_within};
use super::strictness::Strictness;
use super::system::{CodeForm, CodeSystems};
use crate::model::category::Category;
use crate::model::coding::Coding;
use crate::tables::{ExampleFailure, Row, Table, TableError};

const HEADER: [&str; 7] = [
    "row", "first", "last", "category", "labels", "meaning", "section",
];

/// What the ids of a county's rows begin with.
pub const COUNTY: &str = "county";

/// The tables that come with Tandem, by our name of the code system.
const SHIPPED: [(&str, &str, &str); 6] = [
    (
        "icd10cm",
        "icd10cm.csv",
        include_str!("../../tables/labels/icd10cm.csv"),
    ),
    (
        "loinc",
        "loinc.csv",
        include_str!("../../tables/labels/loinc.csv"),
    ),
    (
        "snomed",
        "snomed.csv",
        include_str!("../../tables/labels/snomed.csv"),
    ),
    (
        "hl7",
        "hl7.csv",
        include_str!("../../tables/labels/hl7.csv"),
    ),
    (
        "hmis",
        "hmis.csv",
        include_str!("../../tables/labels/hmis.csv"),
    ),
    (
        "calworks",
        "calworks.csv",
        include_str!("../../tables/labels/calworks.csv"),
    ),
];

/// One row: a range of codes and what they call for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Its id: code system and row, such as `icd10cm:F11`.
    pub id: String,
    /// First code.
    pub first: String,
    /// Last code.
    pub last: String,
    /// The category called for; `None` when only labels are.
    pub category: Option<Category>,
    /// The labels called for.
    pub labels: BTreeSet<String>,
    /// What the codes mean.
    pub meaning: String,
    /// Where the standard says so: standard, version, section.
    pub source: String,
    /// The county's file that holds it; `None` for a row that comes with Tandem.
    pub county_file: Option<String>,
}

impl LabelRow {
    /// Our name of its code system.
    #[must_use]
    pub fn system(&self) -> &str {
        let county = self
            .id
            .strip_prefix(COUNTY)
            .and_then(|id| id.strip_prefix(':'));
        let id = county.unwrap_or(&self.id);
        id.split(':').next().unwrap_or(id)
    }
}

/// What the tables say of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit<'a> {
    /// The rows that hold for it.
    Rows(Vec<&'a LabelRow>),
    /// A code of a known system for which no row is there.
    Unlisted,
    /// A code of a system for which there is no table.
    UnknownSystem,
    /// Not a code that its system can have. The system's name is ours.
    Unreadable(&'a str),
}

/// The checked label tables.
#[derive(Debug, Clone)]
pub struct LabelTables {
    systems: CodeSystems,
    strictness: Strictness,
    tables: Vec<LabelTable>,
}

/// One file of rows.
#[derive(Debug, Clone)]
pub(super) struct LabelTable {
    /// Our name of the code system.
    pub(super) system: String,
    /// The county's file; `None` for one that comes with Tandem.
    pub(super) county_file: Option<String>,
    /// The file as it was read.
    pub(super) text: String,
    table: Table,
    pub(super) rows: Vec<LabelRow>,
}

impl LabelTable {
    /// Reads a file: every row of it, or none.
    pub(super) fn read(
        systems: &CodeSystems,
        system: &str,
        (name, text): (&str, &str),
        county_file: Option<&str>,
    ) -> Result<Self, TableError> {
        let table = Table::parse(name, text, &HEADER)?.unique_by(&["row"])?;
        let form = systems.form(system).unwrap_or(CodeForm::Exact);
        let rows = table.rows().iter().map(|row| {
            let mut found = read(system, form, &table, row)?;
            if county_file.is_some() {
                found.id = format!("{COUNTY}:{}", found.id);
                found.county_file = county_file.map(str::to_owned);
            }
            Ok(found)
        });
        let rows = rows.collect::<Result<_, TableError>>()?;
        Ok(Self {
            system: system.to_owned(),
            county_file: county_file.map(str::to_owned),
            text: text.to_owned(),
            table,
            rows,
        })
    }

    /// The rows as they stand in the file, each with what was read of it.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&Row, &LabelRow)> {
        self.table.rows().iter().zip(&self.rows)
    }
}

impl LabelTables {
    /// The tables that come with Tandem.
    ///
    /// # Errors
    /// When a table is malformed; a test shows that none is.
    pub fn shipped() -> Result<Self, TableError> {
        let systems = CodeSystems::shipped()?;
        let mut tables = Vec::with_capacity(SHIPPED.len());
        for (system, name, text) in SHIPPED {
            tables.push(LabelTable::read(&systems, system, (name, text), None)?);
        }
        Ok(Self {
            systems,
            strictness: Strictness::shipped()?,
            tables,
        })
    }

    /// The order of the categories.
    #[must_use]
    pub const fn strictness(&self) -> &Strictness {
        &self.strictness
    }

    /// The code systems.
    #[must_use]
    pub const fn systems(&self) -> &CodeSystems {
        &self.systems
    }

    /// Every row, by table.
    pub fn rows(&self) -> impl Iterator<Item = &LabelRow> {
        self.tables.iter().flat_map(|table| &table.rows)
    }

    pub(super) fn tables(&self) -> &[LabelTable] {
        &self.tables
    }

    pub(super) fn add(&mut self, table: LabelTable) {
        self.tables.push(table);
    }

    /// What the tables say of a code. Of a code whose sender forgot the system, every table is asked: it can only raise.
    #[must_use]
    pub fn find(&self, coding: &Coding) -> Hit<'_> {
        if coding.system.trim().is_empty() {
            let rows: Vec<&LabelRow> = self
                .tables
                .iter()
                .filter(|table| {
                    self.systems.form(&table.system) != Some(CodeForm::Icd) || is_icd(&coding.code)
                })
                .flat_map(|table| self.matching(&table.system, &table.rows, &coding.code))
                .collect();
            return match rows.is_empty() {
                true => Hit::UnknownSystem,
                false => Hit::Rows(rows),
            };
        }
        let Some(system) = self.systems.named(&coding.system) else {
            return Hit::UnknownSystem;
        };
        let is_icd = self.systems.form(system) == Some(CodeForm::Icd);
        if coding.code.trim().is_empty() || (is_icd && icd_form(&coding.code).is_none()) {
            return Hit::Unreadable(system);
        }
        let mine = self.tables.iter().filter(|table| table.system == system);
        let rows: Vec<&LabelRow> = mine
            .flat_map(|table| self.matching(system, &table.rows, &coding.code))
            .collect();
        match rows.is_empty() {
            true => Hit::Unlisted,
            false => Hit::Rows(rows),
        }
    }

    fn matching<'a>(&self, system: &str, rows: &'a [LabelRow], code: &str) -> Vec<&'a LabelRow> {
        let form = self.systems.form(system).unwrap_or(CodeForm::Exact);
        let Some(code) = comparable(form, code) else {
            return Vec::new();
        };
        let holds = |row: &&LabelRow| match form {
            CodeForm::Icd => begins_within(&code, &row.first, &row.last),
            CodeForm::Exact => is_within(&code, &row.first, &row.last),
        };
        rows.iter().filter(holds).collect()
    }

    /// Runs the example pairs of the tables: `# example: CODE -> ROW ROW`, nothing for a code without a row.
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        let names = self.systems.table();
        let mut failed = names.failed_examples(|name| self.systems.named(name).map(str::to_owned));
        for one in &self.tables {
            failed.extend(one.table.failed_examples(|code| {
                Some(match self.find(&Coding::new(&one.system, code)) {
                    // A pair of ours speaks of our rows, whatever a county adds.
                    Hit::Rows(rows) => {
                        let is_meant = |row: &&&LabelRow| {
                            one.county_file.is_some() || row.county_file.is_none()
                        };
                        let meant = rows.iter().filter(is_meant);
                        let ids: Vec<&str> = meant.map(|row| row.id.as_str()).collect();
                        ids.join(" ")
                    }
                    _ => String::new(),
                })
            }));
        }
        failed
    }
}

fn comparable(form: CodeForm, code: &str) -> Option<String> {
    match form {
        CodeForm::Icd => icd_form(code),
        CodeForm::Exact => Some(code.trim().to_owned()),
    }
}

fn read(system: &str, form: CodeForm, table: &Table, row: &Row) -> Result<LabelRow, TableError> {
    let code = |column: &str| {
        comparable(form, row.required(column)?)
            .ok_or_else(|| row.refuse(column, "a code of the system"))
    };
    let (first, last) = (code("first")?, code("last")?);
    if last < first || (form == CodeForm::Exact && first.len() != last.len()) {
        return Err(row.refuse("last", "a code that does not come before the first"));
    }
    let category = match row.get("category") {
        "" => None,
        name => Some(
            name.parse()
                .map_err(|_| row.refuse("category", "a data category"))?,
        ),
    };
    let labels: BTreeSet<String> = row
        .get("labels")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if labels.is_empty() {
        return Err(row.refuse("labels", "at least one label"));
    }
    Ok(LabelRow {
        id: format!("{system}:{}", row.required("row")?),
        first,
        last,
        category,
        labels,
        meaning: row.required("meaning")?.to_owned(),
        source: format!("{}, {}", table.version(), row.required("section")?),
        county_file: None,
    })
}
