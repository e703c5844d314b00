//! What the public sees of a protected release.

use serde::Serialize;
use tandem_mappings::model::id::Jurisdiction;

use super::{Cell, Release, Stratum, Suppression};
use crate::period::Period;

/// One row as the public sees it; masked numbers are absent, never 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublicRow {
    /// The indicator.
    pub indicator: String,
    /// The period.
    pub period: Period,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The stratum.
    pub stratum: Stratum,
    /// The numerator, unless masked or not part of the measure.
    pub numerator: Option<u64>,
    /// Whether the measure has a numerator that is masked.
    pub numerator_is_masked: bool,
    /// The denominator, unless masked or not part of the measure.
    pub denominator: Option<u64>,
    /// Whether the measure has a denominator that is masked.
    pub denominator_is_masked: bool,
    /// The value, unless a count behind it is masked.
    pub value: Option<f64>,
    /// The strongest reason for a mask in the row.
    pub suppressed: Suppression,
}

/// The public rows of a protected release. A value made from a masked count is masked with it.
#[must_use]
pub fn publish(release: &Release) -> Vec<PublicRow> {
    let rows = release.rows.iter().map(|(row, numerator, denominator)| {
        let cell = |index: &Option<usize>| index.and_then(|index| release.cells.get(index));
        let (numerator, denominator) = (cell(numerator), cell(denominator));
        let masks = [numerator, denominator]
            .into_iter()
            .flatten()
            .map(|cell| cell.suppression);
        let strongest = masks.filter(|&mask| mask != Suppression::None).min();
        // A median has no numerator: only its value goes with the masked number of units.
        let suppressed = match (strongest, numerator) {
            (Some(_), None) => Suppression::Derived,
            (Some(mask), Some(_)) => mask,
            (None, _) => Suppression::None,
        };
        let shown =
            |cell: Option<&Cell>| cell.filter(|cell| !cell.is_masked()).map(|cell| cell.count);
        let is_masked = |cell: Option<&Cell>| cell.is_some_and(Cell::is_masked);
        PublicRow {
            indicator: row.indicator.clone(),
            period: row.period,
            jurisdiction: row.jurisdiction.clone(),
            stratum: row.stratum.clone(),
            numerator: shown(numerator),
            numerator_is_masked: is_masked(numerator),
            denominator: shown(denominator),
            denominator_is_masked: is_masked(denominator),
            value: row.value.filter(|_| strongest.is_none()),
            suppressed,
        }
    });
    rows.collect()
}
