//! Records by key, in as little room as can be: there are a dozen keys for each record, and most keys have one.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::SmallVec;

use crate::population::Slot;
use crate::shelves::Shelves;

/// The records of a key that has several: mostly so few that they need no room of their own.
type Few = SmallVec<[Slot; 4]>;

/// The bit of a place by which it is that of a list, and not a record's own.
const LIST: u32 = 1 << 31;

/// A key and where its records are: twelve bytes, where a key in one piece would make them sixteen.
#[derive(Debug, Clone, Copy)]
struct Holder {
    high: u32,
    low: u32,
    place: u32,
}

impl Holder {
    const fn new(key: u64, place: u32) -> Self {
        Self {
            high: (key >> 32) as u32,
            low: key as u32,
            place,
        }
    }

    const fn key(self) -> u64 {
        (self.high as u64) << 32 | self.low as u64
    }

    /// Number of its list; `None` when it has one record.
    fn list(self) -> Option<usize> {
        (self.place & LIST != 0).then_some((self.place & !LIST) as usize)
    }
}

/// The records that hold each key. Keys are mixed, so that they are their own hashes.
#[derive(Debug, Default)]
pub(super) struct Holders {
    table: HashTable<Holder>,
    lists: Shelves<Few>,
    /// Lists that nobody uses.
    free: Vec<u32>,
}

impl Holders {
    /// The records of a key, in no order.
    pub(super) fn of(&self, key: u64) -> &[Slot] {
        let Some(holder) = self.table.find(key, |holder| holder.key() == key) else {
            return &[];
        };
        match holder.list() {
            Some(list) => self.lists.get(list).map_or(&[], |list| list),
            None => std::slice::from_ref(&holder.place),
        }
    }

    /// Adds a record to those of a key.
    pub(super) fn add(&mut self, key: u64, slot: Slot) {
        let found = self
            .table
            .entry(key, |holder| holder.key() == key, |holder| holder.key());
        let mut held = match found {
            Entry::Vacant(vacant) => {
                vacant.insert(Holder::new(key, slot));
                return;
            }
            Entry::Occupied(held) => held,
        };
        match held.get().list() {
            Some(list) => {
                if let Some(list) = self.lists.get_mut(list) {
                    list.push(slot);
                }
            }
            None => {
                let both = Few::from_slice(&[held.get().place, slot]);
                let list = self.free.pop().unwrap_or(self.lists.len() as u32);
                self.lists.set(list as usize, both);
                held.get_mut().place = list | LIST;
            }
        }
    }

    /// Takes a record from those of a key.
    pub(super) fn take(&mut self, key: u64, slot: Slot) {
        let found = self.table.find_entry(key, |holder| holder.key() == key);
        let Ok(mut held) = found else {
            return;
        };
        let Some(list) = held.get().list() else {
            if held.get().place == slot {
                held.remove();
            }
            return;
        };
        let Some(slots) = self.lists.get_mut(list) else {
            return;
        };
        if let Some(place) = slots.iter().position(|other| *other == slot) {
            slots.swap_remove(place);
        }
        if let [last] = **slots {
            *slots = Few::new();
            self.free.push(list as u32);
            held.get_mut().place = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn told(holders: &Holders, key: u64) -> BTreeSet<Slot> {
        let slots = holders.of(key);
        let distinct: BTreeSet<Slot> = slots.iter().copied().collect();
        assert_eq!(distinct.len(), slots.len(), "a record is told twice");
        distinct
    }

    proptest! {
        #[test]
        fn keys_have_the_records_that_were_added_and_not_taken(
            changes in proptest::collection::vec((any::<bool>(), 0..6_u64, 0..12_u32), 0..400),
        ) {
            // Keys that differ in either half alone.
            let key = |number: u64| ((number % 3) << 32) | (number / 3);
            let mut holders = Holders::default();
            let mut model: BTreeMap<u64, BTreeSet<Slot>> = BTreeMap::new();
            for (is_added, number, slot) in changes {
                let slots = model.entry(number).or_default();
                if is_added && slots.insert(slot) {
                    holders.add(key(number), slot);
                } else if !is_added {
                    slots.remove(&slot);
                    holders.take(key(number), slot);
                }
            }
            for number in 0..6 {
                let expected = model.get(&number).cloned().unwrap_or_default();
                prop_assert_eq!(told(&holders, key(number)), expected);
            }
        }
    }

    #[test]
    fn lists_that_nobody_uses_are_used_again() {
        let mut holders = Holders::default();
        for round in 0..100 {
            holders.add(round, 1);
            holders.add(round, 2);
            holders.take(round, 1);
            assert_eq!(holders.of(round), [2]);
        }
        assert_eq!(holders.lists.len(), 1);
    }

    #[test]
    fn key_of_one_record_takes_twelve_bytes() {
        assert_eq!(size_of::<Holder>(), 12);
    }
}
