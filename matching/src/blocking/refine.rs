//! The fields by which a block that has grown too large is split.

use crate::mix;
use crate::population::{Population, Slot};

use super::key::birth_key;

/// How many fields there are to split by.
pub(super) const DEPTH: usize = 5;

/// Value of the split field of a record; 0 when it is unknown.
pub(super) fn part(population: &Population, slot: Slot, depth: usize) -> u64 {
    let Some(person) = population.person(slot) else {
        return 0;
    };
    let vocabulary = &population.vocabulary;
    let birth = person.birth_date;
    match depth {
        0 => birth.map_or(0, |date| u64::from(date.year().unsigned_abs())),
        1 => birth.map_or(0, birth_key),
        2 => vocabulary.entry(person.name.first).canonical,
        3 => vocabulary
            .entry(person.name.last)
            .sounds
            .first()
            .copied()
            .unwrap_or(0),
        _ => person
            .ssn
            .last_four()
            .map_or(0, |digits| mix::word(u64::from(digits))),
    }
}
