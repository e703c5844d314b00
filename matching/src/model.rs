//! The settings compiled into tables that scoring reads: bits per field, level and class.

use crate::field::{FIELDS, Field, LEVELS, Pattern};
use crate::settings::Settings;

/// How many classes of other people there are: relatives, twins and strangers, in this order.
pub(crate) const RIVALS: usize = 3;

/// Place of the strangers among the classes of other people.
pub(crate) const STRANGER: usize = 2;

/// Fields whose common values count for less, with the place of each in [`Evidence`].
///
/// [`Evidence`]: crate::score::Evidence
pub(crate) const FREQUENCY_FIELDS: [Field; 6] = [
    Field::FirstName,
    Field::LastName,
    Field::Ssn,
    Field::SharedIdentifier,
    Field::Phone,
    Field::Address,
];

/// Bits of log2(same / rival), for each class of other people.
pub(crate) type Bits = [f64; RIVALS];

/// Settings with everything that scoring needs computed once.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) settings: Settings,
    weights: [[Bits; LEVELS]; FIELDS],
    /// Probability among strangers of the first level of each frequency field.
    base: [f64; FREQUENCY_FIELDS.len()],
    /// Probability among strangers that family names share a part.
    pub(crate) part_base: f64,
}

impl Model {
    /// Compiles settings that are checked already.
    pub(crate) fn new(settings: Settings) -> Self {
        let mut weights = [[[0.0; RIVALS]; LEVELS]; FIELDS];
        for (field, table) in Field::ALL.iter().zip(&mut weights) {
            // Level 0, no evidence, keeps its zeroes.
            for (label, bits) in field.levels().iter().zip(table.iter_mut().skip(1)) {
                if let Some(level) = settings.level(*field, label) {
                    let ratio = |rival: f64| (level.same / rival).log2();
                    *bits = [
                        ratio(level.relative),
                        ratio(level.twin),
                        ratio(level.stranger),
                    ];
                }
            }
        }
        let stranger = |field: Field, level: &str| {
            settings
                .level(field, level)
                .map_or(1.0, |probabilities| probabilities.stranger)
        };
        let base = FREQUENCY_FIELDS
            .map(|field| stranger(field, field.levels().first().copied().unwrap_or_default()));
        let part_base = stranger(Field::LastName, "part");
        Self {
            settings,
            weights,
            base,
            part_base,
        }
    }

    /// Weight of a level against each class.
    pub(crate) fn weight(&self, field: Field, level: u8) -> Bits {
        let table = self.weights.get(field as usize);
        table
            .and_then(|levels| levels.get(usize::from(level)))
            .copied()
            .unwrap_or_default()
    }

    /// Weights of all levels of a pattern, added up.
    pub(crate) fn sum(&self, pattern: Pattern) -> Bits {
        let mut sum = [0.0; RIVALS];
        for field in Field::ALL {
            for (total, bits) in sum
                .iter_mut()
                .zip(self.weight(*field, pattern.level(*field)))
            {
                *total += bits;
            }
        }
        sum
    }

    /// Probability among strangers of the exact level of a frequency field.
    pub(crate) fn base(&self, place: usize) -> f64 {
        self.base.get(place).copied().unwrap_or(1.0)
    }

    /// log2 of the prior odds of "same" against each class, in a population of the given size.
    pub(crate) fn prior(&self, population: usize, is_same_system: bool) -> Bits {
        let prior = &self.settings.prior;
        let matches = if is_same_system {
            prior.matches_within_system
        } else {
            prior.matches_across_systems
        };
        let strangers = (population as f64).max(prior.minimum_population);
        [prior.relatives, prior.twins, strangers].map(|rivals| (matches / rivals).log2())
    }
}
