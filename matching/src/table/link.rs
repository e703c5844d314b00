//! Linking of person tables, as `tandem link` does it.

use std::fmt;
use std::io::{self, Read, Write};

use crate::batch::{Batch, TASK};
use crate::engine::{Engine, EngineError};
use crate::fairness::{Fairness, write_groups};
use crate::household::{Households, write_households};
use crate::prepared::Prepared;
use crate::progress::{Audience, Phase, Progress, begin, tell};
use crate::record::Record;
use crate::report::{Page, Scores};
use crate::result::{LinkResult, Pair};
use crate::ruling::Rulings;
use crate::settings::Settings;

use super::error::LinkTablesError;
use super::extras::LinkExtras;
use super::read::{self, TableName, read_table};
use super::reference::find_pairs;
use super::report::LinkReport;
use super::values::read_values;
use super::write::{Candidates, write_clusters, write_links};

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
    link_tables_with(tables, options, outputs, LinkExtras::default())
}

/// Links the records of tables as [`link_tables`] does, and gives what else is asked for.
///
/// # Errors
/// [`LinkTablesError`] as of [`link_tables`]; also when a pair to be explained is not there.
pub fn link_tables_with(
    tables: Vec<TableInput<'_>>,
    options: &LinkOptions,
    outputs: LinkOutputs<'_>,
    mut extras: LinkExtras<'_>,
) -> Result<LinkReport, LinkTablesError> {
    let mut report = LinkReport::default();
    let mut batch = read_tables(tables, &options.settings, &mut report, &mut extras.progress)?;
    let asked = find_pairs(&batch, &report.records, &extras.explain)?;
    begin(&mut extras.progress, Phase::Blocking);
    batch.block();
    if options.estimate {
        begin(&mut extras.progress, Phase::Estimating);
        match batch.estimate() {
            Ok(estimate) => report.estimate = Some(estimate),
            Err(error) => report.estimate_refused = Some(error.to_string()),
        }
    }
    let is_grouped = extras.page.is_some() || extras.fairness.is_some();
    let mut watchers = Watchers {
        candidates: outputs
            .candidates
            .map(Candidates::new)
            .transpose()
            .map_err(LinkTablesError::writing("candidates"))?,
        scores: extras.page.is_some().then(Scores::default),
        fairness: extras.as_of.filter(|_| is_grouped).map(Fairness::new),
    };
    let result = run(batch, &options.rulings, &mut watchers, &mut extras.progress)?;
    begin(&mut extras.progress, Phase::Writing);
    write_links(&result, outputs.links)?;
    write_clusters(&result, outputs.clusters)?;
    report.clusters = result.people();
    report.statistics = result.statistics().clone();
    report.settings = Some(result.settings().clone());
    if !asked.is_empty() {
        begin(&mut extras.progress, Phase::Surveying);
        report.explained = result.accounts(&asked, &options.rulings);
    }
    if let Some(fairness) = watchers.fairness {
        report.fairness = fairness.finish(&result);
    }
    write_extras(&result, &mut report, &mut extras)?;
    if let Some(scores) = &watchers.scores {
        write_page(&result, &report, scores, &mut extras)?;
    }
    Ok(report)
}

/// Those who see every compared pair.
struct Watchers<'a> {
    candidates: Option<Candidates<'a>>,
    scores: Option<Scores>,
    fairness: Option<Fairness>,
}

impl Watchers<'_> {
    fn see(&mut self, batch: &Batch, pairs: &[Pair]) -> io::Result<()> {
        if let Some(scores) = &mut self.scores {
            scores.add(pairs);
        }
        if let Some(fairness) = &mut self.fairness {
            fairness.add(&batch.population, pairs);
        }
        match &mut self.candidates {
            Some(candidates) => candidates.add(batch, pairs),
            None => Ok(()),
        }
    }
}

/// The tables beside links and clusters.
fn write_extras(
    result: &LinkResult,
    report: &mut LinkReport,
    extras: &mut LinkExtras<'_>,
) -> Result<(), LinkTablesError> {
    if let Some(output) = &mut extras.fairness {
        write_groups(&report.fairness, output).map_err(LinkTablesError::writing("fairness"))?;
    }
    if let (Some(output), Some(as_of)) = (&mut extras.households, extras.as_of) {
        let households = Households::of(result, as_of);
        write_households(&households, result, output)
            .map_err(LinkTablesError::writing("households"))?;
        report.unduplicated = Some(*households.counts());
    }
    Ok(())
}

/// Reads all tables into one batch.
pub(super) fn read_tables(
    tables: Vec<TableInput<'_>>,
    settings: &Settings,
    report: &mut LinkReport,
    audience: &mut Audience<'_>,
) -> Result<Batch, LinkTablesError> {
    let mut batch = Engine::new(settings.clone())?.batch();
    for table in tables {
        read_into(&mut batch, table, report, audience)?;
    }
    Ok(batch)
}

/// Records between two tellings of how far reading has come.
const TOLD: usize = 8192;

/// A batch while it takes a table in.
struct Intake<'a, 'b> {
    batch: &'a mut Batch,
    file: &'a str,
    audience: &'a mut Audience<'b>,
}

impl read::Intake for Intake<'_, '_> {
    type Ready = Prepared;

    fn preparer(&self) -> impl Fn(&Record) -> Prepared + Sync {
        let population = &self.batch.population;
        |record| population.prepare(record)
    }

    fn take(&mut self, record: Prepared, line: u64) -> Result<(), LinkTablesError> {
        if self.batch.len().is_multiple_of(TOLD) {
            let progress = Progress {
                records: self.batch.len() as u64,
                ..Progress::begins(Phase::Reading)
            };
            tell(self.audience, progress);
        }
        self.batch
            .push_prepared(record)
            .map_err(|error| match error {
                EngineError::Duplicate(_) => LinkTablesError::Value {
                    file: self.file.to_owned(),
                    line,
                    column: "record_id",
                    expected: "an id that no earlier line has",
                },
                other => other.into(),
            })
    }
}

fn read_into(
    batch: &mut Batch,
    table: TableInput<'_>,
    report: &mut LinkReport,
    audience: &mut Audience<'_>,
) -> Result<(), LinkTablesError> {
    let name = TableName {
        system: &table.system,
        file: &table.file,
    };
    let mut intake = Intake {
        batch,
        file: &table.file,
        audience,
    };
    let (records, warnings) = read_table(name, table.input, &mut intake)?;
    report.warnings.extend(warnings);
    match report.records.insert(table.system.clone(), records) {
        None => Ok(()),
        Some(_) => Err(LinkTablesError::System(table.system)),
    }
}

fn run(
    batch: Batch,
    rulings: &Rulings,
    watchers: &mut Watchers<'_>,
    audience: &mut Audience<'_>,
) -> Result<LinkResult, LinkTablesError> {
    let of_records = Some(batch.len() as u64);
    let mut progress = Progress {
        of_records,
        ..Progress::begins(Phase::Comparing)
    };
    tell(audience, progress);
    let result = batch.run(rulings, |batch, pairs| {
        progress.records = (progress.records + u64::from(TASK)).min(batch.len() as u64);
        progress.pairs += pairs.len() as u64;
        tell(audience, progress);
        watchers
            .see(batch, pairs)
            .map_err(LinkTablesError::writing("candidates"))?;
        if Some(progress.records) == of_records {
            begin(audience, Phase::Clustering);
        }
        Ok::<(), LinkTablesError>(())
    })?;
    if let Some(candidates) = watchers.candidates.take() {
        candidates
            .finish(&result)
            .map_err(LinkTablesError::writing("candidates"))?;
    }
    Ok(result)
}

fn write_page(
    result: &LinkResult,
    report: &LinkReport,
    scores: &Scores,
    extras: &mut LinkExtras<'_>,
) -> Result<(), LinkTablesError> {
    begin(&mut extras.progress, Phase::Surveying);
    let mut page = Page::new(result, report, scores);
    if let Some(reopen) = extras.values {
        page.show(&read_values(reopen()?, &page.records())?);
    }
    let Some(output) = &mut extras.page else {
        return Ok(());
    };
    output
        .write_all(page.html().as_bytes())
        .map_err(|error| LinkTablesError::Write {
            output: "report",
            source: error.into(),
        })
}
