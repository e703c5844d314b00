//! The values of a few records as their tables write them, for a report whose reader may see them. Numbers by which
//! a person is known (SSN, identifiers) are never among them.

use std::collections::{BTreeMap, BTreeSet};

use csv::ByteRecord;

use crate::record::RecordKey;

use super::error::LinkTablesError;
use super::link::TableInput;
use super::row::decode;

/// Values of records, by field of the comparison.
pub(crate) type Values = BTreeMap<RecordKey, BTreeMap<&'static str, String>>;

const SSN_DIGITS: usize = 9;

/// Columns that may be shown, and the field that each belongs to.
const SHOWN: [(&str, &str); 13] = [
    ("first_name", "first_name"),
    ("middle_name", "middle_name"),
    ("last_name", "last_name"),
    ("other_names", "last_name"),
    ("suffix", "suffix"),
    ("dob", "birth_date"),
    ("sex", "sex"),
    ("phone", "phone"),
    ("street", "address"),
    ("city", "address"),
    ("zip", "address"),
    ("household_id", "household"),
    ("relationship", "relationship"),
];

/// Reads the values of the records that are wanted.
///
/// # Errors
/// [`LinkTablesError`] when an input cannot be read.
pub(super) fn read_values(
    tables: Vec<TableInput<'_>>,
    wanted: &BTreeSet<RecordKey>,
) -> Result<Values, LinkTablesError> {
    let mut values = Values::new();
    for table in tables {
        let file = table.file.clone();
        read(table, wanted, &mut values)
            .map_err(|source| LinkTablesError::Unreadable { file, source })?;
    }
    Ok(values)
}

fn read(
    table: TableInput<'_>,
    wanted: &BTreeSet<RecordKey>,
    values: &mut Values,
) -> Result<(), csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(table.input);
    let header: Vec<String> = reader.byte_headers()?.iter().map(column_name).collect();
    let id_column = header.iter().position(|name| name == "record_id");
    let mut fields = ByteRecord::new();
    let mut number = 0_u64;
    while reader.read_byte_record(&mut fields)? {
        number += 1;
        let id = match id_column {
            Some(place) => text(&fields, place),
            None => number.to_string(),
        };
        let key = RecordKey::new(table.system.as_str(), id);
        if wanted.contains(&key) {
            let shown = shown(&header, &fields);
            values.insert(key, shown);
        }
    }
    Ok(())
}

fn shown(header: &[String], fields: &ByteRecord) -> BTreeMap<&'static str, String> {
    let mut shown: BTreeMap<&'static str, String> = BTreeMap::new();
    for (column, field) in SHOWN {
        let place = header.iter().position(|name| name == column);
        let value = place.map(|place| text(fields, place)).unwrap_or_default();
        if value.is_empty() {
            continue;
        }
        let all = shown.entry(field).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&without_number(value));
    }
    shown
}

/// A value that could be a Social Security number is not shown, in whatever column it stands.
fn without_number(value: String) -> String {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let is_bare = |symbol: char| symbol.is_ascii_digit() || matches!(symbol, '-' | ' ' | '.');
    if digits == SSN_DIGITS && value.chars().all(is_bare) {
        "nine digits".to_owned()
    } else {
        value
    }
}

fn column_name(name: &[u8]) -> String {
    decode(name)
        .trim_start_matches('\u{feff}')
        .trim()
        .to_ascii_lowercase()
}

fn text(fields: &ByteRecord, place: usize) -> String {
    decode(fields.get(place).unwrap_or_default())
        .trim()
        .to_owned()
}
