//! Loads and checks the embedded tables, once.

use std::sync::OnceLock;

use super::{
    CodeLists, CodeRule, Column, ColumnType, Edition, FileLayout, LivingSituations, Tables,
};

const COLUMNS_2024: &str = include_str!("../../../../mappings/tables/hmis/fy2024_columns.csv");
const COLUMNS_2026: &str = include_str!("../../../../mappings/tables/hmis/fy2026_columns.csv");
const PICKLISTS: &str = include_str!("../../../../mappings/tables/hmis/picklists.csv");
const CUSTOM: &str = include_str!("../../../../mappings/tables/hmis/custom_columns.csv");
const LIVING: &str = include_str!("../../../../mappings/tables/hmis/living_situation_contexts.csv");

/// How many files the specification has.
const FILE_COUNT: usize = 24;

/// A table file that does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table {table}, line {line}: {problem}")]
pub struct TableError {
    /// File name of the table.
    pub table: &'static str,
    /// Line of the problem; 0 when it concerns the whole table.
    pub line: u64,
    /// What is wrong.
    pub problem: String,
}

/// The checked tables of an edition.
///
/// # Errors
/// When an embedded table is malformed: an unknown type, an unknown list, a wrong position.
pub fn edition(edition: Edition) -> Result<&'static Tables, TableError> {
    static FY2024: OnceLock<Result<Tables, TableError>> = OnceLock::new();
    static FY2026: OnceLock<Result<Tables, TableError>> = OnceLock::new();
    let (cell, name, columns) = match edition {
        Edition::Fy2024 => (&FY2024, "fy2024_columns.csv", COLUMNS_2024),
        Edition::Fy2026 => (&FY2026, "fy2026_columns.csv", COLUMNS_2026),
    };
    cell.get_or_init(|| load(edition, name, columns))
        .as_ref()
        .map_err(Clone::clone)
}

fn load(
    edition: Edition,
    table: &'static str,
    columns: &'static str,
) -> Result<Tables, TableError> {
    let lists = load_lists(edition)?;
    let files = load_layouts(table, columns, &lists)?;
    if files.len() != FILE_COUNT {
        let problem = format!("{} files, expected {FILE_COUNT}", files.len());
        return Err(TableError {
            table,
            line: 0,
            problem,
        });
    }
    Ok(Tables {
        edition,
        files,
        lists,
        living: load_living()?,
    })
}

/// The columns of HUD's template for custom files.
///
/// # Errors
/// When the embedded table is malformed; a test shows that it is not.
pub fn custom_layout() -> Result<&'static FileLayout, TableError> {
    static LAYOUT: OnceLock<Result<FileLayout, TableError>> = OnceLock::new();
    let loaded = LAYOUT.get_or_init(|| {
        let table = "custom_columns.csv";
        let mut layouts = load_layouts(table, CUSTOM, &CodeLists::default())?;
        let problem = "no columns".to_owned();
        layouts.pop().ok_or(TableError {
            table,
            line: 0,
            problem,
        })
    });
    loaded.as_ref().map_err(Clone::clone)
}

fn load_layouts(
    table: &'static str,
    columns: &'static str,
    lists: &CodeLists,
) -> Result<Vec<FileLayout>, TableError> {
    let mut files: Vec<FileLayout> = Vec::new();
    for_each_row(table, columns, |_, row| {
        let [file, position, name, kind, nullable, list, ..] = row else {
            return Err("too few columns".to_owned());
        };
        if files.last().is_none_or(|last| last.name != *file) {
            files.push(FileLayout::new(file));
        }
        let layout = files.last_mut().ok_or("no file")?;
        if position.parse() != Ok(layout.columns.len() + 1) {
            return Err(format!("position {position} is out of order"));
        }
        layout.push(Column {
            name: (*name).to_owned(),
            kind: column_type(kind).ok_or_else(|| format!("unknown type {kind}"))?,
            is_nullable: match *nullable {
                "Y" => true,
                "N" => false,
                other => return Err(format!("nullable is {other}, expected Y or N")),
            },
            codes: code_rule(list, lists)?,
        });
        Ok(())
    })?;
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

fn code_rule(text: &str, lists: &CodeLists) -> Result<Option<CodeRule>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let rule = CodeRule::parse(text).ok_or_else(|| format!("{text} is not a list rule"))?;
    match rule.lists().into_iter().find(|list| !lists.has_list(list)) {
        Some(unknown) => Err(format!("list {unknown} has no codes")),
        None => Ok(Some(rule)),
    }
}

fn load_lists(edition: Edition) -> Result<CodeLists, TableError> {
    let mut lists = CodeLists::default();
    for_each_row("picklists.csv", PICKLISTS, |_, row| {
        let [version, list, code, ..] = row else {
            return Err("too few columns".to_owned());
        };
        if *version == edition.name() {
            lists.insert(list, code);
        }
        Ok(())
    })?;
    Ok(lists)
}

fn load_living() -> Result<LivingSituations, TableError> {
    let mut living = LivingSituations::default();
    for_each_row("living_situation_contexts.csv", LIVING, |_, row| {
        let [code, _, _, prior, current, destination] = row else {
            return Err("expected six columns".to_owned());
        };
        living.insert(code, [*prior == "Y", *current == "Y", *destination == "Y"]);
        Ok(())
    })?;
    Ok(living)
}

pub(super) fn for_each_row(
    table: &'static str,
    text: &str,
    mut use_row: impl FnMut(u64, &[&str]) -> Result<(), String>,
) -> Result<(), TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .flexible(true)
        .from_reader(text.as_bytes());
    for record in reader.records() {
        let fail = |line, problem: String| TableError {
            table,
            line,
            problem,
        };
        let record = record.map_err(|error| fail(0, error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields: Vec<&str> = record.iter().collect();
        use_row(line, &fields).map_err(|problem| fail(line, problem))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_editions_load_with_the_published_number_of_columns() {
        for (year, columns) in [(Edition::Fy2024, 531), (Edition::Fy2026, 519)] {
            let tables = edition(year).unwrap();
            let count: usize = tables.files.iter().map(|file| file.columns.len()).sum();
            assert_eq!(count, columns);
            assert_eq!(tables.files.len(), 24);
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
        use super::super::SituationUse;
        let living = &edition(Edition::Fy2026).unwrap().living;
        assert!(living.allows("24", SituationUse::Destination));
        assert!(!living.allows("24", SituationUse::Prior));
    }
}
