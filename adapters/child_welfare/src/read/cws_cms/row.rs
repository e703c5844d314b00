//! A row of an extract: columns by name, blank-padded text, 0 as "not set".

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use tandem_mappings::model::date::PartialDate;

use super::csv::Record;
use super::row_id::RowId;

/// The header of a table: where each column stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    positions: HashMap<String, usize>,
}

impl Header {
    /// Takes the names as they stand; the first of two equal names wins.
    pub(crate) fn new(names: &[String]) -> Self {
        let mut positions = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            positions
                .entry(name.trim().to_ascii_uppercase())
                .or_insert(index);
        }
        Self { positions }
    }

    /// Whether the table has the column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.positions.contains_key(column)
    }
}

/// A value that is not what its column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadValue;

/// One row under its header.
pub(crate) struct Row<'a> {
    /// The columns.
    pub(crate) header: &'a Header,
    /// The cells and their place.
    pub(crate) record: &'a Record,
}

impl Row<'_> {
    /// The cell without its padding; `None` when blank or when the table has no such column.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        let cell = self.record.cells.get(*self.header.positions.get(column)?)?;
        Some(cell.trim()).filter(|text| !text.is_empty())
    }

    /// The cell as owned text, empty when unset.
    pub(crate) fn owned(&self, column: &str) -> String {
        self.text(column).unwrap_or_default().to_owned()
    }

    /// A system code; 0 is "not set".
    pub(crate) fn code(&self, column: &str) -> Result<Option<u32>, BadValue> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        let code: u32 = text.parse().map_err(|_| BadValue)?;
        Ok((code != 0).then_some(code))
    }

    /// A row id, in either written form.
    pub(crate) fn id(&self, column: &str) -> Option<RowId> {
        self.text(column).and_then(RowId::read)
    }

    /// A date; the time of a timestamp is left off. Year 1 and year 9999 stand for "not set".
    pub(crate) fn date(&self, column: &str) -> Result<Option<PartialDate>, BadValue> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        let day: Date = moment(text).ok_or(BadValue)?.date();
        Ok((day.year() > 1 && day.year() < 9999).then(|| day.into()))
    }

    /// A local timestamp in a zone.
    pub(crate) fn timestamp(&self, column: &str, zone: &TimeZone) -> Option<Timestamp> {
        let local = moment(self.text(column)?)?;
        local
            .to_zoned(zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp())
    }

    /// Digits of a telephone number; zero is "not set".
    pub(crate) fn phone(&self, column: &str) -> Option<String> {
        let text = self.text(column)?;
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
        (digits.len() >= 7 && digits.bytes().any(|digit| digit != b'0')).then_some(digits)
    }
}

/// A date or timestamp as databases print them: `2026-02-02`, `2026-02-02 10:15:00.000`,
/// `2026-02-02-10.15.00.000000`, `2026-02-02T10:15:00`.
fn moment(text: &str) -> Option<DateTime> {
    let mut parts = text.split(|one: char| !one.is_ascii_digit());
    let year = parts.next().filter(|part| part.len() == 4)?.parse().ok()?;
    let month = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    let day = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    let mut time = [0_i8; 3];
    for slot in &mut time {
        *slot = match parts.next() {
            Some(part) => part.parse().ok()?,
            None => break,
        };
    }
    let nanosecond = match parts.next() {
        Some(part) if !part.is_empty() && part.len() <= 9 => format!("{part:0<9}").parse().ok()?,
        Some(_) => return None,
        None => 0,
    };
    let [hour, minute, second] = time;
    DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: &[&str]) -> Record {
        let cells = cells.iter().map(|&cell| cell.to_owned()).collect();
        Record {
            cells,
            line: 2,
            last_line: 2,
            is_windows_1252: false,
        }
    }

    #[test]
    fn padding_is_dropped_and_zero_is_unset() {
        let header = Header::new(&["COM_FST_NM".into(), "NAME_TPC".into()]);
        let record = record(&["Ana                 ", "0"]);
        let row = Row {
            header: &header,
            record: &record,
        };
        assert_eq!(row.text("COM_FST_NM"), Some("Ana"));
        assert_eq!(row.code("NAME_TPC"), Ok(None));
        assert_eq!(row.text("COM_LST_NM"), None);
    }

    #[test]
    fn dates_are_read_in_the_forms_that_databases_print() {
        let header = Header::new(&["A".into()]);
        for (text, day) in [
            ("2026-02-02", Some("2026-02-02")),
            ("2026-02-02 10:15:00.000", Some("2026-02-02")),
            ("2026-02-02-10.15.00.000000", Some("2026-02-02")),
            ("0001-01-01", None),
            ("9999-12-31", None),
        ] {
            let record = record(&[text]);
            let row = Row {
                header: &header,
                record: &record,
            };
            assert_eq!(
                row.date("A")
                    .unwrap()
                    .map(|date| date.to_string())
                    .as_deref(),
                day
            );
        }
        for text in ["02/02/2026", "2026-13-01", "yesterday", "2026-2-2"] {
            let record = record(&[text]);
            assert_eq!(
                Row {
                    header: &header,
                    record: &record
                }
                .date("A"),
                Err(BadValue),
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_moment_panic(text in "\\PC{0,40}") {
            let _ = moment(&text);
        }
    }
}
