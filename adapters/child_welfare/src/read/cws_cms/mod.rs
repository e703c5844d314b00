//! Extracts shaped like the tables of CWS/CMS: a folder or a flat zip of `TABLE_NAME.csv`.
//!
//! Read in passes, so that memory holds keys and one batch of clients and never the extract: first
//! the survey (what is sealed, who may enter), then the clients in batches with what hangs on them,
//! then relationships, cases, workers and removals.

mod case;
mod client;
mod csv;
mod extract;
mod place;
mod relationship;
pub(crate) mod row;
pub(crate) mod row_id;
mod side;
mod survey;
mod told;

use std::collections::HashMap;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::package::Package;
use tandem_adapter_port::read::{Coverage, FormatReader, Input, Sink, Stopped};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::person::{RecordGone, RecordReceived};
use tandem_mappings::tables::TableError;

use self::case::Cases;
use self::client::Reporter;
use self::extract::{Extract, Halt, Met};
use self::row::Row;
use self::row_id::RowId;
use self::side::Side;
use self::survey::Survey;
use self::told::{Told, person_id};
use crate::config::Config;
use crate::gates::Gate;
use crate::tables::Tables;

/// How many clients are held at once with their names, addresses and numbers.
const BATCH: u32 = 50_000;

/// Reads extracts of CWS/CMS.
#[derive(Debug, Clone)]
pub struct CwsCmsReader {
    tables: Tables,
    config: Config,
}

impl CwsCmsReader {
    /// A reader for a deployment.
    ///
    /// # Errors
    /// When an embedded table is wrong.
    pub fn new(config: Config) -> Result<Self, TableError> {
        Ok(Self {
            tables: Tables::embedded()?,
            config,
        })
    }

    fn extract(
        &self,
        name: &str,
        package: &mut dyn Package,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let mut extract = Extract::new(package, &self.tables, sink)?;
        if extract.entry("CLIENT_T").is_none() {
            let expected = "CLIENT_T.csv, without which nobody knows who is sealed";
            sink.deviation(Deviation::input_error(
                "table-missing",
                Place::file(name),
                expected,
            ));
            return Ok(());
        }
        if self.config.extract_is_full {
            sink.coverage(Coverage::Full);
        }
        let mut on_sealed = |row: &Row<'_>, sink: &mut dyn Sink| tell_sealed(row, context, sink);
        let mut survey = Survey {
            tables: &self.tables,
            on_sealed: &mut on_sealed,
        };
        let gate = survey.run(&mut extract, sink)?;
        self.clients(&gate, &mut extract, context, sink)?;
        relationship::tell(&mut extract, &gate, &self.tables, context, sink)?;
        let mut cases = Cases::new(&gate, &self.tables, context, &mut extract, sink)?;
        cases.tell(&mut extract, sink)?;
        cases.tell_workers(&mut extract, sink)?;
        cases.tell_removals(&mut extract, sink)
    }

    fn clients(
        &self,
        gate: &Gate,
        extract: &mut Extract<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let end = gate
            .clients
            .values()
            .map(|standing| standing.ordinal + 1)
            .max()
            .unwrap_or(0);
        for start in (0..end).step_by(BATCH as usize) {
            let batch = start..start.saturating_add(BATCH);
            let chosen = gate
                .clients
                .iter()
                .filter(|(_, one)| batch.contains(&one.ordinal));
            let mut sides: HashMap<RowId, Side> = chosen
                .map(|(client, _)| (client.clone(), Side::default()))
                .collect();
            side::fill(&mut sides, extract, gate, &self.tables, sink)?;
            extract.walk("CLIENT_T", sink, &mut |met, file, sink| {
                let Met::Row(row) = met else { return Ok(()) };
                let Some(client) = row.id("IDENTIFIER") else {
                    return Ok(());
                };
                if gate.refusal("CLIENT_T", row).is_some() {
                    return Ok(());
                }
                // Taking it out of the batch makes a second row of the same client pass by.
                let Some(side) = sides.remove(&client) else {
                    return Ok(());
                };
                let mut report = Reporter {
                    file,
                    line: row.record.line,
                    sink,
                };
                let record = self.record(row, &client, side, gate, &mut report);
                let told = Told {
                    table: "CLIENT_T",
                    row_id: client.to_string(),
                    row,
                    happened: None,
                    person: match person_id(&client) {
                        Some(person) => person,
                        None => return Ok(()),
                    },
                    is_sensitive: gate.is_sensitive(&client),
                    category: Category::PersonIndex,
                };
                told.send(Body::RecordReceived(Box::new(record)), context, sink)
            })?;
        }
        Ok(())
    }

    fn record(
        &self,
        row: &Row<'_>,
        client: &RowId,
        side: Side,
        gate: &Gate,
        report: &mut Reporter<'_>,
    ) -> RecordReceived {
        if client.key().is_none_or(|key| !key.is_plausible()) {
            let place = Place::line(report.file, report.line).field("IDENTIFIER");
            let expected = "a key whose first seven characters are a time";
            report
                .sink
                .deviation(Deviation::info("key-implausible", place, expected));
        }
        if row.record.is_windows_1252 {
            let place = Place::line(report.file, report.line);
            report
                .sink
                .deviation(Deviation::warning("not-utf-8", place, "utf-8 text"));
        }
        let person = client::person(row, side, gate.is_sensitive(client), &self.tables, report);
        RecordReceived {
            record_kind: "CLIENT_T".to_owned(),
            person,
        }
    }
}

/// Names a sealed client by id alone: whoever holds an earlier copy has to let it go.
fn tell_sealed(row: &Row<'_>, context: &ReadContext, sink: &mut dyn Sink) -> Result<(), Halt> {
    let Some(person) = row.id("IDENTIFIER").as_ref().and_then(person_id) else {
        return Ok(());
    };
    let body = Body::RecordSealed(Box::new(RecordGone {
        record_kind: "CLIENT_T".to_owned(),
        reason: "sealed".to_owned(),
    }));
    let told = Told {
        table: "CLIENT_T",
        row_id: person.to_string(),
        row,
        happened: None,
        person,
        is_sensitive: true,
        category: Category::PersonIndex,
    };
    told.send(body, context, sink)
}

impl FormatReader for CwsCmsReader {
    fn format(&self) -> Format {
        Format::CwsCms
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let Input::Package { name, package } = input else {
            let expected = "a folder or a zip of TABLE_NAME.csv";
            let place = Place::file(input.name());
            sink.deviation(Deviation::input_error("package-expected", place, expected));
            return Ok(());
        };
        match self.extract(name, package, context, sink) {
            Ok(()) | Err(Halt::Package) => Ok(()),
            Err(Halt::Stopped(stopped)) => Err(stopped),
        }
    }
}
