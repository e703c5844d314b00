//! A strict reader of packages, written from the published tables alone: it shares no code with the writer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Cursor, Read};

const COLUMNS_2026: &str = include_str!("../../../../mappings/tables/hmis/fy2026_columns.csv");
const COLUMNS_2024: &str = include_str!("../../../../mappings/tables/hmis/fy2024_columns.csv");
const CUSTOM: &str = include_str!("../../../../mappings/tables/hmis/custom_columns.csv");
const LISTS: &str = include_str!("../../../../mappings/tables/hmis/picklists.csv");

struct Column {
    name: String,
    kind: String,
    nullable: bool,
    list: String,
}

/// A package as a strict reader sees it.
pub(crate) struct Checked {
    pub(crate) files: BTreeMap<String, (Vec<String>, Vec<Vec<String>>)>,
}

impl Checked {
    /// The value of a column in the row with this key.
    pub(crate) fn value(&self, file: &str, key: &str, column: &str) -> &str {
        let (header, rows) = &self.files[file];
        let index = header.iter().position(|name| name == column).unwrap();
        let row = rows
            .iter()
            .find(|row| row[0] == key)
            .unwrap_or_else(|| panic!("no {file} {key}"));
        &row[index]
    }

    pub(crate) fn keys(&self, file: &str) -> Vec<&str> {
        self.files[file]
            .1
            .iter()
            .map(|row| row[0].as_str())
            .collect()
    }
}

fn layouts(text: &str) -> Vec<(String, Vec<Column>)> {
    let mut files: Vec<(String, Vec<Column>)> = Vec::new();
    for record in csv_rows(text) {
        let column = Column {
            name: record[2].clone(),
            kind: record[3].clone(),
            nullable: record[4] == "Y",
            list: record[5].clone(),
        };
        match files.last_mut() {
            Some((file, columns)) if *file == record[0] => columns.push(column),
            _ => files.push((record[0].clone(), vec![column])),
        }
    }
    files
}

fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// The entries of a zip; nothing may stand in a folder.
pub(crate) fn unzip(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        assert!(!name.contains(['/', '\\']), "{name}");
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert!(entries.insert(name, text).is_none());
    }
    entries
}

/// Checks a package column by column and gives its rows.
pub(crate) fn check(version: &str, bytes: &[u8], is_every_file: bool) -> Checked {
    let layouts = layouts(if version == "FY2024" {
        COLUMNS_2024
    } else {
        COLUMNS_2026
    });
    let entries = unzip(bytes);
    let known: BTreeSet<String> = layouts
        .iter()
        .map(|(file, _)| format!("{file}.csv"))
        .collect();
    let found: BTreeSet<String> = entries.keys().cloned().collect();
    if is_every_file {
        assert_eq!(found, known);
    } else {
        assert!(found.is_subset(&known) && found.contains("Export.csv"));
    }
    let mut files = BTreeMap::new();
    for (file, columns) in &layouts {
        if let Some(text) = entries.get(&format!("{file}.csv")) {
            files.insert(file.clone(), check_file(version, file, columns, text));
        }
    }
    let checked = Checked { files };
    check_export(&checked);
    check_references(&checked);
    checked
}

/// Checks a custom package and gives its rows.
pub(crate) fn check_custom(bytes: &[u8], name: &str) -> Checked {
    let entries = unzip(bytes);
    assert_eq!(entries.keys().collect::<Vec<_>>(), [&format!("{name}.csv")]);
    let (_, columns) = layouts(CUSTOM).pop().unwrap();
    let rows = check_file("FY2026", name, &columns, &entries[&format!("{name}.csv")]);
    Checked {
        files: BTreeMap::from([(name.to_owned(), rows)]),
    }
}

fn check_file(
    version: &str,
    file: &str,
    columns: &[Column],
    text: &str,
) -> (Vec<String>, Vec<Vec<String>>) {
    let (header, rows) = crate::package::table(text.as_bytes());
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(header, names, "{file}");
    let mut keys = HashSet::new();
    for row in &rows {
        assert!(keys.insert(row[0].clone()), "{file} has {} twice", row[0]);
        for (column, value) in columns.iter().zip(row) {
            let place = format!("{file}.{} of {}", column.name, row[0]);
            if value.is_empty() {
                assert!(column.nullable, "{place} is blank");
                continue;
            }
            assert!(!value.contains(['<', '>', '[', ']', '{', '}']), "{place}");
            check_type(&column.kind, value, &place);
            if !column.list.is_empty() && !column.list.contains('>') {
                let needle = format!("{version},{},{value},", column.list);
                assert!(
                    LISTS.lines().any(|line| line.starts_with(&needle)),
                    "{place}: {value}"
                );
            }
        }
    }
    (header, rows)
}

fn check_type(kind: &str, value: &str, place: &str) {
    let shape: String = value
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    match kind {
        "I" => assert!(
            value.bytes().all(|b| b.is_ascii_digit()),
            "{place}: {value}"
        ),
        "D" => assert_eq!(shape, "9999-99-99", "{place}"),
        "T" => assert_eq!(shape, "9999-99-99 99:99:99", "{place}"),
        "M" | "M+" => {
            let (units, cents) = shape.split_once('.').unwrap();
            assert!(
                units.bytes().all(|b| b == b'9') && cents == "99",
                "{place}: {value}"
            );
        }
        text => {
            let most: usize = text[1..].parse().unwrap();
            assert!(value.chars().count() <= most, "{place} is too long");
        }
    }
}

fn check_export(checked: &Checked) {
    let (_, rows) = &checked.files["Export"];
    assert_eq!(rows.len(), 1);
    let id = &rows[0][0];
    assert_eq!(checked.value("Export", id, "ExportDirective"), "1");
    assert_eq!(checked.value("Export", id, "ExportPeriodType"), "1");
    for (file, (header, rows)) in &checked.files {
        let column = header.iter().position(|name| name == "ExportID").unwrap();
        assert!(rows.iter().all(|row| row[column] == *id), "{file}");
    }
}

fn check_references(checked: &Checked) {
    let references = [
        ("PersonalID", "Client"),
        ("EnrollmentID", "Enrollment"),
        ("ProjectID", "Project"),
        ("OrganizationID", "Organization"),
        ("UserID", "User"),
    ];
    for (file, (header, rows)) in &checked.files {
        for (column, target) in references {
            let Some(index) = header.iter().position(|name| name == column) else {
                continue;
            };
            for row in rows {
                let keys = checked.keys(target);
                assert!(
                    keys.contains(&row[index].as_str()),
                    "{file}.{column}: {}",
                    row[index]
                );
            }
        }
    }
}
