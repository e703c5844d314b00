//! Checks the values of one record against the column tables and brings them into the specification's forms.
//!
//! A value that can't be used becomes blank and an error; a doubtful one is used and a warning. A record
//! without its key, or without the references and dates that give it meaning, is dropped.

use super::finding::Finding;
use super::header::Header;
use super::judge::{self, Hashing};
use super::record::Record;
use super::row::Row;
use crate::tables::{Column, ColumnType, FileLayout, SituationUse, Tables, is_retired_subsidy};

/// Columns without which a record means nothing.
const NEEDED: [&str; 6] = [
    "PersonalID",
    "EnrollmentID",
    "ProjectID",
    "EntryDate",
    "ExitDate",
    "EventDate",
];
/// Client columns that a hashed export fills with hashes (names 64 characters, SSN 68).
const HASHED: [&str; 4] = ["FirstName", "MiddleName", "LastName", "SSN"];
/// What is known of the whole package when its rows are checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checker<'a> {
    pub(crate) tables: &'a Tables,
    /// Decides the century of two-digit years.
    pub(crate) reference_year: i16,
    /// Whether names and SSNs are hashes.
    pub(crate) hashing: Hashing,
}

impl<'a> Checker<'a> {
    /// The checked row; `None` when the record can't be used. Findings tell why and what was doubtful.
    pub(crate) fn row(
        &self,
        layout: &'a FileLayout,
        header: &Header,
        record: Record,
        findings: &mut Vec<Finding>,
    ) -> Option<Row<'a>> {
        let line = record.line;
        note_bytes(&record, findings);
        let mut fields = fitted(header, record, findings)?;
        let values = header
            .fields
            .iter()
            .map(|field| {
                field
                    .and_then(|index| fields.get_mut(index))
                    .map(std::mem::take)
                    .unwrap_or_default()
            })
            .collect();
        let mut row = Row {
            layout,
            line,
            values,
            originals: Vec::new(),
        };
        if row
            .key()
            .trim()
            .eq_ignore_ascii_case(layout.columns.first()?.name.as_str())
        {
            findings.push(Finding::warning("header-repeated", line).expected("one header row"));
            return None;
        }
        for index in 0..layout.columns.len() {
            self.value(&mut row, index, findings);
        }
        self.codes(&mut row, findings);
        note_conditions(&row, findings);
        is_usable(&row, header, findings).then_some(row)
    }

    fn value(&self, row: &mut Row<'_>, index: usize, findings: &mut Vec<Finding>) {
        let Some(column) = row.layout.columns.get(index) else {
            return;
        };
        let may_hash = row.layout.name == "Client" && HASHED.contains(&column.name.as_str());
        let (line, file) = (row.line, row.layout.name.as_str());
        let Some(held) = row.values.get(index).filter(|held| !held.is_empty()) else {
            return;
        };
        let (value, doubt) = match column.kind {
            ColumnType::Text(_) if may_hash && self.hashing != Hashing::None => {
                judge::hash(held, self.hashing)
            }
            ColumnType::Text(_) if file == "Client" && column.name == "SSN" => judge::ssn(held),
            ColumnType::Text(length) => judge::text(held, length),
            kind => judge::typed(held, kind, self.reference_year),
        };
        if let Some(doubt) = doubt {
            let expected = judge::expected(&doubt, column.kind);
            findings.push(doubt.on(line).at(&column.name).expected(expected));
        }
        match value {
            None => {}
            // The same date or number in the specification's form is no change.
            Some(value) if !value.is_empty() && !matches!(column.kind, ColumnType::Text(_)) => {
                if let Some(slot) = row.values.get_mut(index) {
                    *slot = value;
                }
            }
            Some(value) => row.replace(index, &value),
        }
    }

    fn codes(&self, row: &mut Row<'_>, findings: &mut Vec<Finding>) {
        let layout = row.layout;
        for (index, column) in layout.columns.iter().enumerate() {
            let Some(rule) = &column.codes else { continue };
            let Some(code) = row.values.get(index).filter(|code| !code.is_empty()) else {
                continue;
            };
            if let Some((place, subsidy_column)) =
                SituationUse::of_column(&layout.name, &column.name)
            {
                let code = code.clone();
                self.situation(row, index, (&code, place, subsidy_column), findings);
                continue;
            }
            let Some(list) = rule.list_for(|name| row.get(name)) else {
                let text = "blank, since the row's other codes name no list";
                let finding = Finding::warning("code-not-asked", row.line);
                findings.push(finding.at(&column.name).expected(text));
                continue;
            };
            if !self.tables.lists.contains(list, code) {
                findings.push(
                    Finding::unused("bad-code", row.line)
                        .at(&column.name)
                        .expected(format!("a code of list {list}")),
                );
                row.replace(index, "");
            }
        }
    }

    fn situation(
        &self,
        row: &mut Row<'_>,
        index: usize,
        (code, place, subsidy_column): (&str, SituationUse, &str),
        findings: &mut Vec<Finding>,
    ) {
        let Some(column) = row.layout.columns.get(index) else {
            return;
        };
        let found = if is_retired_subsidy(code) {
            if let Some(subsidy) = row.layout.position(subsidy_column)
                && row.get(subsidy_column).is_empty()
            {
                row.replace(subsidy, code);
            }
            row.replace(index, "435");
            Finding::warning("retired-subsidy", row.line)
                .expected(format!("435, and the subsidy in {subsidy_column}"))
        } else if !self.tables.lists.contains("3.12.1", code) {
            row.replace(index, "");
            Finding::unused("bad-code", row.line).expected("a code of list 3.12.1")
        } else if !self.tables.living.allows(code, place) {
            Finding::warning("code-out-of-place", row.line)
                .expected("a code of list 3.12.1 that is valid in this column")
        } else {
            return;
        };
        findings.push(found.at(&column.name));
    }
}

fn note_bytes(record: &Record, findings: &mut Vec<Finding>) {
    if record.is_windows_1252 {
        findings.push(Finding::warning("encoding", record.line).expected("UTF-8"));
    }
    if record.has_stray_quote {
        let text = "quotes doubled inside quoted text";
        findings.push(Finding::warning("stray-quote", record.line).expected(text));
    }
}

/// The fields of a record that has as many as the header, or that differs only by blank ones at the end.
fn fitted(header: &Header, record: Record, findings: &mut Vec<Finding>) -> Option<Vec<String>> {
    let expected = format!("{} columns, as in the header", header.width);
    if record.is_cut {
        findings.push(Finding::dropped("line-too-long", record.line).expected(expected));
        return None;
    }
    if record.fits(header.width) {
        if record.fields.len() > header.width {
            findings.push(Finding::warning("column-count", record.line).expected(expected));
        }
        return Some(record.fields);
    }
    findings.push(Finding::dropped("column-count", record.line).expected(expected));
    None
}

/// Whether the record has what it needs; blanks that may not be are told.
fn is_usable(row: &Row<'_>, header: &Header, findings: &mut Vec<Finding>) -> bool {
    let mut is_usable = true;
    for (index, column) in row.layout.columns.iter().enumerate() {
        let is_blank = row.values.get(index).is_none_or(String::is_empty);
        let is_known = header.fields.get(index).is_some_and(Option::is_some);
        if !is_blank || column.is_nullable {
            continue;
        }
        let is_needed = index == 0 || NEEDED.contains(&column.name.as_str());
        is_usable &= !is_needed;
        let already_told = findings
            .iter()
            .any(|finding| finding.line == row.line && finding.column == column.name);
        if is_known && (is_needed || !already_told) {
            let finding = if is_needed {
                Finding::dropped("blank-required", row.line)
            } else {
                Finding::warning("blank-required", row.line)
            };
            findings.push(finding.at(&column.name).expected(blank_text(column)));
        }
    }
    is_usable
}

/// Columns that are filled without the answer that asks for them, or blank beside it.
fn note_conditions(row: &Row<'_>, findings: &mut Vec<Finding>) {
    for condition in &row.layout.conditions {
        let Some((code, expected)) = condition.breach(&row.values) else {
            continue;
        };
        let column = row.layout.columns.get(condition.column);
        let name = column.map_or("", |column| column.name.as_str());
        findings.push(Finding::warning(code, row.line).at(name).expected(expected));
    }
}

fn blank_text(column: &Column) -> &'static str {
    match column.codes {
        Some(_) => "a code; 99 where the list has it and the answer is unknown",
        None => "a value",
    }
}
