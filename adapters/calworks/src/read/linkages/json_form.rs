//! The JSON form: `{"version":"1.0","messages":[{header fields, "persons":[..], "activities":[..], ...}]}`.

use std::collections::HashSet;
use std::io::Read;

use serde_json::{Map, Value};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::json;
use tandem_adapter_port::read::{Sink, Stopped};

use super::check;
use crate::gates::SenderGate;
use crate::linkages::{Fields, Message, Part, VERSION, has_controls};
use crate::tables::{LineType, LinkagesFields};

/// The largest JSON input, in bytes. A larger batch goes as CSV, which is read row by row.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The most values of one JSON input: some two thousand messages.
const MOST_VALUES: usize = 200_000;

/// Reads the messages.
pub(super) fn read(
    fields: &LinkagesFields,
    gate: &SenderGate,
    name: &str,
    reader: &mut dyn Read,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let messages = match messages(name, reader, sink) {
        Ok(messages) => messages,
        Err(deviation) => {
            sink.deviation(*deviation);
            return Ok(());
        }
    };
    let is_refused = |message: &Value| {
        message
            .get("sender")
            .and_then(Value::as_str)
            .is_some_and(|sender| gate.refuses(sender))
    };
    if messages.iter().any(is_refused) {
        // JSON has no lines of its own by which one message could be cut out of the kept original.
        let expected = "no message of a sender whose records never enter";
        sink.deviation(Deviation::input_error(
            "gate-sender",
            Place::file(name),
            expected,
        ));
        return Ok(());
    }
    let mut seen: HashSet<String> = HashSet::new();
    for (place, value) in (1_u64..).zip(messages) {
        let Some(message) = message(fields, name, place, value, sink) else {
            continue;
        };
        if seen.insert(message.id.clone()) {
            check::take(fields, gate, name, &message, context, sink)?;
        } else {
            let at = Place::line(name, place).field("message_id");
            sink.deviation(Deviation::record_error(
                "message-split",
                at,
                "each message id once",
            ));
        }
    }
    Ok(())
}

fn messages(
    name: &str,
    reader: &mut dyn Read,
    sink: &mut dyn Sink,
) -> Result<Vec<Value>, Box<Deviation>> {
    let refuse = |code: &str, expected: &str| {
        Box::new(Deviation::input_error(code, Place::file(name), expected))
    };
    let mut bytes = Vec::new();
    let read = reader.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    if read.is_err() {
        return Err(refuse("unreadable", "a stream that can be read to its end"));
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(refuse(
            "too-large",
            "JSON of at most 16 MiB; a larger batch goes as CSV",
        ));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let parsed = json::parse(text, MOST_VALUES).map_err(|fault| {
        let mut deviation = if fault.has_too_many_values {
            refuse(
                "too-large",
                "JSON of at most 200000 values; a larger batch goes as CSV",
            )
        } else {
            refuse("not-json", "JSON in UTF-8 of a depth below 128")
        };
        deviation.place.line = Some(fault.line);
        deviation
    })?;
    if parsed.repeated_keys > 0 {
        let expected = "each key once in an object; the first one counts";
        let place = Place::file(name);
        sink.deviation(Deviation::warning("repeated-key", place, expected));
    }
    let value = parsed.value;
    let Value::Object(mut batch) = value else {
        return Err(refuse("not-json", "an object with messages"));
    };
    match batch.get("version").and_then(Value::as_str) {
        Some(version) if version == VERSION => sink.version(VERSION),
        _ => return Err(refuse("version", "version 1.0")),
    }
    match batch.remove("messages") {
        Some(Value::Array(messages)) => Ok(messages),
        _ => Err(refuse("messages", "a list of messages")),
    }
}

/// The message; its place is its number in the list. `None` when it is dropped, with the reason told.
fn message(
    fields: &LinkagesFields,
    name: &str,
    place: u64,
    value: Value,
    sink: &mut dyn Sink,
) -> Option<Message> {
    sink.record(LineType::Header.code());
    let at = Place::line(name, place);
    let Value::Object(object) = value else {
        sink.deviation(Deviation::record_error(
            "message-form",
            at,
            "a message as an object",
        ));
        return None;
    };
    let mut message = Message {
        line: place,
        ..Message::default()
    };
    let mut header = Map::new();
    for (key, value) in object {
        let list = LineType::ALL
            .into_iter()
            .find(|line| line.list() == Some(key.as_str()));
        match (list, value) {
            (Some(line_type), Value::Array(rows)) => {
                for row in rows {
                    sink.record(line_type.code());
                    let fields = row_fields(fields, row, &at, sink)?;
                    message.parts.push(Part {
                        line_type,
                        line: place,
                        fields,
                    });
                }
            }
            (Some(_), _) => {
                sink.deviation(Deviation::record_error(
                    "message-form",
                    at.field(key),
                    "a list",
                ));
                return None;
            }
            (None, value) => {
                header.insert(key, value);
            }
        }
    }
    message.header = row_fields(fields, Value::Object(header), &at, sink)?;
    message.id = message.header.get("message_id").to_owned();
    message.header.remove("message_id");
    if message.id.is_empty() {
        let place = at.field("message_id");
        sink.deviation(Deviation::record_error(
            "required-field-blank",
            place,
            "a message id",
        ));
        return None;
    }
    Some(message)
}

fn row_fields(
    fields: &LinkagesFields,
    row: Value,
    at: &Place,
    sink: &mut dyn Sink,
) -> Option<Fields> {
    let Value::Object(row) = row else {
        sink.deviation(Deviation::record_error(
            "message-form",
            at.clone(),
            "an object of fields",
        ));
        return None;
    };
    let mut found = Fields::default();
    for (key, value) in row {
        if fields.field(&key).is_none() || key == "line_type" {
            // The key is the sender's text and may be anything: it is not repeated.
            let expected = "only fields of the Linkages messages";
            sink.deviation(Deviation::value_error(
                "unknown-field",
                at.clone(),
                expected,
            ));
            continue;
        }
        match value {
            Value::String(text) => {
                if has_controls(&text) {
                    check::warn_of_controls(at.clone().field(key.as_str()), sink);
                }
                found.set(&key, text);
            }
            Value::Number(number) => found.set(&key, number.to_string()),
            Value::Null => {}
            _ => {
                let expected = "a text or a number";
                sink.deviation(Deviation::record_error(
                    "message-form",
                    at.clone().field(key),
                    expected,
                ));
                return None;
            }
        }
    }
    Some(found)
}
