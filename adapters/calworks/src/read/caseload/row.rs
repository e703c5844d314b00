//! One row of the batch as values by field.

use std::collections::HashMap;

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;

use super::layout::{CaseloadLayout, LayoutField};
use super::value::Value;

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) line: u64,
}

/// The values of one row. A field that is blank, unusable or not in the layout is absent.
#[derive(Debug, Clone)]
pub(super) struct PersonRow {
    /// Line on which the row starts.
    pub(super) line: u64,
    values: HashMap<String, Value>,
}

impl PersonRow {
    /// The value of a field.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.values.get(field)
    }

    /// The text of a field; empty when it is absent.
    pub(super) fn text(&self, field: &str) -> &str {
        match self.values.get(field) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The text of a field, when it is there.
    pub(super) fn some(&self, field: &str) -> Option<String> {
        Some(self.text(field))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// The date in a field.
    pub(super) fn date(&self, field: &str) -> Option<jiff::civil::Date> {
        match self.values.get(field) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }
}

/// Whether a cell of the header row names a column of the layout, in whatever case.
pub(super) fn names(cell: &str, column: &str) -> bool {
    cell.trim().eq_ignore_ascii_case(column)
}

/// The place of each layout field in the header row. Says which columns are missing and which are not read.
pub(super) fn csv_columns(
    layout: &CaseloadLayout,
    header: &[String],
    name: &str,
    sink: &mut dyn Sink,
) -> Vec<Option<usize>> {
    let at = Place::line(name, 1);
    let is_known = |cell: &String| layout.fields.iter().any(|field| names(cell, &field.column));
    for _ in header.iter().filter(|cell| !is_known(cell)) {
        let expected = "only columns of the layout; others are kept with the original and not read";
        sink.deviation(Deviation::info("column-not-read", at.clone(), expected));
    }
    let places = layout.fields.iter().map(|field| {
        let mut found = header
            .iter()
            .enumerate()
            .filter(|(_, cell)| names(cell, &field.column));
        let place = found.next().map(|(place, _)| place);
        if found.next().is_some() {
            let expected = "each column once; the first one counts";
            let place = at.clone().field(&field.column);
            sink.deviation(Deviation::warning("column-twice", place, expected));
        }
        if place.is_none() {
            let expected = "every column of the layout";
            sink.deviation(Deviation::warning(
                "column-missing",
                at.clone().field(&field.column),
                expected,
            ));
        }
        place
    });
    places.collect()
}

/// A CSV row.
pub(super) fn csv_row(
    layout: &CaseloadLayout,
    columns: &[Option<usize>],
    cells: &[String],
    source: &Source<'_>,
    sink: &mut dyn Sink,
) -> Option<PersonRow> {
    let texts = columns.iter().map(|place| {
        place
            .and_then(|place| cells.get(place))
            .map_or("", String::as_str)
    });
    row(
        layout.fields.iter().zip(texts.map(str::to_owned)),
        source,
        sink,
    )
}

/// A record of fixed width; what lies beyond its end is blank.
pub(super) fn fixed_row(
    layout: &CaseloadLayout,
    text: &str,
    source: &Source<'_>,
    sink: &mut dyn Sink,
) -> Option<PersonRow> {
    let texts = layout.fields.iter().map(|field| {
        text.chars()
            .skip(field.span.0)
            .take(field.span.1)
            .collect::<String>()
    });
    row(layout.fields.iter().zip(texts), source, sink)
}

/// The text with a blank for each control character: mainframe exports fill fields with low values. Line ends and tabs
/// inside a quoted cell are text.
fn without_controls(text: String) -> (String, bool) {
    let is_control =
        |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    if text.contains(is_control) {
        (text.replace(is_control, " "), true)
    } else {
        (text, false)
    }
}

fn row<'a>(
    texts: impl Iterator<Item = (&'a LayoutField, String)>,
    source: &Source<'_>,
    sink: &mut dyn Sink,
) -> Option<PersonRow> {
    let mut values = HashMap::new();
    let mut is_usable = true;
    for (field, text) in texts.filter(|(field, _)| !field.name.starts_with("filler")) {
        let at = || Place::line(source.name, source.line).field(&field.name);
        let (text, was_replaced) = without_controls(text);
        if was_replaced {
            let expected = "no control characters; each is read as a blank";
            sink.deviation(Deviation::warning("control-character", at(), expected));
        }
        if text.trim().is_empty() {
            if field.is_required {
                sink.deviation(Deviation::record_error(
                    "required-field-blank",
                    at(),
                    "a value",
                ));
                is_usable = false;
            }
            continue;
        }
        match field.value(&text) {
            Ok(value) => {
                values.insert(field.name.clone(), value);
            }
            Err(expected) if field.is_required => {
                sink.deviation(Deviation::record_error("field-value", at(), expected));
                is_usable = false;
            }
            Err(expected) => sink.deviation(Deviation::value_error("field-value", at(), expected)),
        }
    }
    is_usable.then_some(PersonRow {
        line: source.line,
        values,
    })
}
