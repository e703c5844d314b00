//! The masked tables that the public sees: of quarters that have ended, made once a day, never filtered by a visitor.
//!
//! A table is published only when the checker proves that no masked count follows from what is shown; until then it is
//! coarsened, dimension by dimension. What still cannot be proven is not published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::{
    self, MeasuredRow, PublicRow, check_limits, protect_or_coarsen, publish,
};
use tandem_coordination::period::Period;
use tokio::sync::Mutex;

use crate::api::measures::compute;
use crate::api::problem::ApiError;
use crate::pipeline::core::Core;

/// The tables of one day.
#[derive(Debug)]
pub(crate) struct Published {
    /// The rows, masked.
    pub rows: Vec<PublicRow>,
    /// Dimensions that were dropped to protect people.
    pub dropped: Vec<String>,
    /// Snapshot of the links behind them.
    pub snapshot: String,
    /// Version of the software that computed them.
    pub method: &'static str,
    /// When they were made.
    pub at: Timestamp,
    /// The indicators' definitions.
    pub indicators: Indicators,
}

/// Most periods that are kept published.
const MOST_PERIODS: usize = 16;

type Tables = BTreeMap<(Date, Date), Arc<Published>>;

/// What is published now: the day on which it was made, and the tables by period.
#[derive(Debug, Default)]
pub(crate) struct Publication(Mutex<Option<(Date, Tables)>>);

impl Publication {
    /// The tables of a period, made at most once a day.
    ///
    /// # Errors
    /// When they can't be computed or not be protected.
    pub(super) async fn of(&self, core: &Core, period: Period) -> Result<Arc<Published>, ApiError> {
        let today = core.day(core.clock.now());
        let mut slot = self.0.lock().await;
        let tables = match slot.as_mut() {
            Some((day, tables)) if *day == today && tables.len() < MOST_PERIODS => tables,
            _ => &mut slot.insert((today, Tables::new())).1,
        };
        let key = (period.start(), period.end());
        if let Some(published) = tables.get(&key) {
            return Ok(Arc::clone(published));
        }
        let published = Arc::new(make(core, period).await?);
        tables.insert(key, Arc::clone(&published));
        Ok(published)
    }
}

async fn make(core: &Core, period: Period) -> Result<Published, ApiError> {
    let report = compute(core, period).await?;
    let indicators =
        Indicators::shipped(None).map_err(|error| ApiError::Internal(error.to_string()))?;
    check_limits(&report.rows).map_err(|error| ApiError::Internal(error.to_string()))?;
    let threshold = core.loaded.config.masking.threshold;
    let parameters = masking::Parameters {
        threshold,
        ..masking::Parameters::default()
    };
    let names = dimensions(&report.rows);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (release, dropped) = protect_or_coarsen(report.rows, &indicators, parameters, &[], &names)
        .map_err(|error| {
            tracing::error!(%error, "the public tables are not published");
            ApiError::Unavailable
        })?;
    Ok(Published {
        rows: publish(&release),
        dropped,
        snapshot: report.header.snapshot_id,
        method: report.header.software_version,
        at: core.clock.now(),
        indicators,
    })
}

/// The dimensions of the rows, in order of name.
fn dimensions(rows: &[MeasuredRow]) -> BTreeSet<String> {
    rows.iter()
        .flat_map(|row| row.stratum.iter().map(|(name, _)| name.to_owned()))
        .collect()
}
