//! Comparison of two records into levels and frequency bits.

mod birth;
mod name;
mod number;
mod place;

use crate::field::{Field, HouseholdLevel, Pattern, RelationshipLevel, SexLevel, SuffixLevel};
use crate::model::Model;
use crate::person::Person;
use crate::population::Population;
use crate::score::Evidence;
use crate::value::Sex;

/// Compares records of one population.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparer<'a> {
    pub(crate) population: &'a Population,
    pub(crate) model: &'a Model,
}

impl<'a> Comparer<'a> {
    pub(crate) fn new(population: &'a Population, model: &'a Model) -> Self {
        Self { population, model }
    }

    /// The evidence of a pair; the order of the two does not matter.
    pub(crate) fn compare(&self, a: &Person, b: &Person) -> Evidence {
        let mut evidence = Evidence::default();
        self.compare_names(a, b, &mut evidence);
        let pattern = &mut evidence.pattern;
        pattern.set(Field::Suffix, suffix(a, b) as u8);
        pattern.set(
            Field::BirthDate,
            birth::level(a.birth_date, b.birth_date) as u8,
        );
        pattern.set(Field::Sex, sex(a.sex, b.sex) as u8);
        pattern.set(Field::Relationship, relationship(a, b) as u8);
        if a.system == b.system {
            pattern.set_same_system();
            pattern.set(Field::Household, household(a, b) as u8);
        }
        self.compare_numbers(a, b, &mut evidence);
        self.compare_places(a, b, &mut evidence);
        evidence
    }

    /// Bits by which a name that so many records use differs from an average one.
    fn name_frequency(&self, count: u32, base: f64) -> f32 {
        let frequency = &self.model.settings.frequency;
        let strength = frequency.name_strength;
        let records = self.population.len() as f64;
        let share = (f64::from(count) + strength * base) / (records + strength);
        (base / share)
            .log2()
            .clamp(-frequency.limit_bits, frequency.limit_bits) as f32
    }

    /// Bits that a number or a place loses when more records hold it than one household's.
    fn holder_frequency(&self, count: u32, base: f64) -> f32 {
        let frequency = &self.model.settings.frequency;
        let strangers = count.saturating_sub(frequency.ordinary_holders);
        if strangers == 0 {
            return 0.0;
        }
        let records = self.population.len().max(1) as f64;
        let share = f64::from(strangers) / records;
        (base / (base + share)).log2() as f32
    }
}

fn suffix(a: &Person, b: &Person) -> SuffixLevel {
    match (a.generation, b.generation) {
        (0, _) | (_, 0) => SuffixLevel::Missing,
        (one, other) if one == other => SuffixLevel::Same,
        _ => SuffixLevel::Conflict,
    }
}

fn sex(a: Sex, b: Sex) -> SexLevel {
    match (a, b) {
        (Sex::Unknown, _) | (_, Sex::Unknown) => SexLevel::Missing,
        (one, other) if one == other => SexLevel::Same,
        _ => SexLevel::Different,
    }
}

fn household(a: &Person, b: &Person) -> HouseholdLevel {
    match (a.household, b.household) {
        (0, _) | (_, 0) => HouseholdLevel::Missing,
        (one, other) if one == other => HouseholdLevel::Same,
        _ => HouseholdLevel::Other,
    }
}

fn relationship(a: &Person, b: &Person) -> RelationshipLevel {
    match (a.relationship, b.relationship) {
        (Some(one), Some(other)) if one == other => RelationshipLevel::Same,
        (Some(one), Some(other)) if one.is_other_generation(other) => {
            RelationshipLevel::OtherGeneration
        }
        (Some(_), Some(_)) => RelationshipLevel::Different,
        _ => RelationshipLevel::Missing,
    }
}

/// The most telling of several levels: the lowest above "no evidence".
fn best<L: Copy + Ord>(levels: impl Iterator<Item = L>, missing: L) -> L {
    levels
        .filter(|level| *level != missing)
        .min()
        .unwrap_or(missing)
}

/// A pattern with one field set; for weighing names against each other.
fn with(mut pattern: Pattern, field: Field, level: u8) -> Pattern {
    pattern.set(field, level);
    pattern
}
