//! Large exports: memory does not grow with them, save for keys.

use std::io::{self, Cursor, Read};

use tandem_adapter_port::deviation::Deviation;
use tandem_adapter_port::deviation::Place;
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::package::{Package, PackageError};
use tandem_adapter_port::read::{Coverage, FormatReader, Input, Sink, Stopped};
use tandem_hmis::HmisReader;
use tandem_mappings::model::event::NewEvent;

use crate::package::{Files, context};

/// The fixture, with Client, Enrollment and Services made as they are read: `count` rows each.
struct Generated {
    files: Files,
    count: u64,
}

impl Generated {
    /// Row `number` of a file, like the fixture's first row with other ids.
    fn row(file: &str, first: &str, number: u64) -> String {
        let row = first
            .replace("\"48211\"", &format!("\"p{number}\""))
            .replace("\"E-1\"", &format!("\"e{number}\""))
            .replace("\"E-4\"", &format!("\"e{number}\""))
            .replace("\"9920\"", &format!("\"h{number}\""));
        if file == "Services.csv" {
            row.replace("\"S-1\"", &format!("\"s{number}\""))
        } else {
            row
        }
    }
}

/// Makes rows as they are read.
struct Rows {
    file: String,
    first: String,
    next: u64,
    count: u64,
    buffer: Cursor<Vec<u8>>,
}

impl Read for Rows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.buffer.read(into)?;
            if read > 0 || self.next == self.count {
                return Ok(read);
            }
            let row = Generated::row(&self.file, &self.first, self.next);
            self.next += 1;
            self.buffer = Cursor::new((row + "\n").into_bytes());
        }
    }
}

impl Package for Generated {
    fn names(&self) -> Vec<String> {
        self.files.0.keys().cloned().collect()
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn Read + '_>, PackageError> {
        let text = String::from_utf8(self.files.0[name].clone()).unwrap();
        if !matches!(name, "Client.csv" | "Enrollment.csv" | "Services.csv") {
            let is_person_level = text.lines().next().unwrap().contains("PersonalID");
            let kept = if is_person_level {
                text.lines().next().unwrap().to_owned()
            } else {
                text
            };
            return Ok(Box::new(Cursor::new(kept.into_bytes())));
        }
        let mut lines = text.lines();
        let header = lines.next().unwrap().to_owned() + "\n";
        let first = lines.next().unwrap().to_owned();
        let rows = Rows {
            file: name.to_owned(),
            first,
            next: 0,
            count: self.count,
            buffer: Cursor::new(header.into_bytes()),
        };
        Ok(Box::new(rows))
    }
}

/// Counts and keeps nothing.
#[derive(Default)]
struct Nothing {
    records: u64,
    events: u64,
    deviations: u64,
}

impl Sink for Nothing {
    fn record(&mut self, _record_type: &str) {
        self.records += 1;
    }

    fn event(&mut self, _event: NewEvent) -> Result<(), Stopped> {
        self.events += 1;
        Ok(())
    }

    fn deviation(&mut self, _deviation: Deviation) {
        self.deviations += 1;
    }

    fn refused(&mut self, _place: Place, _last_line: u64) {}

    fn version(&mut self, _version: &str) {}

    fn coverage(&mut self, _coverage: Coverage) {}

    fn partner_row(&mut self, _row: PartnerRow) -> Result<(), Stopped> {
        Ok(())
    }
}

fn read(count: u64) -> Nothing {
    let mut package = Generated {
        files: Files::fixture("fy2026"),
        count,
    };
    let mut sink = Nothing::default();
    let input = Input::Package {
        name: "large.zip",
        package: &mut package,
    };
    HmisReader::default()
        .read(input, &context(), &mut sink)
        .unwrap();
    sink
}

#[test]
fn every_row_of_a_long_export_is_read_once() {
    let sink = read(5_000);
    assert_eq!(
        sink.events,
        3 * 5_000,
        "a record, a stay and a household for each client"
    );
    assert_eq!(sink.deviations, 0);
    assert!(sink.records > 3 * 5_000);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn five_hundred_megabytes_are_read_within_two_hundred() {
    let sink = read(1_100_000);
    assert_eq!(sink.events, 3 * 1_100_000);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes < 200_000, "{kilobytes} kB");
}
