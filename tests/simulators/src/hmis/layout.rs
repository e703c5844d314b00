//! The FY2026 HMIS CSV layout: 24 files, their columns, types and lists.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};

use crate::table;

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    kind: String,
    nullable: bool,
    list: String,
}

/// One file in published column order.
#[derive(Debug, Clone)]
pub(crate) struct FileLayout {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

impl FileLayout {
    /// The first column, which is the key of every file.
    pub(crate) fn key(&self) -> &str {
        self.columns
            .first()
            .map_or("", |column| column.name.as_str())
    }
}

/// All files and lists.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) files: Vec<FileLayout>,
    lists: BTreeMap<String, BTreeSet<String>>,
}

/// HUD's template for custom files (Appendix C): column, type, nullable.
const CUSTOM: [(&str, &str, &str); 13] = [
    ("CustomQuestionID", "S32", "N"),
    ("EnrollmentID", "S32", "N"),
    ("PersonalID", "S32", "N"),
    ("CustomQuestionGroup", "S250", "Y"),
    ("CustomQuestionOrder", "I", "Y"),
    ("CustomQuestion", "S250", "N"),
    ("CustomAnswer", "S250", "Y"),
    ("CustomDetailAnswer", "S250", "Y"),
    ("DateCreated", "T", "N"),
    ("DateUpdated", "T", "N"),
    ("UserID", "S32", "N"),
    ("DateDeleted", "T", "Y"),
    ("ExportID", "S32", "N"),
];

impl Layout {
    /// Reads the embedded tables.
    ///
    /// # Errors
    /// When one is malformed.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let mut files: Vec<FileLayout> = Vec::new();
        for row in table::rows(include_str!("../../tables/hmis/fy2026_columns.csv"))? {
            let file = table::field(&row, "file");
            let column = Column {
                name: table::field(&row, "column").to_owned(),
                kind: table::field(&row, "type").to_owned(),
                nullable: table::field(&row, "nullable") == "Y",
                list: table::field(&row, "list").to_owned(),
            };
            match files.last_mut().filter(|last| last.name == file) {
                Some(last) => last.columns.push(column),
                None => {
                    files.push(FileLayout {
                        name: file.to_owned(),
                        columns: vec![column],
                    });
                }
            }
        }
        let mut lists: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in table::rows(include_str!("../../tables/hmis/picklists.csv"))? {
            let codes = lists
                .entry(table::field(&row, "list").to_owned())
                .or_default();
            codes.insert(table::field(&row, "code").to_owned());
        }
        Ok(Self { files, lists })
    }

    /// The layout of a file by its name without ending.
    pub(crate) fn file(&self, name: &str) -> Option<&FileLayout> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The layout that every custom file has.
    pub(crate) fn custom(name: &str) -> FileLayout {
        let columns = CUSTOM
            .iter()
            .map(|(name, kind, nullable)| Column {
                name: (*name).to_owned(),
                kind: (*kind).to_owned(),
                nullable: *nullable == "Y",
                list: String::new(),
            })
            .collect();
        FileLayout {
            name: name.to_owned(),
            columns,
        }
    }

    /// What is wrong with a value, if anything.
    pub(crate) fn mismatch(&self, column: &Column, value: &str) -> Option<String> {
        if value.is_empty() {
            return (!column.nullable).then(|| format!("{} is blank", column.name));
        }
        let kind = column.kind.as_str();
        let fits = if let Some(longest) = kind.strip_prefix('S') {
            let longest: usize = longest.parse().unwrap_or(0);
            value.chars().count() <= longest && !value.contains(['<', '>', '[', ']', '{', '}'])
        } else {
            match kind {
                "I" => value.parse::<u64>().is_ok() && value.chars().all(|c| c.is_ascii_digit()),
                "D" => value.len() == 10 && value.parse::<Date>().is_ok(),
                "T" => is_date_time(value),
                "M" | "M+" => is_money(value, kind == "M"),
                _ => false,
            }
        };
        if !fits {
            return Some(format!("{} is no {kind}", column.name));
        }
        // A list that depends on another column is named by a rule, not by a number.
        let outside = self
            .lists
            .get(&column.list)
            .is_some_and(|codes| !codes.contains(value));
        outside.then(|| format!("{} = {value} is not in list {}", column.name, column.list))
    }
}

fn is_date_time(value: &str) -> bool {
    value.len() == 19
        && value.as_bytes().get(10) == Some(&b' ')
        && value.replacen(' ', "T", 1).parse::<DateTime>().is_ok()
}

fn is_money(value: &str, may_be_negative: bool) -> bool {
    let amount = value
        .strip_prefix('-')
        .filter(|_| may_be_negative)
        .unwrap_or(value);
    amount.split_once('.').is_some_and(|(whole, cents)| {
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        digits(whole) && digits(cents) && cents.len() == 2
    })
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn layout_has_all_files_and_judges_values_by_type_and_list() {
        let layout = Layout::load().unwrap();
        assert_eq!(layout.files.len(), 24);
        assert_eq!(
            layout
                .files
                .iter()
                .map(|file| file.columns.len())
                .sum::<usize>(),
            519
        );
        let event = layout.file("Event").unwrap();
        let judge = |name: &str, value: &str| {
            let column = event
                .columns
                .iter()
                .find(|column| column.name == name)
                .unwrap();
            layout.mismatch(column, value).is_none()
        };
        assert!(judge("Event", "10") && !judge("Event", "99") && !judge("Event", ""));
        assert!(judge("ResultDate", "2026-02-08") && !judge("ResultDate", "02/08/2026"));
        assert!(judge("DateUpdated", "2026-02-08 09:00:00") && !judge("DateUpdated", "2026-02-08"));
        assert!(!judge("LocationCrisisOrPHHousing", "<b>") && judge("ReferralResult", ""));
    }
}
