//! One line of a person table as a record.

use std::borrow::Cow;

use csv::ByteRecord;

use crate::record::{Name, Record};
use crate::value::{Address, BirthDate, Quality, Relationship, Sex, Ssn};

use super::fields::Fields;
use super::report::Warnings;

/// Columns by name; `None` when the table lacks one.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) record_id: Option<usize>,
    first_name: Option<usize>,
    middle_name: Option<usize>,
    last_name: Option<usize>,
    suffix: Option<usize>,
    dob: Option<usize>,
    sex: Option<usize>,
    ssn: Option<usize>,
    phone: Option<usize>,
    street: Option<usize>,
    city: Option<usize>,
    state: Option<usize>,
    zip: Option<usize>,
    name_dq: Option<usize>,
    ssn_dq: Option<usize>,
    dob_dq: Option<usize>,
    household_id: Option<usize>,
    relationship: Option<usize>,
    other_names: Option<usize>,
    identifiers: Vec<(String, usize)>,
}

impl Columns {
    /// Reads the header; unknown and repeated columns become warnings.
    pub(super) fn read(header: &ByteRecord, warnings: &mut Warnings) -> Self {
        let mut columns = Self::default();
        for (place, name) in header.iter().enumerate() {
            let name = decode(name)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_ascii_lowercase();
            if let Some(kind) = name.strip_prefix("id_").filter(|kind| !kind.is_empty()) {
                columns.identifiers.push((kind.to_owned(), place));
                continue;
            }
            match columns.named(&name) {
                Some(column) if column.is_none() => *column = Some(place),
                Some(_) => warnings.add(1, &name, "each column once; the first one is used"),
                None => warnings.add(1, &name, "a known column; this one is not used"),
            }
        }
        if columns.record_id.is_none() {
            warnings.add(
                1,
                "record_id",
                "a column of record ids; lines are numbered instead",
            );
        }
        columns
    }

    fn named(&mut self, name: &str) -> Option<&mut Option<usize>> {
        Some(match name {
            "record_id" => &mut self.record_id,
            "first_name" => &mut self.first_name,
            "middle_name" => &mut self.middle_name,
            "last_name" => &mut self.last_name,
            "suffix" => &mut self.suffix,
            "dob" => &mut self.dob,
            "sex" => &mut self.sex,
            "ssn" => &mut self.ssn,
            "phone" => &mut self.phone,
            "street" => &mut self.street,
            "city" => &mut self.city,
            "state" => &mut self.state,
            "zip" => &mut self.zip,
            "name_dq" => &mut self.name_dq,
            "ssn_dq" => &mut self.ssn_dq,
            "dob_dq" => &mut self.dob_dq,
            "household_id" => &mut self.household_id,
            "relationship" => &mut self.relationship,
            "other_names" => &mut self.other_names,
            _ => return None,
        })
    }
}

/// Digits from which a number of another length than nine tells people apart.
const FEWEST_DIGITS: usize = 6;

/// A line with its columns.
pub(super) struct Row<'a> {
    pub(super) columns: &'a Columns,
    pub(super) fields: &'a Fields,
    pub(super) line: u64,
}

impl Row<'_> {
    /// A field without the blanks around it; empty when the column is absent.
    fn text(&self, column: Option<usize>) -> Cow<'_, str> {
        column.map_or(Cow::Borrowed(""), |place| self.fields.get(place))
    }

    /// The record id; `None` when the column is there and the field is empty.
    pub(super) fn id(&self, number: u64) -> Option<Cow<'_, str>> {
        match self.columns.record_id {
            None => Some(number.to_string().into()),
            column => Some(self.text(column)).filter(|id| !id.is_empty()),
        }
    }

    /// Reads the record over another one of the same table; what cannot be read is left out with a warning.
    pub(super) fn read_into(&self, record: &mut Record, id: &str, warnings: &mut Warnings) {
        let columns = self.columns;
        record.key.id.clear();
        record.key.id.push_str(id);
        record.name_quality = self.quality(columns.name_dq, "name_dq", warnings);
        record.ssn_quality = self.quality(columns.ssn_dq, "ssn_dq", warnings);
        self.read_names(&mut record.names);
        self.read_optional(columns.suffix, &mut record.suffix);
        record.birth_date = self.birth_date(warnings);
        record.sex = self
            .read(columns.sex, "sex", "F, M or U", Sex::parse, warnings)
            .unwrap_or_default();
        let expected = "nine digits, x for an unknown one, or the last four";
        record.ssn = self.read(columns.ssn, "ssn", expected, Ssn::parse, warnings);
        record.phones.resize_with(1, String::new);
        for phone in &mut record.phones {
            self.read_text(columns.phone, phone);
        }
        record.addresses.resize_with(1, Address::default);
        for address in &mut record.addresses {
            self.read_text(columns.street, &mut address.street);
            self.read_text(columns.city, &mut address.city);
            self.read_text(columns.state, &mut address.state);
            self.read_text(columns.zip, &mut address.zip);
        }
        self.read_identifiers(record);
        self.read_optional(columns.household_id, &mut record.household);
        record.relationship = Relationship::parse(&self.text(columns.relationship));
    }

    fn read_text(&self, column: Option<usize>, text: &mut String) {
        text.clear();
        text.push_str(&self.text(column));
    }

    /// A field that is none when it is empty.
    fn read_optional(&self, column: Option<usize>, known: &mut Option<String>) {
        let mut text = known.take().unwrap_or_default();
        self.read_text(column, &mut text);
        *known = Some(text).filter(|text| !text.is_empty());
    }

    /// Shared identifiers by kind; one that the line does not have is empty.
    fn read_identifiers(&self, record: &mut Record) {
        record.identifiers.values_mut().for_each(String::clear);
        let other_number = self.other_number(record.ssn.is_none());
        for (kind, place) in &self.columns.identifiers {
            match record.identifiers.get_mut(kind) {
                Some(value) => self.read_text(Some(*place), value),
                None => {
                    let value = self.text(Some(*place)).into_owned();
                    record.identifiers.insert(kind.clone(), value);
                }
            }
        }
        record.identifiers.extend(other_number);
    }

    /// A number of another length in the column of the Social Security numbers: some country's or program's own, which
    /// is compared as an identifier is.
    fn other_number(&self, is_unread: bool) -> Option<(String, String)> {
        let text = self.text(self.columns.ssn);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let is_number = digits >= FEWEST_DIGITS && digits == text.len();
        (is_unread && is_number).then(|| ("ssn".to_owned(), text.into_owned()))
    }

    /// The current name, then the others that the line tells.
    fn read_names(&self, names: &mut Vec<Name>) {
        let columns = self.columns;
        names.resize_with(1, Name::default);
        let Some(current) = names.first_mut() else {
            return;
        };
        self.read_text(columns.first_name, &mut current.first);
        self.read_text(columns.middle_name, &mut current.middle);
        self.read_text(columns.last_name, &mut current.last);
        let others = self.text(columns.other_names);
        let others = others.split(';').filter(|name| !name.trim().is_empty());
        let others = others.flat_map(|name| spelled_out(Name::parse(name), current));
        let others: Vec<Name> = others.collect();
        names.extend(others);
    }

    fn birth_date(&self, warnings: &mut Warnings) -> Option<BirthDate> {
        let quality = self.quality(self.columns.dob_dq, "dob_dq", warnings);
        let parse = |text: &str| BirthDate::parse(text, quality);
        self.read(
            self.columns.dob,
            "dob",
            "a date as YYYY-MM-DD",
            parse,
            warnings,
        )
    }

    fn quality(
        &self,
        column: Option<usize>,
        name: &'static str,
        warnings: &mut Warnings,
    ) -> Quality {
        let expected = "an HMIS quality code: 1, 2, 8, 9 or 99";
        self.read(column, name, expected, Quality::from_hmis_code, warnings)
            .unwrap_or_default()
    }

    fn read<T>(
        &self,
        column: Option<usize>,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        warnings: &mut Warnings,
    ) -> Option<T> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let value = parse(&text);
        if value.is_none() {
            warnings.add(self.line, name, expected);
        }
        value
    }
}

/// A single word among the other names is another family name or another given name.
fn spelled_out(name: Name, current: &Name) -> Vec<Name> {
    if !name.first.is_empty() {
        return vec![name];
    }
    let given = Name::new(&name.last, "", &current.last);
    let family = Name::new(&current.first, &current.middle, &name.last);
    vec![given, family]
}

/// UTF-8, or else one character per byte (ISO 8859-1): old exports are written so.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
