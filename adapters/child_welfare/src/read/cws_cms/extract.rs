//! The extract as a set of tables: which entry holds which table, and rows one by one.

use std::collections::BTreeMap;

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::package::Package;
use tandem_adapter_port::read::Sink;

use super::csv::{Next, Record, Records};
use super::row::{Header, Row};
use crate::tables::Tables;

/// The extract can't be read on; the sink has been told why, or stopped the reader.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The package failed: a damaged zip, an entry beyond its limits.
    Package,
    /// The sink stopped the reader.
    Stopped(tandem_adapter_port::read::Stopped),
}

impl From<tandem_adapter_port::read::Stopped> for Halt {
    fn from(stopped: tandem_adapter_port::read::Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// The tables of an extract.
pub(crate) struct Extract<'a> {
    package: &'a mut dyn Package,
    entries: BTreeMap<String, String>,
}

/// Takes what a walk meets, the entry's name and the sink.
pub(crate) type Visit<'v> = dyn FnMut(Met<'_>, &str, &mut dyn Sink) -> Result<(), Halt> + 'v;

/// What a walk meets.
pub(crate) enum Met<'a> {
    /// The header; a walk that does not want the table may stop here.
    Header(&'a Header, &'a Record),
    /// A row.
    Row(&'a Row<'a>),
    /// A line that is no row.
    Malformed(u64),
}

impl<'a> Extract<'a> {
    /// Finds the tables of a package; entries that are none are told to the sink.
    pub(crate) fn new(
        package: &'a mut dyn Package,
        tables: &Tables,
        sink: &mut dyn Sink,
    ) -> Result<Self, Halt> {
        let mut entries = BTreeMap::new();
        for name in package.names() {
            if name.ends_with('/') {
                continue;
            }
            let base = name
                .rsplit('/')
                .next()
                .unwrap_or(&name)
                .to_ascii_uppercase();
            let Some(table) = base.strip_suffix(".CSV").map(str::to_owned) else {
                sink.deviation(Deviation::info(
                    "entry-unknown",
                    Place::file(&name),
                    "TABLE_NAME.csv; kept with the original",
                ));
                continue;
            };
            if !tables.is_table(&table) && !crate::gates::is_report_table(&table) {
                sink.deviation(Deviation::info(
                    "table-unknown",
                    Place::file(&name),
                    "a table that this version reads; kept with the original",
                ));
            }
            if entries.contains_key(&table) {
                sink.deviation(Deviation::input_error(
                    "table-twice",
                    Place::file(&name),
                    "each table once",
                ));
                // Which of the two is right, and so who is sealed, is unknown.
                return Err(Halt::Package);
            }
            entries.insert(table, name);
        }
        Ok(Self { package, entries })
    }

    /// The tables present, in alphabetical order.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// The entry of a table.
    pub(crate) fn entry(&self, table: &str) -> Option<&str> {
        self.entries.get(table).map(String::as_str)
    }

    /// Walks through a table. A table that is absent or empty is walked without a call.
    pub(crate) fn walk(
        &mut self,
        table: &str,
        sink: &mut dyn Sink,
        visit: &mut Visit<'_>,
    ) -> Result<(), Halt> {
        let Some(entry) = self.entries.get(table).cloned() else {
            return Ok(());
        };
        let failed = |sink: &mut dyn Sink, why: &str| {
            sink.deviation(Deviation::input_error(
                "package-unreadable",
                Place::file(&entry),
                why,
            ));
            Halt::Package
        };
        let Ok(reader) = self.package.open(&entry) else {
            return Err(failed(sink, "an entry that can be unpacked"));
        };
        let (header, mut records) = match Records::start(reader) {
            Ok(Some(started)) => started,
            Ok(None) => return Ok(()),
            Err(_) => return Err(failed(sink, "an entry within its limits")),
        };
        let columns = &Header::new(&header.cells);
        visit(Met::Header(columns, &header), &entry, sink)?;
        loop {
            match records.next() {
                Ok(Some(Next::Record(record))) if record.cells == header.cells => {
                    visit(Met::Malformed(record.line), &entry, sink)?;
                }
                Ok(Some(Next::Record(record))) => {
                    visit(
                        Met::Row(&Row {
                            header: columns,
                            record: &record,
                        }),
                        &entry,
                        sink,
                    )?;
                }
                Ok(Some(Next::Malformed { line })) => visit(Met::Malformed(line), &entry, sink)?,
                Ok(None) => return Ok(()),
                Err(_) => return Err(failed(sink, "an entry within its limits")),
            }
        }
    }
}
