//! The first row of a file: which field holds which column.

use super::finding::Finding;
use crate::tables::FileLayout;

/// Columns that changed their name between editions, both ways.
const RENAMED: [(&str, &str); 2] = [
    ("HispanicLatinaeo", "HispanicLatinao"),
    ("HispanicLatinao", "HispanicLatinaeo"),
];
/// After so many unknown columns only their number is told.
const UNKNOWN_COLUMNS_NAMED: usize = 10;

/// Where each column of the layout stands in the records of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of fields of the header row.
    pub(crate) width: usize,
    /// Field index of each column of the layout.
    pub(crate) fields: Vec<Option<usize>>,
    /// Columns that the layout does not have.
    pub(crate) unknown: usize,
}

impl Header {
    /// Understands a header row, without regard to case or order; `None` when it has no key column, so that
    /// the file can't be used.
    pub(crate) fn read(
        layout: &FileLayout,
        texts: &[String],
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let mut found = Vec::new();
        let header = Self::match_columns(layout, texts, &mut found);
        if header.fields.first().is_some_and(Option::is_some) {
            findings.append(&mut found);
            return Some(header);
        }
        // The first row may be data: nothing of it may be shown.
        let key = layout
            .columns
            .first()
            .map_or("", |column| column.name.as_str());
        let text = format!("a header row with {key}");
        findings.push(Finding::dropped("header-missing", 1).at(key).expected(text));
        None
    }

    /// The field of a column.
    pub(crate) fn field_index(&self, layout: &FileLayout, column: &str) -> Option<usize> {
        self.fields.get(layout.position(column)?).copied().flatten()
    }

    fn match_columns(layout: &FileLayout, texts: &[String], findings: &mut Vec<Finding>) -> Self {
        let mut fields = vec![None; layout.columns.len()];
        let mut unknown = 0;
        let mut last_position = None;
        let mut is_ordered = true;
        for (index, text) in texts.iter().enumerate() {
            let name = text.trim().trim_matches('"').trim();
            let Some(position) = find_column(layout, name) else {
                unknown += 1;
                if unknown <= UNKNOWN_COLUMNS_NAMED {
                    let text = "no columns beside those of the specification";
                    let finding = Finding::warning("column-unknown", 1).at(&shown(name));
                    findings.push(finding.expected(text));
                }
                continue;
            };
            is_ordered &= last_position.is_none_or(|last| last < position);
            last_position = Some(position);
            note_spelling(layout, position, text, findings);
            match fields.get_mut(position) {
                Some(slot @ None) => *slot = Some(index),
                _ => findings.push(
                    Finding::warning("column-repeated", 1)
                        .at(&shown(name))
                        .expected("each column once; the first is read"),
                ),
            }
        }
        if unknown > UNKNOWN_COLUMNS_NAMED {
            let rest = unknown - UNKNOWN_COLUMNS_NAMED;
            let text = format!("no other columns; {rest} more are unknown");
            findings.push(Finding::warning("column-unknown", 1).expected(text));
        }
        if !is_ordered {
            let text = "columns in the order of the specification";
            findings.push(Finding::info("header-order", 1).expected(text));
        }
        note_missing(layout, &fields, findings);
        Self {
            width: texts.len(),
            fields,
            unknown,
        }
    }
}

fn find_column(layout: &FileLayout, name: &str) -> Option<usize> {
    layout.position(name).or_else(|| {
        let (_, other) = RENAMED
            .iter()
            .find(|(old, _)| old.eq_ignore_ascii_case(name))?;
        layout.position(other)
    })
}

fn note_spelling(layout: &FileLayout, position: usize, text: &str, findings: &mut Vec<Finding>) {
    let Some(column) = layout.columns.get(position) else {
        return;
    };
    if column.name != text {
        findings.push(
            Finding::info("header-spelling", 1)
                .at(&column.name)
                .expected(format!("header {}, case-sensitive", column.name)),
        );
    }
}

fn note_missing(layout: &FileLayout, fields: &[Option<usize>], findings: &mut Vec<Finding>) {
    for (column, field) in layout.columns.iter().zip(fields) {
        if field.is_none() {
            let finding = if column.is_nullable {
                Finding::warning("column-missing", 1)
            } else {
                Finding::unused("column-missing", 1)
            };
            findings.push(
                finding
                    .at(&column.name)
                    .expected("the column, even when it is blank"),
            );
        }
    }
}

/// A header name that is safe to show: a file without header has data in its first row.
fn shown(name: &str) -> String {
    let is_name = !name.is_empty()
        && name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_name {
        name.to_owned()
    } else {
        "(not a column name)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Edition, edition};

    fn header(file: &str, names: &[&str]) -> (Option<Header>, Vec<Finding>) {
        let tables = edition(Edition::Fy2026).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut findings = Vec::new();
        (
            Header::read(tables.file(file).unwrap(), &names, &mut findings),
            findings,
        )
    }

    #[test]
    fn header_case_and_order_do_not_matter_but_are_told() {
        let (header, findings) = header("Export", &["exportid", "CSVVersion", "SourceType"]);
        assert_eq!(header.unwrap().fields[..2], [Some(0), Some(2)]);
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&"header-spelling"));
        assert!(codes.contains(&"header-order"));
        assert!(codes.contains(&"column-missing"));
    }

    #[test]
    fn renamed_race_column_is_read_in_either_edition() {
        let (header, _) = header("Client", &["PersonalID", "HispanicLatinaeo"]);
        assert!(header.unwrap().fields.contains(&Some(1)));
    }

    #[test]
    fn a_file_without_header_is_refused_and_its_data_are_not_shown() {
        let (header, findings) = header("Client", &["1", "Marisol Demofield", "900123456"]);
        assert_eq!(header, None);
        assert!(!format!("{findings:?}").contains("Demofield"));
        assert!(!format!("{findings:?}").contains("900123456"));
    }

    #[test]
    fn ten_thousand_unknown_columns_make_a_short_report() {
        let names: Vec<String> = (0..10_000).map(|n| format!("C{n}")).collect();
        let mut all = vec!["PersonalID"];
        all.extend(names.iter().map(String::as_str));
        let (header, findings) = header("Client", &all);
        assert_eq!(header.unwrap().unknown, 10_000);
        assert!(findings.len() < 80);
    }
}
