//! The masked tables that the public sees: made once a day, never from a visitor's wish.
//!
//! A table is published only when the checker proves that no masked count follows from what is shown; until then it is
//! coarsened, dimension by dimension. What still cannot be proven is not published.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::{self, MeasuredRow, PublicRow, check_limits, protect_or_coarsen, publish};
use tokio::sync::Mutex;

use crate::api::measures::{compute, year_of};
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

/// What is published now.
#[derive(Debug, Default)]
pub(crate) struct Publication(Mutex<Option<(Date, Arc<Published>)>>);

impl Publication {
    /// Today's tables; made when nobody has asked today yet.
    ///
    /// # Errors
    /// When they can't be computed or not be protected.
    pub(super) async fn today(&self, core: &Core) -> Result<Arc<Published>, ApiError> {
        let today = core.day(core.clock.now());
        let mut slot = self.0.lock().await;
        if let Some((day, published)) = slot.as_ref()
            && *day == today
        {
            return Ok(Arc::clone(published));
        }
        let published = Arc::new(make(core, today).await?);
        *slot = Some((today, Arc::clone(&published)));
        Ok(published)
    }
}

async fn make(core: &Core, today: Date) -> Result<Published, ApiError> {
    let period = year_of(today).ok_or_else(|| ApiError::Internal("the year has no period".to_owned()))?;
    let report = compute(core, period).await?;
    let indicators = Indicators::shipped(None).map_err(|error| ApiError::Internal(error.to_string()))?;
    check_limits(&report.rows).map_err(|error| ApiError::Internal(error.to_string()))?;
    let threshold = core.loaded.config.masking.threshold;
    let parameters = masking::Parameters { threshold, ..masking::Parameters::default() };
    let names = dimensions(&report.rows);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (release, dropped) = protect_or_coarsen(report.rows, &indicators, parameters, &[], &names).map_err(|error| {
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
    rows.iter().flat_map(|row| row.stratum.iter().map(|(name, _)| name.to_owned())).collect()
}
