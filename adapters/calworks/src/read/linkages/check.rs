//! Checks a whole message against the tables before it is told.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::ssn::Ssn;

use super::event;
use crate::gates::SenderGate;
use crate::linkages::{Fields, Message, Part};
use crate::tables::{LineType, LinkagesFields};

/// Checks a message and tells its events when it stands.
pub(super) fn take(
    fields: &LinkagesFields,
    gate: &SenderGate,
    name: &str,
    message: &Message,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let mut checked = message.clone();
    let mut is_sound = check_row(
        fields,
        name,
        message.line,
        LineType::Header,
        &mut checked.header,
        sink,
    );
    for part in &mut checked.parts {
        is_sound &= check_row(
            fields,
            name,
            part.line,
            part.line_type,
            &mut part.fields,
            sink,
        );
        is_sound &= check_id(name, part, sink);
    }
    is_sound &= check_needs(fields, name, &checked, sink);
    if is_sound {
        event::tell(gate, name, &checked, context, sink)
    } else {
        Ok(())
    }
}

/// Control characters are read as blanks.
pub(super) fn warn_of_controls(place: Place, sink: &mut dyn Sink) {
    let expected = "no control characters; each is read as a blank";
    sink.deviation(Deviation::warning("control-character", place, expected));
}

/// Checks one row: what is wrong is taken out of it. Whether the message still stands.
fn check_row(
    table: &LinkagesFields,
    name: &str,
    line: u64,
    line_type: LineType,
    row: &mut Fields,
    sink: &mut dyn Sink,
) -> bool {
    let mut is_sound = true;
    let at = |field: &str| Place::line(name, line).field(field);
    for field in table.all() {
        let is_here = field.lines.contains(&line_type);
        let value = row.get(&field.name);
        let is_structure = matches!(field.name.as_str(), "message_id" | "line_type");
        if value.is_empty() {
            if is_here && field.is_required && !is_structure {
                let expected = "a value: the field is required on this line";
                sink.deviation(Deviation::record_error(
                    "required-field-blank",
                    at(&field.name),
                    expected,
                ));
                is_sound = false;
            }
        } else if !is_here {
            let expected = "the field only on the line types that the table names";
            sink.deviation(Deviation::value_error(
                "field-on-wrong-line",
                at(&field.name),
                expected,
            ));
            row.remove(&field.name);
        } else if !field.fits(value) {
            let expected = field.expectation();
            if line_type == LineType::Header || field.is_required {
                sink.deviation(Deviation::record_error(
                    "field-value",
                    at(&field.name),
                    expected,
                ));
                is_sound = false;
            } else {
                sink.deviation(Deviation::value_error(
                    "field-value",
                    at(&field.name),
                    expected,
                ));
            }
            row.remove(&field.name);
        }
    }
    is_sound
}

/// A Social Security number is never an id: it would come up in places where ids are shown.
fn check_id(name: &str, part: &Part, sink: &mut dyn Sink) -> bool {
    let ssn: Option<Ssn> = part.fields.parsed("ssn");
    let is_ssn = ssn.is_some() && part.fields.parsed::<Ssn>("person_id") == ssn;
    if is_ssn {
        let place = Place::line(name, part.line).field("person_id");
        let expected = "an id that is not the person's Social Security number";
        sink.deviation(Deviation::record_error("person-id-is-ssn", place, expected));
    }
    !is_ssn
}

/// What the kind of message needs beyond the fields that every message needs.
fn check_needs(table: &LinkagesFields, name: &str, message: &Message, sink: &mut dyn Sink) -> bool {
    let mut is_sound = true;
    let kind = message.header.get("message_type");
    for (line_type, field) in table.needs(kind) {
        let is_met = match line_type {
            LineType::Header => !message.header.get(field).is_empty(),
            other if field.is_empty() => message.rows(other).next().is_some(),
            other => message
                .rows(other)
                .all(|part| !part.fields.get(field).is_empty()),
        };
        if !is_met {
            let place = Place::line(name, message.line);
            let (place, expected) = if field.is_empty() {
                (
                    place.field(line_type.code()),
                    "at least one such row in a message of this kind",
                )
            } else {
                (
                    place.field(field),
                    "a value: a message of this kind needs it",
                )
            };
            sink.deviation(Deviation::record_error(
                "message-incomplete",
                place,
                expected,
            ));
            is_sound = false;
        }
    }
    is_sound
}
