//! Linking of person tables, as `tandem link` does it.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};

use thiserror::Error;

use crate::batch::Batch;
use crate::cluster::ClusterId;
use crate::engine::{Engine, EngineError};
use crate::result::LinkResult;
use crate::ruling::Rulings;
use crate::settings::Settings;

use super::read::{TableName, read_table};
use super::report::LinkReport;

/// Why tables could not be linked. Names places, never values.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkTablesError {
    /// A table cannot be read as CSV.
    #[error("{file}: {source}")]
    Unreadable {
        /// File as the caller named it.
        file: String,
        /// What went wrong.
        source: csv::Error,
    },
    /// A value without which the record cannot be used.
    #[error("{file}, line {line}, column {column}: expected {expected}")]
    Value {
        /// File as the caller named it.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column.
        column: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// Two tables have one system name.
    #[error("two tables are named {0}")]
    System(String),
    /// The engine cannot work.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An output cannot be written.
    #[error("cannot write the {output}: {source}")]
    Write {
        /// Which output.
        output: &'static str,
        /// What went wrong.
        source: csv::Error,
    },
}

/// A table to be linked.
pub struct TableInput<'a> {
    /// Name of the system.
    pub system: String,
    /// How messages name the file.
    pub file: String,
    /// The table.
    pub input: Box<dyn Read + Send + 'a>,
}

impl fmt::Debug for TableInput<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TableInput")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// How tables are linked.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Settings of the engine.
    pub settings: Settings,
    /// Whether to estimate the probabilities from the records first. When they do not allow it, the settings
    /// stay and the report says why.
    pub estimate: bool,
    /// Stewards' decisions.
    pub rulings: Rulings,
}

/// Where the results go.
pub struct LinkOutputs<'a> {
    /// `system_a,id_a,system_b,id_b,score,decision,false_match_rate`: links and reviews.
    pub links: &'a mut dyn Write,
    /// `system,record_id,cluster_id`: every record once.
    pub clusters: &'a mut dyn Write,
    /// `system_a,id_a,system_b,id_b,score`: every compared pair.
    pub candidates: Option<&'a mut dyn Write>,
}

impl fmt::Debug for LinkOutputs<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkOutputs")
    }
}

/// Links the records of tables, within and between them, and writes what was found.
///
/// # Errors
/// [`LinkTablesError`] when an input cannot be read or used, or an output cannot be written.
pub fn link_tables(
    tables: Vec<TableInput<'_>>,
    options: &LinkOptions,
    outputs: LinkOutputs<'_>,
) -> Result<LinkReport, LinkTablesError> {
    let engine = Engine::new(options.settings.clone())?;
    let mut report = LinkReport::default();
    let mut batch = engine.batch();
    for table in tables {
        read_into(&mut batch, table, &mut report)?;
    }
    if options.estimate {
        match batch.estimate() {
            Ok(estimate) => report.estimate = Some(estimate),
            Err(error) => report.estimate_refused = Some(error.to_string()),
        }
    }
    let result = run(batch, &options.rulings, outputs.candidates)?;
    write_links(&result, outputs.links)?;
    write_clusters(&result, outputs.clusters)?;
    let clusters: BTreeSet<ClusterId> = result.clusters().iter().copied().collect();
    report.clusters = clusters.len() as u64;
    report.statistics = result.statistics().clone();
    report.settings = Some(result.settings().clone());
    Ok(report)
}

fn read_into(
    batch: &mut Batch,
    table: TableInput<'_>,
    report: &mut LinkReport,
) -> Result<(), LinkTablesError> {
    let name = TableName {
        system: &table.system,
        file: &table.file,
    };
    let (records, warnings) = read_table(name, table.input, |record, line| {
        batch.push_prepared(record).map_err(|error| match error {
            EngineError::Duplicate(_) => LinkTablesError::Value {
                file: table.file.clone(),
                line,
                column: "record_id",
                expected: "an id that no earlier line has",
            },
            other => other.into(),
        })
    })?;
    report.warnings.extend(warnings);
    match report.records.insert(table.system.clone(), records) {
        None => Ok(()),
        Some(_) => Err(LinkTablesError::System(table.system)),
    }
}

fn run(
    batch: Batch,
    rulings: &Rulings,
    candidates: Option<&mut dyn Write>,
) -> Result<LinkResult, LinkTablesError> {
    let output = "candidates";
    let failed = |source| LinkTablesError::Write { output, source };
    let mut writer = candidates.map(csv::Writer::from_writer);
    if let Some(writer) = &mut writer {
        let header = ["system_a", "id_a", "system_b", "id_b", "score"];
        writer.write_record(header).map_err(failed)?;
    }
    let result = batch.run(rulings, |batch, pairs| {
        let Some(writer) = &mut writer else {
            return Ok::<(), LinkTablesError>(());
        };
        for pair in pairs {
            let (Some(a), Some(b)) = (batch.key(pair.a()), batch.key(pair.b())) else {
                continue;
            };
            let score = format!("{:.3}", pair.score_bits());
            writer
                .write_record([a.0, a.1, b.0, b.1, &score])
                .map_err(failed)?;
        }
        Ok(())
    })?;
    if let Some(writer) = &mut writer {
        writer.flush().map_err(|error| failed(error.into()))?;
    }
    Ok(result)
}

fn write_links(result: &LinkResult, output: &mut dyn Write) -> Result<(), LinkTablesError> {
    let failed = |source| LinkTablesError::Write {
        output: "links",
        source,
    };
    let mut writer = csv::Writer::from_writer(output);
    let header = [
        "system_a",
        "id_a",
        "system_b",
        "id_b",
        "score",
        "decision",
        "false_match_rate",
    ];
    writer.write_record(header).map_err(failed)?;
    for pair in result.links().iter().chain(result.reviews()) {
        let (Some(a), Some(b)) = (result.key_parts(pair.a()), result.key_parts(pair.b())) else {
            continue;
        };
        let score = format!("{:.3}", pair.score_bits());
        let decision = pair.decision();
        let rate = format!("{:.6}", pair.false_match_rate());
        writer
            .write_record([a.0, a.1, b.0, b.1, &score, decision.label(), &rate])
            .map_err(failed)?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}

fn write_clusters(result: &LinkResult, output: &mut dyn Write) -> Result<(), LinkTablesError> {
    let failed = |source| LinkTablesError::Write {
        output: "clusters",
        source,
    };
    let mut writer = csv::Writer::from_writer(output);
    writer
        .write_record(["system", "record_id", "cluster_id"])
        .map_err(failed)?;
    for (number, cluster) in result.clusters().iter().enumerate() {
        let Some((system, id)) = result.key_parts(number) else {
            continue;
        };
        writer
            .write_record([system, id, &cluster.to_string()])
            .map_err(failed)?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}
