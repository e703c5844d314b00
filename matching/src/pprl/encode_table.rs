//! From a person table to a table of encodings, as `tandem encode` makes it.

use std::collections::HashSet;
use std::io::Write;

use serde::Serialize;

use crate::engine::EngineError;
use crate::nickname::Nicknames;
use crate::table::{LinkTablesError, TableInput, TableName, TableWarning, read_records};

use super::encode::Encoder;
use super::filter::SCHEME;
use super::key::PprlKey;
use super::noise::Noise;

/// Columns of a table of encodings. `known` tells which fields a record has, since a field that one side lacks must not
/// count as different; scheme, key check and noise tell what the bits can be compared with.
pub(super) const COLUMNS: [&str; 6] = ["record_id", "scheme", "key_check", "noise", "known", "clk"];

/// How a table is encoded.
#[derive(Debug, Clone)]
pub struct EncodeOptions {
    /// The key of the exchange.
    pub key: PprlKey,
    /// Random flips of bits.
    pub noise: Noise,
    /// Whether the ids of the records stay as they are. By default a keyed pseudonym takes their place: case numbers and
    /// medical record numbers are identifiers themselves (45 CFR 164.514(b)(2)).
    pub keeps_ids: bool,
}

/// What an encoding of a table did; it holds no personal data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EncodeReport {
    /// Name of the system.
    pub system: String,
    /// Records that were encoded.
    pub records: u64,
    /// Records of them about which too little is known to link them.
    pub too_little_known: u64,
    /// Way of encoding, version included.
    pub scheme: &'static str,
    /// What the other agencies' tables must show as well.
    pub key_check: String,
    /// What was passed over.
    pub warnings: Vec<TableWarning>,
}

/// Encodes the records of a table and writes them; `ids` gets `record_id,encoded_id`, for the agency alone.
///
/// # Errors
/// [`LinkTablesError`] when the table cannot be read or used, or an output cannot be written.
pub fn encode_table(
    table: TableInput<'_>,
    options: &EncodeOptions,
    output: &mut (dyn Write + Send),
    ids: &mut (dyn Write + Send),
) -> Result<EncodeReport, LinkTablesError> {
    let encoder = encoder(&options.key)?;
    let key_check = options.key.check_value();
    let noise = options.noise.to_text();
    let mut encodings = Output::start(output, "encodings", &COLUMNS)?;
    let mut ids = Output::start(ids, "ids", &["record_id", "encoded_id"])?;
    let mut seen = HashSet::new();
    let mut too_little_known = 0;
    let name = TableName {
        system: &table.system,
        file: &table.file,
    };
    let (records, warnings) = read_records(
        name,
        table.input,
        |record| {
            let encoding = encoder.encode(record, options.noise);
            (record.key.clone(), encoding)
        },
        |(key, encoding), line| {
            if !seen.insert(key.id.clone()) {
                return Err(twice(&table.file, line));
            }
            let shown = if options.keeps_ids {
                key.id.clone()
            } else {
                encoder.pseudonym(&key.system, &key.id)
            };
            too_little_known += u64::from(!encoding.known.is_enough());
            let (known, clk) = (encoding.known.to_text(), encoding.filter.to_text());
            encodings.row(&[&shown, SCHEME, &key_check, &noise, &known, &clk])?;
            ids.row(&[&key.id, &shown])
        },
    )?;
    encodings.finish()?;
    ids.finish()?;
    Ok(EncodeReport {
        system: table.system,
        records,
        too_little_known,
        scheme: SCHEME,
        key_check,
        warnings,
    })
}

/// The encoder of a key, with the nicknames that are compiled in.
pub(super) fn encoder(key: &PprlKey) -> Result<Encoder, LinkTablesError> {
    let nicknames = Nicknames::standard().map_err(EngineError::from)?;
    Ok(Encoder::new(key, nicknames))
}

/// The error about an id that an earlier line has.
pub(super) fn twice(file: &str, line: u64) -> LinkTablesError {
    LinkTablesError::Value {
        file: file.to_owned(),
        line,
        column: "record_id",
        expected: "an id that no earlier line has",
    }
}

/// A table while it is written.
struct Output<'a> {
    writer: csv::Writer<&'a mut (dyn Write + Send)>,
    name: &'static str,
}

impl<'a> Output<'a> {
    fn start(
        output: &'a mut (dyn Write + Send),
        name: &'static str,
        header: &[&str],
    ) -> Result<Self, LinkTablesError> {
        let writer = csv::Writer::from_writer(output);
        let mut output = Self { writer, name };
        output.row(header)?;
        Ok(output)
    }

    fn row(&mut self, fields: &[&str]) -> Result<(), LinkTablesError> {
        let output = self.name;
        let failed = |source| LinkTablesError::Write { output, source };
        self.writer.write_record(fields).map_err(failed)
    }

    fn finish(mut self) -> Result<(), LinkTablesError> {
        self.writer.flush().map_err(|error| LinkTablesError::Write {
            output: self.name,
            source: error.into(),
        })
    }
}
