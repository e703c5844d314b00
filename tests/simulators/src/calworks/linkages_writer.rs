//! Writes Linkages messages as one CSV batch.

use anyhow::{Context, ensure};

use super::linkages_table::LinkagesTable;
use super::message::LinkagesMessage;

/// The batch as bytes: header row of every field, then each message's rows.
///
/// # Errors
/// When a message does not keep to the published table: the system checks before it sends.
pub(crate) fn batch(
    table: &LinkagesTable,
    messages: &[LinkagesMessage],
) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.fields.iter().map(|field| &field.name))?;
    for message in messages {
        write_line(table, &mut writer, message, "header", |name| {
            message.field(name)
        })?;
        for name in message.fields.keys() {
            ensure!(table.field(name).is_some(), "unknown field {name}");
        }
        for part in &message.parts {
            for name in part.fields.keys() {
                ensure!(table.field(name).is_some(), "unknown field {name}");
            }
            write_line(table, &mut writer, message, &part.line_type, |name| {
                part.field(name)
            })?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| anyhow::anyhow!("closing the batch: {error}"))
}

fn write_line<'line>(
    table: &LinkagesTable,
    writer: &mut csv::Writer<Vec<u8>>,
    message: &'line LinkagesMessage,
    line_type: &'line str,
    value_of: impl Fn(&str) -> &'line str,
) -> anyhow::Result<()> {
    let cell = |name: &str| match name {
        "message_id" => message.message_id.as_str(),
        "line_type" => line_type,
        _ => value_of(name),
    };
    if let Some((rule, detail)) = table.complaints(line_type, cell).first() {
        anyhow::bail!("message {} breaks {rule}: {detail}", message.message_id);
    }
    writer
        .write_record(table.fields.iter().map(|field| cell(&field.name)))
        .context("writing a line")
}
