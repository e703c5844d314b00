//! Reading one input to its end, on a blocking thread.

use std::io::{Cursor, Read};

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::package::{PackageLimits, ZipPackage};
use tandem_adapter_port::read::{Coverage, FormatReader, Input, Sink, Stopped};
use tandem_adapter_port::report::{Counting, Report};
use tandem_mappings::model::event::NewEvent;
use tokio::sync::mpsc;

use super::super::original::Cuts;

/// One thing that a reader found.
pub(super) enum Found {
    Event(Box<NewEvent>),
    Row(PartnerRow),
}

/// Takes what a reader finds and hands it over in order.
struct Handover {
    out: mpsc::Sender<Found>,
    cuts: Cuts,
    coverage: Coverage,
}

impl Handover {
    fn send(&self, found: Found) -> Result<(), Stopped> {
        self.out
            .blocking_send(found)
            .map_err(|_| Stopped("the gateway is stopping".to_owned()))
    }
}

impl Sink for Handover {
    fn record(&mut self, _record_type: &str) {}

    fn event(&mut self, event: NewEvent) -> Result<(), Stopped> {
        self.send(Found::Event(Box::new(event)))
    }

    fn deviation(&mut self, _deviation: Deviation) {}

    fn refused(&mut self, place: Place, last_line: u64) {
        self.cuts.add(&place, last_line);
    }

    fn version(&mut self, _version: &str) {}

    fn coverage(&mut self, coverage: Coverage) {
        self.coverage = coverage;
    }

    fn partner_row(&mut self, row: PartnerRow) -> Result<(), Stopped> {
        self.send(Found::Row(row))
    }
}

/// What reading an input to its end gave.
pub(super) struct ReadThrough {
    pub(super) report: Report,
    pub(super) cuts: Cuts,
    pub(super) coverage: Coverage,
}

/// Reads bytes with an adapter, pushing what is found into a channel. Runs on a blocking thread.
pub(super) fn read_through(
    reader: &dyn FormatReader,
    context: &ReadContext,
    bytes: &[u8],
    out: mpsc::Sender<Found>,
) -> Result<ReadThrough, Stopped> {
    let mut handover = Handover {
        out,
        cuts: Cuts::default(),
        coverage: Coverage::Partial,
    };
    let mut counting = Counting::new(reader.format(), &mut handover);
    let name = context.input_name.as_str();
    let mut cursor = Cursor::new(bytes);
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        match ZipPackage::new(cursor.clone(), PackageLimits::default()) {
            Ok(mut package) => reader.read(
                Input::Package {
                    name,
                    package: &mut package,
                },
                context,
                &mut counting,
            )?,
            Err(error) => counting.deviation(Deviation::input_error(
                "not-a-readable-zip",
                Place::file(name),
                error.to_string(),
            )),
        }
    } else {
        let stream: &mut dyn Read = &mut cursor;
        reader.read(
            Input::Stream {
                name,
                reader: stream,
            },
            context,
            &mut counting,
        )?;
    }
    let report = counting.report();
    Ok(ReadThrough {
        report,
        cuts: handover.cuts,
        coverage: handover.coverage,
    })
}
