//! The CSV batch: a header row with every field, then the rows of each message.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Sink, Stopped};

use super::check;
use crate::gates::SenderGate;
use crate::linkages::{Message, Part, VERSION, has_controls, unguard};
use crate::read::rows::{Row, RowFault, Rows};
use crate::tables::{LineType, LinkagesFields, ValueType};

/// The most rows of one message; more are no message of this kind.
const MOST_ROWS: usize = 5_000;

/// A message while its rows come in.
#[derive(Default)]
struct Draft {
    message: Message,
    headers: usize,
    is_broken: bool,
    first_line: u64,
    last_line: u64,
}

struct Batch<'a> {
    fields: &'a LinkagesFields,
    gate: &'a SenderGate,
    name: &'a str,
    columns: Vec<String>,
    draft: Option<Draft>,
    seen: HashSet<u64>,
    hasher: RandomState,
}

/// Reads a batch.
pub(super) fn read(
    fields: &LinkagesFields,
    gate: &SenderGate,
    name: &str,
    reader: &mut dyn Read,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let mut rows = Rows::new(reader);
    let Some(columns) = rows.next_row().and_then(|row| row.cells.ok()) else {
        sink.deviation(Deviation::input_error(
            "header-row",
            Place::line(name, 1),
            "a header row of field names",
        ));
        return Ok(());
    };
    let columns: Vec<String> = columns
        .into_iter()
        .map(|column| column.trim().to_owned())
        .collect();
    if !check_columns(fields, name, &columns, sink) {
        return Ok(());
    }
    sink.version(VERSION);
    let (seen, hasher) = (HashSet::new(), RandomState::new());
    let mut batch = Batch {
        fields,
        gate,
        name,
        columns,
        draft: None,
        seen,
        hasher,
    };
    while let Some(row) = rows.next_row() {
        batch.row(row, context, sink)?;
    }
    batch.close(context, sink)
}

/// Whether the rows can be read: every column is a field, each once, and those that every message needs are there.
fn check_columns(
    fields: &LinkagesFields,
    name: &str,
    columns: &[String],
    sink: &mut dyn Sink,
) -> bool {
    let mut refuse = |column: &str, expected: &str| {
        let place = Place::line(name, 1).field(column);
        sink.deviation(Deviation::input_error("header-row", place, expected));
    };
    let mut is_sound = true;
    for (place, column) in columns.iter().enumerate() {
        if fields.field(column).is_none() {
            refuse(
                &format!("column {}", place + 1),
                "a field of the Linkages messages",
            );
            is_sound = false;
        } else if columns.iter().take(place).any(|earlier| earlier == column) {
            refuse(column, "each column once");
            is_sound = false;
        }
    }
    for field in fields
        .all()
        .iter()
        .filter(|field| field.is_required && field.lines.contains(&LineType::Header))
    {
        if !columns.contains(&field.name) {
            refuse(&field.name, "a column for every required field");
            is_sound = false;
        }
    }
    if is_sound
        && !columns
            .iter()
            .map(String::as_str)
            .eq(fields.all().iter().map(|field| field.name.as_str()))
    {
        let expected = "every field of the table as a column, in its order";
        sink.deviation(Deviation::warning(
            "header-row-differs",
            Place::line(name, 1),
            expected,
        ));
    }
    is_sound
}

impl Batch<'_> {
    fn row(&mut self, row: Row, context: &ReadContext, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let place = Place::line(self.name, row.line);
        if row.is_windows_1252 {
            sink.deviation(Deviation::warning(
                "not-utf-8",
                place.clone(),
                "text in UTF-8",
            ));
        }
        let cells = match row.cells {
            Ok(cells) if cells.len() == self.columns.len() => cells,
            Ok(_) => {
                return self.broken_row(
                    place,
                    "row-width",
                    "as many cells as the header row has",
                    sink,
                );
            }
            Err(fault) => {
                let (code, expected) = told(fault);
                if fault == RowFault::Unreadable {
                    sink.deviation(Deviation::input_error(code, place, expected));
                    return Ok(());
                }
                return self.broken_row(place, code, expected, sink);
            }
        };
        if cells.iter().map(|cell| cell.trim()).eq(&self.columns) {
            let expected = "only one header row";
            sink.deviation(Deviation::value_error("header-twice", place, expected));
            return Ok(());
        }
        if cells.iter().any(|cell| has_controls(cell)) {
            check::warn_of_controls(place.clone(), sink);
        }
        let mut part = Part {
            line_type: LineType::Header,
            line: row.line,
            fields: Default::default(),
        };
        for (column, cell) in self.columns.iter().zip(&cells) {
            let is_text = self
                .fields
                .field(column)
                .is_some_and(|field| field.value == ValueType::Text);
            part.fields
                .set(column, if is_text { unguard(cell) } else { cell });
        }
        let id = part.fields.get("message_id").to_owned();
        if id.is_empty() {
            return self.broken_row(
                place.field("message_id"),
                "required-field-blank",
                "a message id",
                sink,
            );
        }
        if self
            .draft
            .as_ref()
            .is_none_or(|draft| draft.message.id != id)
        {
            self.close(context, sink)?;
            self.begin(id, row.line, sink);
        }
        if let Some(draft) = &mut self.draft {
            draft.last_line = row.last_line;
        }
        self.keep(part, place, sink);
        Ok(())
    }

    /// A row that cannot be read breaks the message around it, since what it held is unknown.
    fn broken_row(
        &mut self,
        place: Place,
        code: &str,
        expected: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        sink.deviation(Deviation::record_error(code, place, expected));
        if let Some(draft) = &mut self.draft {
            draft.is_broken = true;
        }
        Ok(())
    }

    fn begin(&mut self, id: String, line: u64, sink: &mut dyn Sink) {
        let mut draft = Draft {
            message: Message {
                id,
                line,
                ..Message::default()
            },
            first_line: line,
            ..Draft::default()
        };
        if !self.seen.insert(self.hasher.hash_one(&draft.message.id)) {
            let expected = "the rows of a message together, and each message id once";
            sink.deviation(Deviation::record_error(
                "message-split",
                Place::line(self.name, line),
                expected,
            ));
            draft.is_broken = true;
        }
        self.draft = Some(draft);
    }

    fn keep(&mut self, mut part: Part, place: Place, sink: &mut dyn Sink) {
        let Some(draft) = &mut self.draft else { return };
        let Some(line_type) = LineType::from_code(part.fields.get("line_type")) else {
            sink.record("unknown");
            let place = place.field("line_type");
            sink.deviation(Deviation::record_error(
                "unknown-line-type",
                place,
                "a line type of the table",
            ));
            draft.is_broken = true;
            return;
        };
        sink.record(line_type.code());
        part.fields.remove("message_id");
        part.fields.remove("line_type");
        part.line_type = line_type;
        if line_type == LineType::Header {
            draft.headers += 1;
            draft.message.header = part.fields;
            draft.message.line = part.line;
        } else if draft.message.parts.len() < MOST_ROWS {
            draft.message.parts.push(part);
        } else if !draft.is_broken {
            sink.deviation(Deviation::record_error(
                "message-too-long",
                place,
                "at most 5000 rows in a message",
            ));
            draft.is_broken = true;
        }
    }

    fn close(&mut self, context: &ReadContext, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let Some(draft) = self.draft.take() else {
            return Ok(());
        };
        if self.gate.refuses(draft.message.header.get("sender")) {
            sink.refused(Place::line(self.name, draft.first_line), draft.last_line);
            return Ok(());
        }
        if draft.headers != 1 {
            let expected = "exactly one row of line type header in a message";
            let place = Place::line(self.name, draft.message.line);
            sink.deviation(Deviation::record_error("one-header", place, expected));
            return Ok(());
        }
        if draft.is_broken {
            return Ok(());
        }
        let message = &draft.message;
        check::take(self.fields, self.gate, self.name, message, context, sink)
    }
}

fn told(fault: RowFault) -> (&'static str, &'static str) {
    match fault {
        RowFault::StrayQuote => ("stray-quote", "quotes that open and close a cell"),
        RowFault::TooLong => ("line-too-long", "a row of at most 64 KiB"),
        RowFault::Unreadable => ("unreadable", "a stream that can be read to its end"),
    }
}
