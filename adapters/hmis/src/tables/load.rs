//! Loads and checks the embedded tables, once.

use std::sync::OnceLock;

use tandem_mappings::tables::{ExampleFailure, Row, Table, TableError};

use super::{
    CodeLists, CodeRule, Column, ColumnType, Edition, FileLayout, LivingSituations, Tables,
    conditions,
};

const COLUMNS_2024: &str = include_str!("../../../../mappings/tables/hmis/fy2024_columns.csv");
const COLUMNS_2026: &str = include_str!("../../../../mappings/tables/hmis/fy2026_columns.csv");
const CUSTOM: &str = include_str!("../../../../mappings/tables/hmis/custom_columns.csv");
const LIVING: &str = include_str!("../../../../mappings/tables/hmis/living_situation_contexts.csv");
const LISTS: &str = include_str!("../../../../mappings/tables/hmis/lists.csv");
const PICKLISTS: &str = include_str!("../../../../mappings/tables/hmis/picklists.csv");

const COLUMNS_HEADER: [&str; 7] = [
    "file",
    "position",
    "column",
    "type",
    "nullable",
    "list",
    "description",
];
const LISTS_HEADER: [&str; 5] = ["version", "list", "name", "used_by", "note"];
const LIVING_HEADER: [&str; 6] = [
    "code",
    "label",
    "category",
    "prior_3_917",
    "current_4_12",
    "destination_3_12",
];
const PICKLISTS_HEADER: [&str; 4] = ["version", "list", "code", "label"];

/// How many files the specification has.
const FILE_COUNT: usize = 24;

/// The checked tables of an edition.
///
/// # Errors
/// When an embedded table is malformed: an unknown type, an unknown list, a wrong position.
pub fn edition(edition: Edition) -> Result<&'static Tables, TableError> {
    static FY2024: OnceLock<Result<Tables, TableError>> = OnceLock::new();
    static FY2026: OnceLock<Result<Tables, TableError>> = OnceLock::new();
    let cell = match edition {
        Edition::Fy2024 => &FY2024,
        Edition::Fy2026 => &FY2026,
    };
    cell.get_or_init(|| load(edition))
        .as_ref()
        .map_err(Clone::clone)
}

/// The columns of HUD's template for custom files.
///
/// # Errors
/// When the embedded table is malformed; a test shows that it is not.
pub fn custom_layout() -> Result<&'static FileLayout, TableError> {
    static LAYOUT: OnceLock<Result<FileLayout, TableError>> = OnceLock::new();
    let loaded = LAYOUT.get_or_init(|| {
        let table = columns_table("custom_columns.csv", CUSTOM)?;
        let mut layouts = load_layouts(&table, &CodeLists::default())?;
        layouts
            .pop()
            .ok_or_else(|| whole_table(&table, "at least one column"))
    });
    loaded.as_ref().map_err(Clone::clone)
}

/// Runs the example pairs of the column, list and condition tables.
///
/// # Errors
/// When an embedded table is malformed.
pub fn failed_examples() -> Result<Vec<ExampleFailure>, TableError> {
    let mut failed = Vec::new();
    for (name, text) in [
        ("fy2024_columns.csv", COLUMNS_2024),
        ("fy2026_columns.csv", COLUMNS_2026),
        ("custom_columns.csv", CUSTOM),
    ] {
        let table = columns_table(name, text)?;
        failed.extend(table.failed_examples(|input| {
            let row = table
                .rows()
                .iter()
                .find(|row| format!("{}.{}", row.get("file"), row.get("column")) == input)?;
            Some(format!("{} {}", row.get("type"), row.get("nullable")))
        }));
    }
    let keyed = [
        Table::parse("picklists.csv", PICKLISTS, &PICKLISTS_HEADER)?,
        Table::parse("lists.csv", LISTS, &LISTS_HEADER)?,
        conditions::table()?,
    ];
    for (table, (keys, value)) in keyed.iter().zip([
        (["version", "list", "code"].as_slice(), "label"),
        (&["version", "list"], "name"),
        (&["version", "file", "column", "rule"], "condition"),
    ]) {
        failed.extend(table.failed_examples(|input| {
            let key = |row: &&Row| {
                keys.iter()
                    .map(|column| row.get(column))
                    .collect::<Vec<_>>()
                    .join("|")
                    == input
            };
            table
                .rows()
                .iter()
                .find(key)
                .map(|row| row.get(value).to_owned())
        }));
    }
    let living = Table::parse("living_situation_contexts.csv", LIVING, &LIVING_HEADER)?;
    failed.extend(living.failed_examples(|input| {
        let (code, column) = input.split_once('|')?;
        let row = living.rows().iter().find(|row| row.get("code") == code)?;
        Some(row.get(column).to_owned())
    }));
    Ok(failed)
}

fn load(edition: Edition) -> Result<Tables, TableError> {
    let (name, text) = match edition {
        Edition::Fy2024 => ("fy2024_columns.csv", COLUMNS_2024),
        Edition::Fy2026 => ("fy2026_columns.csv", COLUMNS_2026),
    };
    let table = columns_table(name, text)?;
    let lists = load_lists(edition)?;
    let mut files = load_layouts(&table, &lists)?;
    conditions::load_into(&mut files, edition)?;
    if files.len() != FILE_COUNT {
        return Err(whole_table(&table, "24 files"));
    }
    Ok(Tables {
        edition,
        files,
        lists,
        living: load_living()?,
    })
}

fn columns_table(name: &str, text: &str) -> Result<Table, TableError> {
    Table::parse(name, text, &COLUMNS_HEADER)?.unique_by(&["file", "column"])
}

fn whole_table(table: &Table, expected: &str) -> TableError {
    TableError::Row {
        file: table.name().to_owned(),
        line: table.rows().last().map_or(1, Row::line),
        expected: expected.to_owned(),
    }
}

fn load_layouts(table: &Table, lists: &CodeLists) -> Result<Vec<FileLayout>, TableError> {
    let mut files: Vec<FileLayout> = Vec::new();
    for row in table.rows() {
        let file = row.required("file")?;
        if files.last().is_none_or(|last| last.name != file) {
            files.push(FileLayout::new(file));
        }
        let Some(layout) = files.last_mut() else {
            continue;
        };
        let position: usize = row.parsed("position", "a position from 1")?;
        if position != layout.columns.len() + 1 {
            return Err(row.refuse("position", "positions in order without gaps"));
        }
        layout.push(Column {
            name: row.required("column")?.to_owned(),
            kind: column_type(row.get("type"))
                .ok_or_else(|| row.refuse("type", "S<n>, I, D, T, M or M+"))?,
            is_nullable: match row.get("nullable") {
                "Y" => true,
                "N" => false,
                _ => return Err(row.refuse("nullable", "Y or N")),
            },
            codes: code_rule(row, lists)?,
        });
    }
    Ok(files)
}

fn column_type(text: &str) -> Option<ColumnType> {
    Some(match text {
        "I" => ColumnType::Whole,
        "D" => ColumnType::Date,
        "T" => ColumnType::Instant,
        "M" => ColumnType::Money { signed: true },
        "M+" => ColumnType::Money { signed: false },
        _ => ColumnType::Text(text.strip_prefix('S')?.parse().ok()?),
    })
}

fn code_rule(row: &Row, lists: &CodeLists) -> Result<Option<CodeRule>, TableError> {
    let text = row.get("list");
    if text.is_empty() {
        return Ok(None);
    }
    let rule = CodeRule::parse(text).ok_or_else(|| row.refuse("list", "a list or a rule"))?;
    if rule.lists().into_iter().all(|list| lists.has_list(list)) {
        Ok(Some(rule))
    } else {
        Err(row.refuse("list", "lists that have codes"))
    }
}

fn load_lists(edition: Edition) -> Result<CodeLists, TableError> {
    let table = Table::parse("picklists.csv", PICKLISTS, &PICKLISTS_HEADER)?;
    let table = table.unique_by(&["version", "list", "code"])?;
    let mut lists = CodeLists::default();
    for row in table
        .rows()
        .iter()
        .filter(|row| row.get("version") == edition.name())
    {
        lists.insert(row.required("list")?, row.required("code")?);
    }
    Ok(lists)
}

fn load_living() -> Result<LivingSituations, TableError> {
    let table = Table::parse("living_situation_contexts.csv", LIVING, &LIVING_HEADER)?;
    let table = table.unique_by(&["code"])?;
    let mut living = LivingSituations::default();
    for row in table.rows() {
        let mut contexts = [false; 3];
        let columns = ["prior_3_917", "current_4_12", "destination_3_12"];
        for (context, column) in contexts.iter_mut().zip(columns) {
            *context = match row.get(column) {
                "Y" => true,
                "N" => false,
                _ => return Err(row.refuse(column, "Y or N")),
            };
        }
        living.insert(row.required("code")?, contexts);
    }
    Ok(living)
}

#[cfg(test)]
mod tests {
    use super::super::SituationUse;
    use super::*;

    #[test]
    fn both_editions_load_with_the_published_number_of_columns() {
        for (year, columns) in [(Edition::Fy2024, 531), (Edition::Fy2026, 519)] {
            let tables = edition(year).unwrap();
            let count: usize = tables.files.iter().map(|file| file.columns.len()).sum();
            assert_eq!(count, columns);
            assert_eq!(tables.files.len(), 24);
        }
        assert_eq!(custom_layout().unwrap().columns.len(), 13);
    }

    #[test]
    fn every_example_pair_comes_true() {
        assert_eq!(failed_examples().unwrap(), []);
    }

    #[test]
    fn every_list_that_is_described_has_codes_in_its_edition() {
        let table = Table::parse("lists.csv", LISTS, &LISTS_HEADER).unwrap();
        assert_eq!(table.rows().len(), 176);
        for row in table.rows() {
            let year = if row.get("version") == "FY2024" {
                Edition::Fy2024
            } else {
                Edition::Fy2026
            };
            assert!(
                edition(year).unwrap().lists.has_list(row.get("list")),
                "{}",
                row.get("list")
            );
        }
    }

    #[test]
    fn header_is_found_without_regard_to_case() {
        let tables = edition(Edition::Fy2026).unwrap();
        let enrollment = tables.file("enrollment").unwrap();
        assert_eq!(
            enrollment.position("HoHLeaseholder"),
            enrollment.position("HOHLeaseholder")
        );
        assert!(enrollment.position("HOHLeaseholder").is_some());
    }

    #[test]
    fn living_situation_codes_keep_to_their_columns() {
        let living = &edition(Edition::Fy2026).unwrap().living;
        assert!(living.allows("24", SituationUse::Destination));
        assert!(!living.allows("24", SituationUse::Prior));
    }
}
