//! The fixed-width layout of ACF-199 records, from the published tables.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use crate::table;

/// One position range of a record; `start` and `end` are 1-based and inclusive.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    pub(crate) field: String,
    pub(crate) occurrence: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) accepted: String,
}

impl Position {
    /// Field name, with the child slot before it where a record has two children.
    pub(crate) fn key(&self) -> String {
        if self.occurrence.is_empty() {
            self.field.clone()
        } else {
            format!("{}.{}", self.occurrence, self.field)
        }
    }

    /// Whether the portal would let the value pass: columns `required` and `accepted_values`. An
    /// absent second child and substituted SSNs, dates and states are for others to judge.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        if value.is_empty() {
            return !self.required || self.occurrence == "child2";
        }
        let judged_elsewhere = matches!(self.kind.as_str(), "date8" | "yyyymm")
            || matches!(self.field.as_str(), "ssn" | "state_fips");
        if !self.required || self.accepted.is_empty() || judged_elsewhere {
            return true;
        }
        self.accepted
            .split('|')
            .any(|alternative| is_alternative(alternative, value))
    }
}

/// One record type.
#[derive(Debug, Clone)]
pub(crate) struct RecordLayout {
    pub(crate) positions: Vec<Position>,
}

impl RecordLayout {
    /// The layout of HEADER, T1, T2, T3 or TRAILER.
    ///
    /// # Errors
    /// When there is no such record in section 1 or its table is malformed.
    pub(crate) fn load(record: &str) -> anyhow::Result<Self> {
        let text = match record {
            "HEADER" => include_str!("../../tables/calworks/acf199_header.csv"),
            "T1" => include_str!("../../tables/calworks/acf199_t1.csv"),
            "T2" => include_str!("../../tables/calworks/acf199_t2.csv"),
            "T3" => include_str!("../../tables/calworks/acf199_t3.csv"),
            "TRAILER" => include_str!("../../tables/calworks/acf199_trailer.csv"),
            _ => anyhow::bail!("no layout for record {record}"),
        };
        let mut positions = Vec::new();
        for row in table::rows(text)? {
            let number = |name: &str| -> anyhow::Result<usize> {
                table::field(&row, name)
                    .parse()
                    .with_context(|| format!("{name} of {record}"))
            };
            positions.push(Position {
                field: table::field(&row, "field").to_owned(),
                occurrence: table::field(&row, "occurrence").to_owned(),
                start: number("start")?,
                end: number("end")?,
                kind: table::field(&row, "type").to_owned(),
                required: table::field(&row, "required") == "yes",
                accepted: table::field(&row, "accepted_values").to_owned(),
            });
        }
        Ok(Self { positions })
    }

    /// A line with the given values: numbers zero-filled, text left-aligned, the rest blank.
    ///
    /// # Errors
    /// When a value is too long or names a field that the record does not have.
    pub(crate) fn line(&self, values: &BTreeMap<String, String>) -> anyhow::Result<String> {
        for key in values.keys() {
            let known = self.positions.iter().any(|position| position.key() == *key);
            ensure!(known, "record has no field {key}");
        }
        let mut line = String::new();
        for position in &self.positions {
            let width = position.end + 1 - position.start;
            let value = values.get(&position.key()).map_or("", String::as_str);
            ensure!(value.len() <= width, "{} is too long", position.field);
            ensure!(
                position.accepts(value),
                "{} is not accepted",
                position.key()
            );
            if position.kind == "num" && !value.is_empty() {
                line.push_str(&format!("{value:0>width$}"));
            } else {
                line.push_str(&format!("{value:<width$}"));
            }
        }
        Ok(line)
    }

    /// The values of a line by key, for reading a written file back; what lies beyond the end of the line is blank.
    #[cfg(test)]
    pub(crate) fn values(&self, line: &str) -> BTreeMap<String, String> {
        self.positions
            .iter()
            .map(|position| {
                let end = position.end.min(line.len());
                let value = line.get(position.start - 1..end).unwrap_or("");
                (position.key(), value.trim_end().to_owned())
            })
            .collect()
    }
}

fn is_alternative(alternative: &str, value: &str) -> bool {
    let number = value.parse::<i64>().ok();
    let same = |code: &str| code.parse::<i64>().is_ok_and(|code| Some(code) == number);
    match alternative {
        "not blank" => true,
        "digits" => value.chars().all(|digit| digit.is_ascii_digit()),
        ">=0" => number.is_some_and(|number| number >= 0),
        ">0" => number.is_some_and(|number| number > 0),
        _ => match alternative.split_once("..") {
            Some((from, to)) => {
                let bounds = (from.parse::<i64>().ok(), to.parse::<i64>().ok(), number);
                matches!(bounds, (Some(from), Some(to), Some(number)) if (from..=to).contains(&number))
            }
            None => alternative == value || same(alternative),
        },
    }
}
