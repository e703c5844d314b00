//! Messages as CSV batch and as JSON.

use serde_json::{Map, Value};

use crate::linkages::{Fields, Message, VERSION, guard};
use crate::tables::{LineType, LinkagesFields, ValueType};

/// Checks a message against the tables before it is written.
///
/// # Errors
/// The name of the field or row that is missing or does not fit.
pub(super) fn check(table: &LinkagesFields, message: &Message) -> Result<(), String> {
    check_row(table, LineType::Header, &message.header)?;
    for part in &message.parts {
        check_row(table, part.line_type, &part.fields)?;
    }
    for (line_type, field) in table.needs(message.header.get("message_type")) {
        let is_met = match line_type {
            LineType::Header => !message.header.get(field).is_empty(),
            other if field.is_empty() => message.rows(other).next().is_some(),
            other => message
                .rows(other)
                .all(|part| !part.fields.get(field).is_empty()),
        };
        if !is_met {
            return Err(if field.is_empty() {
                line_type.code().to_owned()
            } else {
                field.to_owned()
            });
        }
    }
    Ok(())
}

fn check_row(table: &LinkagesFields, line_type: LineType, row: &Fields) -> Result<(), String> {
    for field in table.all() {
        let is_here = field.lines.contains(&line_type);
        let value = row.get(&field.name);
        let is_structure = matches!(field.name.as_str(), "message_id" | "line_type");
        let is_missing = value.is_empty() && field.is_required && is_here && !is_structure;
        let is_right = value.is_empty() || (is_here && field.fits(value));
        if is_missing || !is_right {
            return Err(field.name.clone());
        }
    }
    Ok(())
}

/// The CSV batch: the header row, then each message's rows, each with every column.
pub(super) fn csv(table: &LinkagesFields, messages: &[Message]) -> Vec<u8> {
    let mut text = String::new();
    push_row(
        &mut text,
        table.all().iter().map(|field| field.name.clone()),
    );
    for message in messages {
        let header = std::iter::once((LineType::Header, &message.header));
        for (line_type, fields) in header.chain(
            message
                .parts
                .iter()
                .map(|part| (part.line_type, &part.fields)),
        ) {
            let cells = table.all().iter().map(|field| match field.name.as_str() {
                "message_id" => guard(&message.id),
                "line_type" => line_type.code().to_owned(),
                name if field.value == ValueType::Text => guard(fields.get(name)),
                name => fields.get(name).to_owned(),
            });
            push_row(&mut text, cells);
        }
    }
    text.into_bytes()
}

/// Adds a row by RFC 4180.
fn push_row(text: &mut String, cells: impl Iterator<Item = String>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

/// The JSON form; blank fields are left out.
pub(super) fn json(table: &LinkagesFields, messages: &[Message]) -> Vec<u8> {
    let messages = messages.iter().map(|message| {
        let mut object = object(table, &message.header);
        object.insert("message_id".to_owned(), Value::String(message.id.clone()));
        for line_type in LineType::ALL {
            let rows: Vec<Value> = message
                .rows(line_type)
                .map(|part| Value::Object(self::object(table, &part.fields)))
                .collect();
            if let (Some(list), false) = (line_type.list(), rows.is_empty()) {
                object.insert(list.to_owned(), Value::Array(rows));
            }
        }
        Value::Object(object)
    });
    let batch = serde_json::json!({ "version": VERSION, "messages": messages.collect::<Vec<_>>() });
    let mut text = batch.to_string();
    text.push('\n');
    text.into_bytes()
}

fn object(table: &LinkagesFields, fields: &Fields) -> Map<String, Value> {
    let filled = fields.iter().map(|(name, value)| {
        let is_number = table
            .field(name)
            .is_some_and(|field| field.value == ValueType::Number);
        let number = if is_number {
            value.parse::<u64>().ok()
        } else {
            None
        };
        (
            name.to_owned(),
            number.map_or_else(|| Value::String(value.to_owned()), Value::from),
        )
    });
    filled.collect()
}
