//! Coarsening: leaving out strata until a release can be published.

use super::{MeasuredRow, NotProtected, Parameters, Release, protect};
use crate::indicators::Indicators;

/// Protects a release; when masking does not suffice, leaves out all rows broken down by the first
/// name of `drop_first`, then by the next, and tries again. Answers the release and the names left out.
/// Period and geography are the caller's to widen.
///
/// # Errors
/// [`NotProtected`] when not even the coarsest table can be published.
pub fn protect_or_coarsen(
    rows: Vec<MeasuredRow>,
    indicators: &Indicators,
    parameters: Parameters,
    earlier: &[Release],
    drop_first: &[&str],
) -> Result<(Release, Vec<String>), NotProtected> {
    let mut rows = rows;
    let mut dropped = Vec::new();
    let mut result = protect(Release::new(rows.clone(), indicators), parameters, earlier);
    for name in drop_first {
        if result.is_ok() {
            break;
        }
        rows.retain(|row| row.stratum.without(name).is_none());
        dropped.push((*name).to_owned());
        result = protect(Release::new(rows.clone(), indicators), parameters, earlier);
    }
    result.map(|release| (release, dropped))
}
