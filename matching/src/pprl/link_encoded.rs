//! Linking of encoded and clear tables, as `tandem link --pprl` does it.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use crate::mix;
use crate::progress::{Audience, Phase, begin};
use crate::result::Statistics;
use crate::settings::Settings;
use crate::table::{
    CANDIDATES, LinkOutputs, LinkTablesError, TableInput, TableName, TableWarning, read_records,
    write_cluster_ids, write_pairs,
};

use super::encode_table::{encoder, twice};
use super::key::PprlKey;
use super::link::{self, Linked};
use super::noise::Noise;
use super::pool::Pool;
use super::read::{read_encoded, start};

/// What the reader of every result must know.
const LIMITS: [&str; 3] = [
    "household rules (twins, parent and child, Jr and Sr) cannot be applied to encodings: look at links within a family",
    "a pair whose record has another candidate of nearly the same score goes to review",
    "encodings are personal data, not anonymous: giving them away is a disclosure",
];

/// The tables of a run.
#[derive(Debug, Default)]
pub struct EncodedTables<'a> {
    /// Tables of encodings.
    pub encoded: Vec<TableInput<'a>>,
    /// Clear tables, and the key by which they are encoded in memory.
    pub clear: Option<(Vec<TableInput<'a>>, PprlKey)>,
}

/// What a run over encodings did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PprlReport {
    /// Records by system.
    pub records: BTreeMap<String, u64>,
    /// Records about which too little is known to compare them.
    pub too_little_known: u64,
    /// Clusters, records alone included.
    pub clusters: u64,
    /// Counts of the run.
    pub statistics: Statistics,
    /// Pairs for review because another candidate was about as good.
    pub near_equal: u64,
    /// Why nothing was linked, if so.
    pub estimate_refused: Option<String>,
    /// What was passed over in clear tables.
    pub warnings: Vec<TableWarning>,
    /// What these results cannot do.
    pub limits: [&'static str; 3],
}

/// Links encodings and clear tables, within and between them, and writes what was found as
/// [`link_tables`](crate::link_tables) does. Of the settings, the thresholds and the largest cluster are used.
///
/// # Errors
/// [`LinkTablesError`] when a table cannot be read, is damaged or was encoded with another key or scheme, or an output
/// cannot be written.
pub fn link_encoded(
    tables: EncodedTables<'_>,
    settings: &Settings,
    outputs: LinkOutputs<'_>,
    mut progress: Audience<'_>,
) -> Result<PprlReport, LinkTablesError> {
    begin(&mut progress, Phase::Reading);
    let mut reading = Reading::default();
    reading.read(tables)?;
    let pool = &reading.pool;
    begin(&mut progress, Phase::Comparing);
    let seed = mix::text(reading.key_check.as_deref().unwrap_or_default());
    let linked = link::link(pool, seed, settings);
    begin(&mut progress, Phase::Writing);
    write_pairs(
        [&linked.links, &linked.reviews],
        |number| pool.key_parts(number),
        outputs.links,
    )?;
    write_cluster_ids(
        &linked.clusters.0,
        |number| pool.key_parts(number),
        outputs.clusters,
    )?;
    if let Some(candidates) = outputs.candidates {
        write_candidates(&linked, pool, candidates)?;
    }
    Ok(PprlReport {
        too_little_known: (pool.len() - pool.linkable().count()) as u64,
        clusters: linked.clusters.1,
        statistics: linked.statistics,
        near_equal: linked.near_equal,
        estimate_refused: linked.refused.map(|reason| reason.to_string()),
        records: reading.records,
        warnings: reading.warnings,
        limits: LIMITS,
    })
}

/// Tables on their way into a pool.
#[derive(Debug, Default)]
struct Reading {
    pool: Pool,
    key_check: Option<String>,
    records: BTreeMap<String, u64>,
    warnings: Vec<TableWarning>,
}

impl Reading {
    fn read(&mut self, tables: EncodedTables<'_>) -> Result<(), LinkTablesError> {
        if let Some((clear, key)) = tables.clear {
            self.key_check = Some(key.check_value());
            for table in clear {
                self.read_clear(table, &key)?;
            }
        }
        for table in tables.encoded {
            let system = table.system.clone();
            let records = read_encoded(table, &mut self.pool, &mut self.key_check)?;
            self.records.insert(system, records);
        }
        Ok(())
    }

    fn read_clear(&mut self, table: TableInput<'_>, key: &PprlKey) -> Result<(), LinkTablesError> {
        let encoder = encoder(key)?;
        let system = start(&mut self.pool, &table.system, Noise::NONE)?;
        let name = TableName {
            system: &table.system,
            file: &table.file,
        };
        let pool = &mut self.pool;
        let (records, warnings) = read_records(
            name,
            table.input,
            |record| (encoder.encode(record, Noise::NONE), record.key.id.clone()),
            |(encoding, id), line| {
                let is_new = pool.push(system, &id, encoding);
                is_new.then_some(()).ok_or_else(|| twice(&table.file, line))
            },
        )?;
        self.warnings.extend(warnings);
        self.records.insert(table.system, records);
        Ok(())
    }
}

fn write_candidates(
    linked: &Linked,
    pool: &Pool,
    output: &mut dyn Write,
) -> Result<(), LinkTablesError> {
    let failed = |source| LinkTablesError::Write {
        output: "candidates",
        source,
    };
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(CANDIDATES).map_err(failed)?;
    for ((a, b), bits) in linked.scores(pool) {
        let (Some(a), Some(b)) = (pool.key_parts(a as usize), pool.key_parts(b as usize)) else {
            continue;
        };
        let score = format!("{bits:.3}");
        writer
            .write_record([a.0, a.1, b.0, b.1, &score])
            .map_err(failed)?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}
