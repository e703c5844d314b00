//! The public table: community measures with small counts masked, and a checker that finds no masked count that could be
//! computed.

use anyhow::Context as _;
use jiff::Timestamp;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::{
    MeasuredRow, Parameters, PublicRow, Release, Stratum, audit, protect, publish, write_csv,
};
use tandem_coordination::period::Period;
use tandem_mappings::model::id::Jurisdiction;

use super::{Evidence, compute};
use crate::pipeline::core::Core;

/// What the public sees of this county's own measures.
const SHOWN: [&str; 7] = ["UN-1", "UN-2", "UN-3", "RF-1", "RF-2", "RF-3", "RF-4"];
/// The stratum by which counties are told apart.
const COUNTY: &str = "county";
/// Under which jurisdiction counties are added up.
const STATE: &str = "state";

/// A masked table.
#[derive(Debug, Clone)]
pub struct PublicTable {
    /// The rows; masked numbers are absent.
    pub rows: Vec<PublicRow>,
    /// Snapshot of the links.
    pub snapshot_id: String,
    /// Version of the software.
    pub method_version: &'static str,
    /// When.
    pub generated_at: Timestamp,
}

impl PublicTable {
    /// The table as CSV (specs of coordination, section 8.2).
    ///
    /// # Errors
    /// When a row can't be written.
    pub fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        write_csv(&mut bytes, &self.rows, &self.snapshot_id, self.method_version, self.generated_at)?;
        Ok(bytes)
    }
}

/// Computes and masks the public table of a period. The checker has the last word: what it objects to is not shown.
///
/// # Errors
/// When the table can't be protected by masking.
pub fn public_table(core: &Core, evidence: &Evidence, period: Period, now: Timestamp) -> anyhow::Result<PublicTable> {
    let report = compute(core, evidence, period, Vec::new(), now)?;
    let indicators = Indicators::shipped(None).context("loading the indicators")?;
    let state: Jurisdiction = STATE.parse()?;
    let own = report.rows.iter().filter(|row| row.stratum.is_empty() && SHOWN.contains(&row.indicator.as_str()));
    let mut rows = Vec::new();
    for row in own {
        rows.extend(by_county(core, evidence, row, &state, period));
    }
    let parameters = Parameters { threshold: core.loaded.config.masking.threshold, ..Parameters::default() };
    let release = protect(Release::new(rows, &indicators), parameters, &[])
        .context("the public table cannot be protected by masking alone")?;
    if let Err(derivable) = audit(&release, parameters.threshold, &[]) {
        anyhow::bail!("{} masked counts of the public table could be computed", derivable.len());
    }
    Ok(PublicTable {
        rows: publish(&release),
        snapshot_id: report.header.snapshot_id,
        method_version: report.header.software_version,
        generated_at: now,
    })
}

/// A row of this county; where other counties reported the same count, one row for each county and their sum.
fn by_county(core: &Core, evidence: &Evidence, own: &MeasuredRow, state: &Jurisdiction, period: Period) -> Vec<MeasuredRow> {
    let others: Vec<MeasuredRow> = evidence
        .reported(period)
        .filter(|row| row.indicator == own.indicator && row.stratum.iter().any(|(name, _)| name == COUNTY))
        .collect();
    if others.is_empty() || own.denominator.is_some() {
        return vec![own.clone()];
    }
    let county = core.loaded.config.jurisdiction.as_str();
    let mut rows = vec![MeasuredRow {
        jurisdiction: state.clone(),
        stratum: Stratum::whole().with(COUNTY, county),
        ..own.clone()
    }];
    rows.extend(others.into_iter().map(|row| MeasuredRow { jurisdiction: state.clone(), ..row }));
    let total: u64 = rows.iter().filter_map(|row| row.numerator).sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of people are far below 2^52")]
    let value = Some(total as f64);
    let whole = MeasuredRow { stratum: Stratum::whole(), numerator: Some(total), value, ..rows.first().unwrap_or(own).clone() };
    rows.insert(0, whole);
    rows
}
