//! Limits of every public table: strata, period, ages.

use super::MeasuredRow;

/// Most strata of one public table.
pub const MAX_STRATA: usize = 3;

/// Why a row may not be in a public table at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// More than three strata.
    #[error("{indicator}: more than {MAX_STRATA} strata")]
    TooManyStrata {
        /// The indicator.
        indicator: String,
    },
    /// Shorter than a quarter.
    #[error("{indicator}: the period is shorter than a quarter")]
    PeriodTooShort {
        /// The indicator.
        indicator: String,
    },
}

/// Checks the limits of a public table.
///
/// # Errors
/// [`LimitError`] for the first row outside them.
pub fn check_limits(rows: &[MeasuredRow]) -> Result<(), LimitError> {
    for row in rows {
        let indicator = row.indicator.clone();
        if row.stratum.len() > MAX_STRATA {
            return Err(LimitError::TooManyStrata { indicator });
        }
        if !row.period.is_quarter_or_longer() {
            return Err(LimitError::PeriodTooShort { indicator });
        }
    }
    Ok(())
}

/// The public age group of an age in years; 90 and above are one group.
#[must_use]
pub fn age_group(years: u16) -> &'static str {
    match years {
        0..=5 => "0-5",
        6..=12 => "6-12",
        13..=17 => "13-17",
        18..=24 => "18-24",
        25..=44 => "25-44",
        45..=64 => "45-64",
        65..=89 => "65-89",
        90.. => "90+",
    }
}
