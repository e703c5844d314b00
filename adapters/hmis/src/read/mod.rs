//! Reads HMIS CSV packages.
//!
//! Two passes over the package. The first reads Export.csv, decides the edition, and learns from Organization,
//! Project, HMISParticipation and Enrollment whose rows must not enter, and from Disabilities and HealthAndDV which stays
//! are sensitive. The second takes every file record by
//! record: gate, columns, types, codes, keys, events. Memory grows with the number of keys only, by about ten bytes
//! for each.

mod catalog;
mod check;
mod dates;
mod deletions;
mod exits;
mod export;
mod finding;
mod header;
mod household;
mod judge;
mod keys;
mod marks;
mod partner;
mod people;
mod prepass;
mod raise;
mod record;
mod referrals;
mod row;
mod session;
mod source;
mod split;
mod stays;
mod unread;

use std::collections::HashMap;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::package::Package;
use tandem_adapter_port::read::{Coverage, FormatReader, Input, Sink, StaysCovered, Stopped};

use self::catalog::Catalog;
use self::check::Checker;
use self::export::ExportFacts;
use self::judge::Hashing;
use self::keys::Keys;
use self::prepass::Prepass;
use self::session::Session;
use self::source::Halt;
use crate::config::ReadConfig;
use crate::kept::{EXPORT_KEY, KeptRow};
use crate::tables::Tables;

/// The files that others refer to, and Event before Enrollment, which proves its referrals; the rest follows in the
/// specification's order.
const FIRST_FILES: [&str; 9] = [
    "User",
    "Organization",
    "Project",
    "HMISParticipation",
    "Client",
    "Event",
    "Enrollment",
    "Exit",
    "Assessment",
];

/// Reads HMIS CSV packages of FY 2026 and FY 2024.
#[derive(Debug, Clone, Default)]
pub struct HmisReader {
    config: ReadConfig,
}

impl HmisReader {
    /// A reader with settings.
    #[must_use]
    pub fn new(config: ReadConfig) -> Self {
        Self { config }
    }

    fn package(
        &self,
        package: &mut dyn Package,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let (catalog, told) = Catalog::of(&package.names());
        tell(sink, told);
        let mut told = Vec::new();
        let accept_merged = self.config.accept_merged_exports;
        let export = export::read(package, &catalog, accept_merged, &mut told);
        tell(sink, told);
        let (tables, facts) = export?;
        sink.version(tables.edition.name());
        for _ in 0..facts.row_count {
            sink.record("Export");
        }
        tell(sink, catalog.compare(tables));
        note_hashes(sink, &facts);
        let known = (facts.reference_year, self.config.closed_projects.as_slice());
        let prepass = Prepass::run(package, &catalog, tables, known)?;
        remember_export(tables, &facts, sink)?;
        let mut session = Session {
            context,
            config: &self.config,
            sink,
            checker: Checker {
                tables,
                reference_year: facts.reference_year,
                hashing: facts.hashing,
            },
            prepass,
            export_ids: facts.ids,
            is_full_refresh: facts.is_full_refresh,
            period: facts.period,
            is_reporting_period: facts.is_reporting_period,
            keys: Keys::new(),
            awaited: HashMap::new(),
            has_dropped: false,
        };
        for name in reading_order(tables) {
            if let (Some(entry), Some(layout)) = (catalog.entry(name), tables.file(name)) {
                session.file(package, entry, layout)?;
            }
        }
        for entry in catalog.unread(tables) {
            session.cut_unread(package, &entry);
        }
        session.finish();
        Ok(())
    }
}

impl Session<'_> {
    /// Says of which stays absence means deletion: of those in the period and the projects of a full refresh of which
    /// every Client and Enrollment row could be read.
    fn finish(self) {
        if !self.is_full_refresh {
            return;
        }
        let expected = match self.period {
            _ if self.has_dropped => {
                "every Client and Enrollment row usable; absence is not taken as deletion"
            }
            None => {
                "a period from ExportStartDate to ExportEndDate; absence is not taken as deletion"
            }
            Some((from, to)) => {
                let projects = self.prepass.projects.into_keys().collect();
                let covered = StaysCovered { from, to, projects };
                return self.sink.coverage(Coverage::Stays(covered));
            }
        };
        let place = Place::file("Export.csv").field("ExportDirective");
        self.sink
            .deviation(Deviation::warning("refresh-incomplete", place, expected));
    }
}

impl FormatReader for HmisReader {
    fn format(&self) -> Format {
        Format::HmisCsv
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let result = match input {
            Input::Package { package, .. } => self.package(package, context, sink),
            Input::Stream { name, .. } => {
                let expected = "a zip or a folder of the CSV files";
                Err(Halt::input("not-a-package", Place::file(name), expected))
            }
        };
        match result {
            Ok(()) => Ok(()),
            Err(Halt::Stopped(stopped)) => Err(stopped),
            Err(Halt::Input(deviation)) => {
                sink.deviation(*deviation);
                Ok(())
            }
        }
    }
}

fn tell(sink: &mut dyn Sink, deviations: Vec<Deviation>) {
    for deviation in deviations {
        sink.deviation(deviation);
    }
}

fn note_hashes(sink: &mut dyn Sink, facts: &ExportFacts) {
    if facts.hashing != Hashing::None {
        let place = Place::line("Export.csv", 2).field("HashStatus");
        let expected = "1: names and SSNs in clear; hashes can't be matched with clear names";
        sink.deviation(Deviation::warning("hashed-export", place, expected));
    }
}

fn remember_export(
    tables: &Tables,
    facts: &ExportFacts,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let edition = tables.edition.name().to_owned();
    let kept = KeptRow {
        edition,
        values: facts.row.clone(),
    };
    match kept.to_partner_row("Export", EXPORT_KEY, Vec::new()) {
        Some(row) => sink.partner_row(row),
        None => Ok(()),
    }
}

fn reading_order(tables: &Tables) -> Vec<&str> {
    let rest = tables
        .files
        .iter()
        .map(|layout| layout.name.as_str())
        .filter(|name| *name != "Export" && !FIRST_FILES.contains(name));
    FIRST_FILES.into_iter().chain(rest).collect()
}
