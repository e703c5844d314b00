//! The same blocks kept up to date one record at a time.

use crate::person::Person;
use crate::population::{Population, Slot};
use crate::settings::Blocking;

use super::holders::Holders;
use super::key::{is_small, keys};
use super::refine::{DEPTH, part};

/// Records by blocking key.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    holders: Holders,
    scratch: Vec<u64>,
}

impl Postings {
    /// Adds a record that is in the population.
    pub(crate) fn insert(&mut self, population: &Population, slot: Slot) {
        let Some(person) = population.person(slot) else {
            return;
        };
        keys(population, person, &mut self.scratch);
        for key in &self.scratch {
            self.holders.add(*key, slot);
        }
    }

    /// Takes a record out; to be called while it is still in the population.
    pub(crate) fn remove(&mut self, population: &Population, slot: Slot) {
        let Some(person) = population.person(slot) else {
            return;
        };
        keys(population, person, &mut self.scratch);
        for key in &self.scratch {
            self.holders.take(*key, slot);
        }
    }

    /// The records that share a block with one that is in the population and in the postings.
    pub(crate) fn partners(
        &mut self,
        population: &Population,
        slot: Slot,
        limits: &Blocking,
    ) -> Vec<Slot> {
        let mut found = Vec::new();
        let Some(person) = population.person(slot) else {
            return found;
        };
        self.collect(population, person, slot, limits, &mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    fn collect(
        &mut self,
        population: &Population,
        person: &Person,
        slot: Slot,
        limits: &Blocking,
        found: &mut Vec<Slot>,
    ) {
        keys(population, person, &mut self.scratch);
        for key in &self.scratch {
            let slots = self.holders.of(*key);
            if is_small(*key) && slots.len() > limits.largest_small_block {
                continue;
            }
            if slots.len() <= limits.largest_block {
                found.extend(slots.iter().copied().filter(|other| *other != slot));
            } else {
                narrow(population, slots, slot, limits, found);
            }
        }
    }
}

/// The part of an oversized block in which a record lies, split as the batch splits it.
pub(super) fn narrow(
    population: &Population,
    slots: &[Slot],
    slot: Slot,
    limits: &Blocking,
    found: &mut Vec<Slot>,
) {
    let mut members = slots.to_vec();
    for depth in 0..DEPTH {
        if members.len() <= limits.largest_block {
            break;
        }
        let own = part(population, slot, depth);
        members.retain(|other| part(population, *other, depth) == own);
    }
    if members.len() > limits.largest_block {
        members.sort_unstable_by_key(|other| population.digest(*other));
        let place = members.iter().position(|other| *other == slot).unwrap_or(0);
        let near = place.saturating_sub(limits.window)..=place + limits.window;
        let near = members
            .iter()
            .enumerate()
            .filter(|(place, _)| near.contains(place));
        found.extend(near.map(|(_, other)| *other).filter(|other| *other != slot));
    } else {
        found.extend(members.into_iter().filter(|other| *other != slot));
    }
}
