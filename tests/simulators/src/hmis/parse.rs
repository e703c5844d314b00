//! Taking a package apart: each file against its layout, before anything is believed.

use std::collections::BTreeMap;

use super::layout::{FileLayout, Layout};
use super::{HmisPackage, HmisRow, PackageKind};
use crate::violation::Violation;
use crate::zip_file;

/// Reads every file of a zip.
pub(crate) fn parse(
    layout: &Layout,
    name: &str,
    bytes: &[u8],
) -> Result<HmisPackage, Vec<Violation>> {
    if name.ends_with(".txt") {
        return text(name, bytes);
    }
    let files = zip_file::unpack(bytes)
        .map_err(|error| vec![Violation::new(name, "zip", format!("{error:#}"))])?;
    let is_custom = files.keys().any(|file| file.starts_with("Custom"));
    let mut violations = Vec::new();
    let mut parsed = BTreeMap::new();
    for (file, bytes) in &files {
        let place = format!("{name}/{file}");
        let base = file.strip_suffix(".csv").unwrap_or("");
        let file_layout = if base.starts_with("Custom") && base.len() > "Custom".len() {
            Some(Layout::custom(base))
        } else {
            layout
                .file(base)
                .filter(|_| !is_custom || base == "Export")
                .cloned()
        };
        match file_layout {
            Some(file_layout) => {
                let rows = rows(layout, &file_layout, &place, bytes, &mut violations);
                parsed.insert(base.to_owned(), rows);
            }
            None if is_custom => {
                let detail = "custom files never travel with official ones";
                violations.push(Violation::new(place, "custom-mixed", detail));
            }
            None => violations.push(Violation::new(
                place,
                "unknown-file",
                "none of the 24 files",
            )),
        }
    }
    let export_id = export_id(name, &parsed, &mut violations);
    if !violations.is_empty() {
        return Err(violations);
    }
    let kind = if is_custom {
        PackageKind::Custom
    } else {
        PackageKind::Delta
    };
    Ok(HmisPackage {
        kind,
        export_id,
        files: parsed,
        text: String::new(),
    })
}

/// A text beside a package, such as the notices that go with what was told.
fn text(name: &str, bytes: &[u8]) -> Result<HmisPackage, Vec<Violation>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| vec![Violation::new(name, "encoding", "not UTF-8")])?;
    Ok(HmisPackage {
        kind: PackageKind::Text,
        export_id: name.to_owned(),
        files: BTreeMap::new(),
        text: text.to_owned(),
    })
}

fn rows(
    layout: &Layout,
    file: &FileLayout,
    place: &str,
    bytes: &[u8],
    violations: &mut Vec<Violation>,
) -> Vec<HmisRow> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        violations.push(Violation::new(place, "encoding", "not UTF-8"));
        return Vec::new();
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let expected = file.columns.iter().map(|column| column.name.as_str());
    match reader.headers() {
        Ok(header) if header.iter().eq(expected) => {}
        _ => {
            let detail = "header differs from the specification in name, case or order";
            violations.push(Violation::new(place, "header", detail));
            return Vec::new();
        }
    }
    let mut rows: Vec<HmisRow> = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let place = format!("{place} row {}", number + 2);
        let Ok(record) = record else {
            violations.push(Violation::new(place, "csv", "another number of columns"));
            continue;
        };
        for (column, value) in file.columns.iter().zip(record.iter()) {
            if let Some(wrong) = layout.mismatch(column, value) {
                violations.push(Violation::new(&place, "value", wrong));
            }
        }
        let row: HmisRow = file
            .columns
            .iter()
            .zip(record.iter())
            .map(|(column, value)| (column.name.clone(), value.to_owned()))
            .collect();
        if rows
            .iter()
            .any(|other| other.get(file.key()) == row.get(file.key()))
        {
            violations.push(Violation::new(&place, "key-twice", file.key()));
        }
        rows.push(row);
    }
    rows
}

/// The one ExportID that every row of every file carries.
fn export_id(
    name: &str,
    files: &BTreeMap<String, Vec<HmisRow>>,
    violations: &mut Vec<Violation>,
) -> String {
    let mut ids: Vec<&str> = files
        .values()
        .flatten()
        .filter_map(|row| row.get("ExportID"))
        .map(String::as_str)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != 1 {
        let detail = format!("{} different ExportIDs", ids.len());
        violations.push(Violation::new(name, "export-id", detail));
    }
    ids.first().map_or_else(String::new, |id| (*id).to_owned())
}
