//! How many relatives a record has: those who share a dwelling beyond the records of one person.

use crate::field::{AddressLevel, Field};
use crate::person::Person;
use crate::population::Population;
use crate::settings::Settings;

use super::{FEWEST, Matched};

/// Share of the records that must have an address before dwellings tell how many relatives there are.
const FEWEST_HOUSED: f64 = 0.2;

/// Share of the records that must have an address before dwellings can tell that there are no households.
const MOSTLY_HOUSED: f64 = 0.5;
/// Pairs of one dwelling that must be there to tell it.
const FEWEST_SHARING: f64 = 200.0;
/// The most of the pairs of one dwelling that may be of two people where nobody lives with another.
const FEW_OTHERS: f64 = 0.02;

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
        let dwellings = population.sorted(Person::dwellings);
        let alike = dwellings.chunk_by(|one, other| one == other);
        let counts = alike.map(|alike| alike.len() as u32);
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
        let together = set
            .level(Field::Address, "dwelling")
            .map_or(1.0, |level| level.relative);
        let relatives = 2.0 * self.others(matched) / self.housed / together;
        relatives.max(match self.is_of_single_people(matched) {
            true => FEWEST,
            false => FEWEST * 10.0,
        })
    }

    /// Expected pairs of two people in one dwelling.
    fn others(&self, matched: &Matched) -> f64 {
        let same = matched
            .levels
            .get(Field::Address as usize)
            .and_then(|row| row.get(AddressLevel::Dwelling as usize));
        (self.sharing - same.copied().unwrap_or(0.0)).max(0.0)
    }

    /// Whether the dwellings show that nobody among the records lives with another.
    pub(super) fn is_of_single_people(&self, matched: &Matched) -> bool {
        self.housed >= self.records as f64 * MOSTLY_HOUSED
            && self.sharing >= FEWEST_SHARING
            && self.others(matched) <= self.sharing * FEW_OTHERS
    }
}
