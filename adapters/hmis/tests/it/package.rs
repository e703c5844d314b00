//! A package that tests can change, column by column, and read.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::memory::RowsInMemory;
use tandem_adapter_port::package::{MemoryPackage, Package};
use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Report};
use tandem_hmis::HmisReader;
use tandem_hmis::config::ReadConfig;
use tandem_mappings::model::id::{OrganizationId, SystemId};

/// Files by name.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// A fixture folder.
    pub(crate) fn fixture(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(name);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        });
        Self(files.collect())
    }

    pub(crate) fn text(&self, file: &str) -> String {
        String::from_utf8(self.0[&format!("{file}.csv")].clone()).unwrap()
    }

    pub(crate) fn put(mut self, file: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(format!("{file}.csv"), bytes.into());
        self
    }

    pub(crate) fn without(mut self, file: &str) -> Self {
        self.0.remove(&format!("{file}.csv"));
        self
    }

    /// Replaces text in a file; the text must be there.
    pub(crate) fn replace(self, file: &str, from: &str, to: &str) -> Self {
        let text = self.text(file);
        assert!(text.contains(from), "{file} has no {from}");
        self.put(file, text.replace(from, to))
    }

    /// Appends lines to a file.
    pub(crate) fn append(self, file: &str, lines: &str) -> Self {
        let text = self.text(file) + lines;
        self.put(file, text)
    }

    /// Sets columns of the row with this key.
    pub(crate) fn set(self, file: &str, key: &str, values: &[(&str, &str)]) -> Self {
        let (header, mut rows) = self.rows(file);
        let row = rows.iter_mut().find(|row| row[0] == key).expect("row");
        for (column, value) in values {
            row[position(&header, column)] = (*value).to_owned();
        }
        self.write(file, &header, &rows)
    }

    /// Adds a row like the one with key `like`, with these columns changed.
    pub(crate) fn add_like(self, file: &str, like: &str, values: &[(&str, &str)]) -> Self {
        let (header, mut rows) = self.rows(file);
        let mut row = rows.iter().find(|row| row[0] == like).expect("row").clone();
        for (column, value) in values {
            row[position(&header, column)] = (*value).to_owned();
        }
        rows.push(row);
        self.write(file, &header, &rows)
    }

    pub(crate) fn rows(&self, file: &str) -> (Vec<String>, Vec<Vec<String>>) {
        table(&self.0[&format!("{file}.csv")])
    }

    fn write(self, file: &str, header: &[String], rows: &[Vec<String>]) -> Self {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(header).unwrap();
        for row in rows {
            writer.write_record(row).unwrap();
        }
        self.put(file, writer.into_inner().unwrap())
    }

    pub(crate) fn read(&self) -> Outcome {
        self.read_with(ReadConfig::default())
    }

    pub(crate) fn read_with(&self, config: ReadConfig) -> Outcome {
        read_package(&mut MemoryPackage::new(self.0.clone()), config)
    }
}

pub(crate) fn table(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes);
    let mut rows = reader.records().map(|record| {
        record
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    let header = rows.next().unwrap();
    (header, rows.collect())
}

pub(crate) fn position(header: &[String], column: &str) -> usize {
    header
        .iter()
        .position(|name| name == column)
        .unwrap_or_else(|| panic!("no column {column}"))
}

/// What came of reading.
pub(crate) struct Outcome {
    pub(crate) collected: Collected,
    pub(crate) report: Report,
}

impl Outcome {
    /// Codes of all deviations, in order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.collected
            .deviations
            .iter()
            .map(|deviation| deviation.code.as_str())
            .collect()
    }

    /// Events as JSON, one text.
    pub(crate) fn events_text(&self) -> String {
        serde_json::to_string(&self.collected.events).unwrap()
    }

    /// The event with this source id as JSON.
    pub(crate) fn event(&self, id: &str) -> serde_json::Value {
        let event = self
            .collected
            .events
            .iter()
            .find(|event| event.source_event_id.as_str() == id)
            .unwrap_or_else(|| panic!("no event {id}"));
        serde_json::to_value(event).unwrap()
    }

    pub(crate) fn has_event(&self, id: &str) -> bool {
        self.collected
            .events
            .iter()
            .any(|event| event.source_event_id.as_str() == id)
    }

    pub(crate) fn memory(&self) -> RowsInMemory {
        let mut memory = RowsInMemory::default();
        for row in &self.collected.partner_rows {
            memory.put(row.clone());
        }
        memory
    }
}

pub(crate) fn context() -> ReadContext {
    ReadContext::new(
        SystemId::new("hmis-demo").unwrap(),
        OrganizationId::new("org-hmis").unwrap(),
        "export.zip",
        "2026-02-02T15:00:00Z".parse().unwrap(),
        TimeZone::get("America/Los_Angeles").unwrap(),
        [7; 32],
    )
}

pub(crate) fn read_package(package: &mut dyn Package, config: ReadConfig) -> Outcome {
    let mut collected = Collected::default();
    let mut counting = Counting::new(Format::HmisCsv, &mut collected);
    let input = Input::Package {
        name: "export.zip",
        package,
    };
    HmisReader::new(config)
        .read(input, &context(), &mut counting)
        .unwrap();
    let report = counting.report();
    Outcome { collected, report }
}
