//! Reader of a table of encodings. A line that is damaged ends it: a link that is missing because a file was cut would
//! never be noticed.

use csv::ByteRecord;

use crate::table::{LinkTablesError, TableInput};

use super::encode::Encoding;
use super::encode_table::{COLUMNS, twice};
use super::field::Known;
use super::filter::{Filter, SCHEME};
use super::noise::Noise;
use super::pool::{Pool, SystemNumber};

/// Where the columns of a table are, in the order of [`COLUMNS`].
type Places = [usize; COLUMNS.len()];

/// A table of encodings while it is read.
pub(super) struct EncodedTable<'a> {
    file: &'a str,
    places: Places,
    line: u64,
    fields: ByteRecord,
}

/// Reads a table into a pool; how many records it has. `key_check` is that of the key or of an earlier table, if there
/// was any, and that of this table afterwards.
///
/// # Errors
/// [`LinkTablesError`] naming file, line and column of what is damaged or was made with another key or scheme.
pub(super) fn read_encoded(
    table: TableInput<'_>,
    pool: &mut Pool,
    key_check: &mut Option<String>,
) -> Result<u64, LinkTablesError> {
    let unreadable = |source| LinkTablesError::Unreadable {
        file: table.file.clone(),
        source,
    };
    let mut reader = csv::Reader::from_reader(table.input);
    let header = reader.byte_headers().map_err(unreadable)?;
    let mut row = EncodedTable::start(&table.file, header)?;
    let mut system = None;
    let mut records = 0;
    while reader
        .read_byte_record(&mut row.fields)
        .map_err(unreadable)?
    {
        row.line = row.fields.position().map_or(0, csv::Position::line);
        row.check(key_check)?;
        let noise = row.noise()?;
        let (number, first_noise) = match system {
            Some(started) => started,
            None => *system.insert((start(pool, &table.system, noise)?, noise)),
        };
        if noise != first_noise {
            return Err(row.expected(3, "the noise of the first line"));
        }
        let (id, encoding) = row.encoding()?;
        if !pool.push(number, id, encoding) {
            return Err(twice(row.file, row.line));
        }
        records += 1;
    }
    if system.is_none() {
        start(pool, &table.system, Noise::NONE)?;
    }
    Ok(records)
}

/// Starts a system of a pool.
///
/// # Errors
/// [`LinkTablesError::System`] when two tables have one name.
pub(super) fn start(
    pool: &mut Pool,
    system: &str,
    noise: Noise,
) -> Result<SystemNumber, LinkTablesError> {
    let number = pool.system(system, noise);
    number.ok_or_else(|| LinkTablesError::System(system.to_owned()))
}

impl<'a> EncodedTable<'a> {
    fn start(file: &'a str, header: &ByteRecord) -> Result<Self, LinkTablesError> {
        let mut table = Self {
            file,
            places: Places::default(),
            line: 1,
            fields: ByteRecord::new(),
        };
        for (column, name) in COLUMNS.iter().enumerate() {
            let found = header.iter().position(|field| is_named(field, name));
            let expected = "this column, as tandem encode writes it";
            let found = found.ok_or_else(|| table.expected(column, expected))?;
            if let Some(place) = table.places.get_mut(column) {
                *place = found;
            }
        }
        Ok(table)
    }

    fn expected(&self, column: usize, expected: &'static str) -> LinkTablesError {
        LinkTablesError::Value {
            file: self.file.to_owned(),
            line: self.line,
            column: COLUMNS.get(column).copied().unwrap_or_default(),
            expected,
        }
    }

    /// A field; empty when it is no UTF-8.
    fn text(&self, column: usize) -> &str {
        let place = self.places.get(column);
        let bytes = place.and_then(|place| self.fields.get(*place));
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }

    fn check(&self, key_check: &mut Option<String>) -> Result<(), LinkTablesError> {
        if self.text(1) != SCHEME {
            return Err(self.expected(1, "tandem-clk-1: encoded by another version of the scheme"));
        }
        let found = self.text(2);
        match key_check {
            Some(known) if known == found => Ok(()),
            Some(_) => Err(self.expected(
                2,
                "the key check value of the key and the other tables: encoded with another key",
            )),
            None if found.is_empty() => Err(self.expected(2, "a key check value")),
            None => {
                *key_check = Some(found.to_owned());
                Ok(())
            }
        }
    }

    fn noise(&self) -> Result<Noise, LinkTablesError> {
        let expected = "nothing, or an epsilon from 1 to 16";
        Noise::parse(self.text(3)).ok_or_else(|| self.expected(3, expected))
    }

    fn encoding(&self) -> Result<(&str, Encoding), LinkTablesError> {
        let id = self.text(0);
        if id.is_empty() {
            return Err(self.expected(0, "a record id"));
        }
        let known = Known::parse(self.text(4));
        let known = known.ok_or_else(|| self.expected(4, "three hexadecimal digits below 800"))?;
        let filter = Filter::parse(self.text(5));
        let filter = filter.ok_or_else(|| self.expected(5, "1024 bits in base64"))?;
        Ok((id, Encoding { filter, known }))
    }
}

fn is_named(field: &[u8], name: &str) -> bool {
    let field = field.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(field);
    field.trim_ascii() == name.as_bytes()
}
