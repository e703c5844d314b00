//! The reader of `fhir/bundle`: pieces of a stream become resources, resources become events.

use serde_json::Value;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::json::{self, JsonFault};
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};

use super::collect::{Collector, Held};
use super::deletion::{Deletion, Newest};
use super::resource::record_name;
use super::split::{MAX_PIECE_BYTES, Piece, PieceKind, Splitter};
use crate::config::FhirConfig;

/// Most values in one piece: a resource has some hundreds.
const MOST_VALUES: usize = 100_000;

/// Bundles within Bundles are followed this deep.
const NESTING_CAP: usize = 4;

/// Codes of bundle-type (FHIR R4, section 2.36.9); `Bundle.type` is required.
const BUNDLE_TYPES: &[&str] = &[
    "document",
    "message",
    "transaction",
    "transaction-response",
    "batch",
    "batch-response",
    "history",
    "searchset",
    "collection",
];

/// Reads `fhir/bundle`: a Bundle, a single resource, or newline-delimited resources.
#[derive(Debug, Clone)]
pub struct FhirReader {
    config: FhirConfig,
}

impl FhirReader {
    /// A reader for one partner's payloads.
    #[must_use]
    pub fn new(config: FhirConfig) -> Self {
        Self { config }
    }
}

impl FormatReader for FhirReader {
    fn format(&self) -> Format {
        Format::FhirBundle
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        sink.version("R4");
        let mut reading = Reading {
            collector: Collector::new(self.config.clone(), context.clone()),
            sink,
            resources: 0,
            loose_entries: 0,
            newest: Newest::default(),
        };
        match input {
            Input::Stream { name, reader } => reading.stream(name, reader)?,
            Input::Package {
                name: package_name,
                package,
            } => {
                for name in package.names() {
                    let is_json = name.ends_with(".json") || name.ends_with(".ndjson");
                    match package.open(&name) {
                        Ok(mut entry) if is_json => reading.stream(&name, &mut entry)?,
                        Ok(_) => reading.sink.deviation(Deviation::info(
                            "file-not-used",
                            Place::file(&name),
                            "a file called *.json or *.ndjson",
                        )),
                        Err(_) => reading.sink.deviation(Deviation::record_error(
                            "entry-not-readable",
                            Place::file(&name),
                            "a readable entry of the package",
                        )),
                    }
                }
                reading.nothing_is_rejected(package_name);
            }
        }
        let Reading {
            mut collector,
            sink,
            ..
        } = reading;
        collector.finish(sink)
    }
}

struct Reading<'s> {
    collector: Collector,
    sink: &'s mut dyn Sink,
    resources: u64,
    /// Elements of a top-level `entry` that hold no resource, since the last whole value.
    loose_entries: u64,
    newest: Newest,
}

impl Reading<'_> {
    fn stream(&mut self, name: &str, reader: &mut dyn std::io::Read) -> Result<(), Stopped> {
        let before = self.resources;
        match Splitter::new(reader) {
            Ok(pieces) => {
                for piece in pieces {
                    match piece {
                        Ok(piece) => self.piece(name, &piece)?,
                        Err(_) => self.read_failed(name),
                    }
                }
            }
            Err(_) => self.read_failed(name),
        }
        if self.resources == before {
            self.nothing_is_rejected(name);
        }
        Ok(())
    }

    fn read_failed(&mut self, name: &str) {
        let place = Place::file(name);
        self.sink.deviation(Deviation::record_error(
            "read-failed",
            place,
            "a readable stream",
        ));
    }

    fn nothing_is_rejected(&mut self, name: &str) {
        if self.resources == 0 {
            self.sink.deviation(Deviation::input_error(
                "no-resources",
                Place::file(name),
                "a Bundle, a resource, or one resource a line",
            ));
        }
    }

    fn piece(&mut self, name: &str, piece: &Piece) -> Result<(), Stopped> {
        let place = Place::line(name, piece.line);
        if piece.oversized {
            let expected = format!("at most {MAX_PIECE_BYTES} bytes in one resource");
            self.sink.deviation(Deviation::record_error(
                "resource-too-large",
                place,
                expected,
            ));
            return Ok(());
        }
        let parsed = match json::parse(&piece.bytes, MOST_VALUES) {
            Ok(parsed) => parsed,
            Err(fault) => {
                self.not_json(name, piece, fault);
                return Ok(());
            }
        };
        if parsed.repeated_keys > 0 {
            let expected = "each key once in an object; the first one counts";
            self.sink
                .deviation(Deviation::warning("repeated-key", place.clone(), expected));
        }
        match piece.kind {
            PieceKind::Entry => self.entry(parsed.value, place, piece.last_line, 0),
            PieceKind::Whole => self.whole(parsed.value, place, piece),
        }
    }

    fn not_json(&mut self, name: &str, piece: &Piece, fault: JsonFault) {
        if fault.has_too_many_values {
            let expected = format!("at most {MOST_VALUES} values in one resource");
            let place = Place::line(name, piece.line);
            self.sink.deviation(Deviation::record_error(
                "resource-too-large",
                place,
                expected,
            ));
            return;
        }
        let (code, place) = if fault.is_end_of_input || piece.cut_short {
            // Where a cut is noticed is where the text ends.
            ("json-cut-short", Place::line(name, piece.last_line))
        } else if piece.entries_before > 0 && piece.kind == PieceKind::Whole {
            // The entries have been taken out, so that positions inside the rest say nothing.
            ("json-not-readable", Place::line(name, piece.line))
        } else {
            let before = if fault.line <= 1 { piece.column } else { 1 };
            let column = before.saturating_add(fault.column).saturating_sub(1);
            let line = piece.line.saturating_add(fault.line.saturating_sub(1));
            let place = Place::line(name, line).field(format!("column {column}"));
            ("json-not-readable", place)
        };
        let expected = "well-formed JSON in UTF-8, numbers within range, nested at most 128 deep";
        self.sink
            .deviation(Deviation::record_error(code, place, expected));
    }

    /// A top-level value; the entries of a Bundle have been read before it.
    fn whole(&mut self, value: Value, place: Place, piece: &Piece) -> Result<(), Stopped> {
        let loose = std::mem::take(&mut self.loose_entries);
        let is_bundle = value.get("resourceType").and_then(Value::as_str) == Some("Bundle");
        if is_bundle
            && value
                .get("entry")
                .is_some_and(|entries| !entries.is_array())
        {
            let expected = "a list of entries";
            self.sink.deviation(Deviation::record_error(
                "entries-not-a-list",
                place.clone().field("Bundle.entry"),
                expected,
            ));
        }
        let kind = value.get("type").and_then(Value::as_str);
        if is_bundle && !kind.is_some_and(|kind| BUNDLE_TYPES.contains(&kind)) {
            self.sink.deviation(Deviation::warning(
                "bundle-type-not-usable",
                place.clone().field("Bundle.type"),
                "a code of bundle-type",
            ));
        }
        if is_bundle && piece.entries_before > 0 {
            if loose > 0 {
                self.sink.deviation(Deviation::info(
                    "entry-without-resource",
                    place,
                    "a resource in each entry",
                ));
            }
            return Ok(());
        }
        self.resource(value, None, place, piece.last_line, 0)
    }

    fn entry(
        &mut self,
        mut entry: Value,
        place: Place,
        last_line: u64,
        depth: usize,
    ) -> Result<(), Stopped> {
        if !entry.is_object() {
            let expected = "an entry that is an object";
            self.sink.deviation(Deviation::record_error(
                "entry-not-an-object",
                place,
                expected,
            ));
            return Ok(());
        }
        if self.newest.is_older(&entry) {
            self.resources += 1;
            self.older_version(&entry, place);
            return Ok(());
        }
        let full_url = entry
            .get("fullUrl")
            .and_then(Value::as_str)
            .map(str::to_owned);
        match entry.get_mut("resource").map(Value::take) {
            Some(resource) => self.resource(resource, full_url, place, last_line, depth),
            None => self.without_resource(&entry, place),
        }
    }

    /// A history tells the newest version first; what comes after it would undo it.
    fn older_version(&mut self, entry: &Value, place: Place) {
        let kind = entry
            .get("resource")
            .and_then(|one| one.get("resourceType"));
        if let Some(kind) = kind.and_then(Value::as_str) {
            self.sink.record(record_name(kind));
        }
        let expected = "the newest version; older ones are kept with the original";
        self.sink
            .deviation(Deviation::info("older-version", place, expected));
    }

    /// An entry of a history may tell that a resource is gone; any other entry without one is only counted.
    fn without_resource(&mut self, entry: &Value, place: Place) -> Result<(), Stopped> {
        let Some(deletion) = Deletion::of(entry) else {
            self.loose_entries += 1;
            return Ok(());
        };
        self.resources += 1;
        match self.collector.withdrawn(&deletion) {
            Some(event) => self.sink.event(event),
            None => {
                self.sink.deviation(Deviation::info(
                    "deletion-not-used",
                    place,
                    "the deletion of a Patient; whoever moved a Task or a plan says so by its status",
                ));
                Ok(())
            }
        }
    }

    fn resource(
        &mut self,
        mut value: Value,
        full_url: Option<String>,
        place: Place,
        last_line: u64,
        depth: usize,
    ) -> Result<(), Stopped> {
        let kind = value.get("resourceType").and_then(Value::as_str);
        if kind == Some("Bundle") && depth < NESTING_CAP {
            self.resources += 1;
            if let Some(Value::Array(entries)) = value.get_mut("entry").map(Value::take) {
                for entry in entries {
                    self.entry(entry, place.clone(), last_line, depth + 1)?;
                }
            }
            return Ok(());
        }
        if kind.is_some() {
            self.resources += 1;
        }
        self.collector.add(
            Held {
                value,
                place,
                last_line,
                full_url,
            },
            self.sink,
        )
    }
}
