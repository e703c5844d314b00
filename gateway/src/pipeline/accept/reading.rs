//! Reading one input to its end.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::package::{PackageLimits, ZipPackage};
use tandem_adapter_port::read::{Coverage, FormatReader, Input, Sink, Stopped};
use tandem_adapter_port::report::{Counting, Report};
use tandem_mappings::model::event::NewEvent;

use super::super::original::{CopyError, Cuts, is_zip, without_refused};
use super::AcceptError;
use super::findings::{self, Found};

/// Findings that may be in memory whole, and are written in one turn: so long, and no longer, others wait for it.
const MOST_FINDINGS: usize = 10_000;
/// Bytes of them, as they are stored.
const MOST_BYTES: usize = 32 << 20;

/// Room for what is found in an input that is in memory whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    findings: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MOST_FINDINGS)
    }
}

impl Room {
    /// Room for so many.
    pub(super) const fn of(findings: usize) -> Self {
        Self {
            findings,
            bytes: MOST_BYTES,
        }
    }

    /// Takes the place of one more. Whether there was one.
    pub(super) fn takes(&mut self, found: &Found) -> bool {
        let left = (
            self.findings.checked_sub(1),
            self.bytes.checked_sub(findings::size(found)),
        );
        let (Some(findings), Some(bytes)) = left else {
            return false;
        };
        *self = Self { findings, bytes };
        true
    }
}

/// Takes what a reader finds and hands it over in order.
struct Handover<F> {
    hand_over: F,
    cuts: Cuts,
    coverage: Coverage,
}

impl<F: FnMut(Found) -> Result<(), Stopped>> Sink for Handover<F> {
    fn record(&mut self, _record_type: &str) {}

    fn event(&mut self, event: NewEvent) -> Result<(), Stopped> {
        (self.hand_over)(Found::Event(Box::new(event)))
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
        (self.hand_over)(Found::Row(row))
    }
}

/// What reading an input to its end gave.
#[derive(Debug)]
pub(super) struct ReadThrough {
    pub(super) report: Report,
    pub(super) cuts: Cuts,
    pub(super) coverage: Coverage,
}

/// What reading an input in memory gave, with what is kept of it.
pub(super) struct ReadHere {
    pub(super) read: ReadThrough,
    /// The original without what must not be kept.
    pub(super) original: Vec<u8>,
}

impl ReadHere {
    /// Copies the original of an input that was read. A new one that can't be copied is rejected, and nothing of it kept.
    pub(super) fn of(
        name: &str,
        bytes: &[u8],
        mut read: ReadThrough,
        is_new: bool,
    ) -> Result<Self, AcceptError> {
        let original = match without_refused(name, bytes, &read.cuts) {
            Err(CopyError::Damaged(damage)) if is_new => {
                damage.reject(&mut read.report);
                Vec::new()
            }
            copied => copied?,
        };
        Ok(Self { read, original })
    }
}

/// Why an input was not read to its end.
#[derive(Debug)]
pub(super) enum Unread {
    /// Its bytes can't be read.
    Io(io::Error),
    /// Whoever takes what is found took no more.
    Stopped,
}

impl From<Stopped> for Unread {
    fn from(_stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// Reads bytes with an adapter and hands over what is found. Runs on a blocking thread, unless they are few.
pub(super) fn read_through(
    reader: &dyn FormatReader,
    context: &ReadContext,
    mut bytes: impl Read + Seek,
    hand_over: impl FnMut(Found) -> Result<(), Stopped>,
) -> Result<ReadThrough, Unread> {
    let mut handover = Handover {
        hand_over,
        cuts: Cuts::default(),
        coverage: Coverage::Partial,
    };
    let mut counting = Counting::new(reader.format(), &mut handover);
    let name = context.input_name.as_str();
    let is_zip = is_zip(&mut bytes).map_err(Unread::Io)?;
    if is_zip {
        match ZipPackage::new(bytes, PackageLimits::default()) {
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
        bytes.seek(SeekFrom::Start(0)).map_err(Unread::Io)?;
        let mut stream = BufReader::new(bytes);
        reader.read(
            Input::Stream {
                name,
                reader: &mut stream,
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
