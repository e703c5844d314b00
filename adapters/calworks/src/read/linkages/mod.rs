//! Reads Linkages messages, as CSV batch or as JSON; the first character that is not blank tells which.
//!
//! A message with an error in its structure, a missing required field or a wrong value in its header is dropped as a
//! whole and the others are read; a wrong value in another row is left out. People in a message are told as `record.received` of kind `linkages`, with what the message says of them and no
//! more: a system that also sends its caseload knows more about them.

mod check;
mod csv_form;
mod event;
mod involvement;
mod json_form;
mod people;
mod plan;
mod referral;

use std::io::Read;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::tables::TableError;

use crate::gates::SenderGate;
use crate::tables::LinkagesFields;

/// The reader of `calworks/linkages`.
#[derive(Debug)]
pub struct LinkagesReader {
    fields: LinkagesFields,
    gate: SenderGate,
}

impl LinkagesReader {
    /// A reader by the shipped field table, behind a gate for senders.
    ///
    /// # Errors
    /// When the table is not sound.
    pub fn new(gate: SenderGate) -> Result<Self, TableError> {
        Ok(Self {
            fields: LinkagesFields::load()?,
            gate,
        })
    }
}

impl FormatReader for LinkagesReader {
    fn format(&self) -> Format {
        Format::Linkages
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        match input {
            Input::Stream { name, reader } => self.read_stream(name, reader, context, sink),
            Input::Package { name, .. } => {
                let expected = "one CSV or JSON file, not a package";
                sink.deviation(Deviation::input_error(
                    "not-a-file",
                    Place::file(name),
                    expected,
                ));
                Ok(())
            }
        }
    }
}

impl LinkagesReader {
    fn read_stream(
        &self,
        name: &str,
        reader: &mut dyn Read,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let Some(first) = first_bytes(reader) else {
            let expected = "a CSV batch or JSON with messages";
            sink.deviation(Deviation::input_error(
                "empty-input",
                Place::file(name),
                expected,
            ));
            return Ok(());
        };
        let is_json = matches!(first.last(), Some(b'{' | b'['));
        let mut whole = first.as_slice().chain(reader);
        if is_json {
            json_form::read(&self.fields, &self.gate, name, &mut whole, context, sink)
        } else {
            csv_form::read(&self.fields, &self.gate, name, &mut whole, context, sink)
        }
    }
}

/// The bytes up to the first that is neither blank nor part of a byte order mark; `None` when there is none.
fn first_bytes(reader: &mut dyn Read) -> Option<Vec<u8>> {
    const MOST_BLANKS: usize = 4096;
    let mut bytes = Vec::new();
    let mut byte = [0_u8; 1];
    while bytes.len() < MOST_BLANKS {
        match reader.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => bytes.push(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return None,
        }
        if !byte[0].is_ascii_whitespace() && !matches!(byte[0], 0xef | 0xbb | 0xbf) {
            return Some(bytes);
        }
    }
    Some(bytes)
}
