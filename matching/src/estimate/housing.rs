//! How many relatives a record has: those who share a dwelling beyond the records of one person.

use crate::field::{AddressLevel, Field};
use crate::population::Population;
use crate::settings::Settings;

use super::{FEWEST, Matched};

/// Share of the records that must have an address before dwellings tell how many relatives there are.
const FEWEST_HOUSED: f64 = 0.2;

/// Counts of records by dwelling. Dwellings of more records than one household's are left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Housing {
    pub(super) records: usize,
    /// Records that have a dwelling.
    housed: f64,
    /// Pairs of records that share one.
    sharing: f64,
}

impl Housing {
    pub(super) fn of(population: &Population, settings: &Settings) -> Self {
        let ordinary = settings.frequency.ordinary_holders;
        let (mut housed, mut sharing) = (0.0, 0.0);
        let counts = population.frequencies.dwellings.counts();
        for count in counts.filter(|count| *count <= ordinary).map(f64::from) {
            housed += count;
            sharing += count * (count - 1.0) / 2.0;
        }
        Self {
            records: population.len(),
            housed,
            sharing,
        }
    }

    /// Expected relatives of a record.
    pub(super) fn relatives(&self, set: &Settings, matched: &Matched) -> f64 {
        if self.housed < self.records.max(1) as f64 * FEWEST_HOUSED {
            return set.prior.relatives;
        }
        let same = matched
            .levels
            .get(Field::Address as usize)
            .and_then(|row| row.get(AddressLevel::Dwelling as usize));
        let others = (self.sharing - same.copied().unwrap_or(0.0)).max(0.0);
        let together = set
            .level(Field::Address, "dwelling")
            .map_or(1.0, |level| level.relative);
        (2.0 * others / self.housed / together).max(FEWEST * 10.0)
    }
}
