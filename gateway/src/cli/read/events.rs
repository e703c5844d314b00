//! Where the events go: to a file, or nowhere.

use std::io::Write as _;
use std::path::Path;

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::read::{Coverage, Sink, Stopped};
use tandem_mappings::model::event::NewEvent;

use super::super::exit::Failure;
use super::super::output_file::OutputFile;

/// Lets everything go: the report counts what passes.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn record(&mut self, _record_type: &str) {}

    fn event(&mut self, _event: NewEvent) -> Result<(), Stopped> {
        Ok(())
    }

    fn deviation(&mut self, _deviation: Deviation) {}

    fn refused(&mut self, _place: Place, _last_line: u64) {}

    fn version(&mut self, _version: &str) {}

    fn coverage(&mut self, _coverage: Coverage) {}

    fn partner_row(&mut self, _row: PartnerRow) -> Result<(), Stopped> {
        Ok(())
    }
}

/// Writes each event as one line of JSON.
#[derive(Debug)]
pub(super) struct EventFile {
    file: OutputFile,
}

impl EventFile {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            file: OutputFile::create(path)?,
        })
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        self.file.finish()
    }
}

impl Sink for EventFile {
    fn record(&mut self, _record_type: &str) {}

    fn event(&mut self, event: NewEvent) -> Result<(), Stopped> {
        // The line is made first: an error of the JSON writer could quote the event.
        let mut line = serde_json::to_vec(&event)
            .map_err(|_| Stopped("an event has no JSON form".to_owned()))?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|error| Stopped(error.to_string()))
    }

    fn deviation(&mut self, _deviation: Deviation) {}

    fn refused(&mut self, _place: Place, _last_line: u64) {}

    fn version(&mut self, _version: &str) {}

    fn coverage(&mut self, _coverage: Coverage) {}

    fn partner_row(&mut self, _row: PartnerRow) -> Result<(), Stopped> {
        Ok(())
    }
}
