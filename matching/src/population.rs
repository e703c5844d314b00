//! All records that are matched, as arrays of numbers, with the counts that term frequencies need.

use std::collections::HashMap;

use hashbrown::HashTable;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::mix::{self, Tally};
use crate::nickname::Nicknames;
use crate::person::{Person, PersonName};
use crate::prepared::{Prepared, PreparedName, PreparedSystem};
use crate::record::{Record, RecordKey};
use crate::shelves::Shelves;
use crate::vocabulary::{NameUse, Vocabulary};

/// Place of a record in the arrays; freed places are used again.
pub(crate) type Slot = u32;

/// The id of a record in its system, and a digest of both that does not depend on order.
#[derive(Debug, Clone, Default)]
struct Key {
    id: Box<str>,
    digest: u128,
}

/// How many records hold each value, beside the names that the vocabulary counts. In a batch only values of many
/// holders are there: fewer say nothing.
#[derive(Debug, Default)]
pub(crate) struct Frequencies {
    pub(crate) ssns: Tally,
    pub(crate) phones: Tally,
    pub(crate) dwellings: Tally,
    pub(crate) identifiers: Tally,
}

/// Normalised records, addressed by [`Slot`].
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) frequencies: Frequencies,
    /// Apart from the keys, for which comparisons do not ask.
    people: Shelves<Option<Person>>,
    keys: Shelves<Key>,
    free: Vec<Slot>,
    /// Slots with the short digests of their records' keys, so that growing asks no record.
    slots: HashTable<(u32, Slot)>,
    /// Whether there are records that [`Population::count_frequent`] has still to count.
    is_uncounted: bool,
    systems: Vec<Box<str>>,
    system_numbers: HashMap<Box<str>, u16>,
}

/// Digest of a key: the same for the same system and id, in any order of arrival.
pub(crate) fn key_digest(key: &RecordKey) -> u128 {
    let mut hasher = Sha256::new();
    hasher.update((key.system.len() as u64).to_le_bytes());
    hasher.update(&key.system);
    hasher.update(&key.id);
    let mut bytes = [0_u8; 16];
    for (target, source) in bytes.iter_mut().zip(hasher.finalize()) {
        *target = source;
    }
    u128::from_le_bytes(bytes)
}

/// A short digest as a hash: tables look at the lowest and at the highest bits.
fn spread(short: u32) -> u64 {
    u64::from(short) << 32 | u64::from(short)
}

impl Population {
    pub(crate) fn new(nicknames: Nicknames) -> Self {
        Self {
            vocabulary: Vocabulary::new(nicknames),
            frequencies: Frequencies::default(),
            people: Shelves::default(),
            keys: Shelves::default(),
            free: Vec::new(),
            slots: HashTable::new(),
            is_uncounted: false,
            systems: Vec::new(),
            system_numbers: HashMap::new(),
        }
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// One more than the highest slot ever used.
    pub(crate) fn end(&self) -> Slot {
        Slot::try_from(self.people.len()).unwrap_or(Slot::MAX)
    }

    pub(crate) fn slot(&self, key: &RecordKey) -> Option<Slot> {
        self.slot_of(key_digest(key))
    }

    pub(crate) fn slot_of(&self, digest: u128) -> Option<Slot> {
        let short = digest as u32;
        let is_it = |place: &(u32, Slot)| place.0 == short && self.digest(place.1) == digest;
        self.slots.find(spread(short), is_it).map(|place| place.1)
    }

    pub(crate) fn person(&self, slot: Slot) -> Option<&Person> {
        self.people.get(slot as usize)?.as_ref()
    }

    /// Reads a little of each of the records.
    pub(crate) fn touch<S: Iterator<Item = Slot>>(&self, slots: impl Fn() -> S) -> u64 {
        let people = || slots().filter_map(|slot| self.person(slot));
        let sum = people().fold(0, |sum, person| {
            sum ^ person.phone ^ u64::from(person.system)
        });
        let name = |id| self.vocabulary.glance(id).spelling.key;
        people().fold(sum, |sum, person| {
            sum ^ name(person.name.first) ^ name(person.name.last)
        })
    }

    /// The digest of the record's key; orders records independently of arrival.
    pub(crate) fn digest(&self, slot: Slot) -> u128 {
        self.keys.get(slot as usize).map_or(0, |key| key.digest)
    }

    /// Name of a system; empty when there is none of this number.
    pub(crate) fn system(&self, number: u16) -> &str {
        self.systems
            .get(usize::from(number))
            .map_or("", |name| name)
    }

    /// System and id of the record.
    pub(crate) fn key_parts(&self, slot: Slot) -> Option<(&str, &str)> {
        let system = self.person(slot)?.system;
        let system = self.systems.get(usize::from(system))?;
        Some((system, &self.keys.get(slot as usize)?.id))
    }

    pub(crate) fn key(&self, slot: Slot) -> Option<RecordKey> {
        self.key_parts(slot)
            .map(|(system, id)| RecordKey::new(system, id))
    }

    /// A record with everything done that needs no other record but the names of them all.
    pub(crate) fn prepare(&self, record: &Record) -> Prepared {
        let name = record.key.system.as_str();
        let system = match self.system_numbers.get(name) {
            Some(number) => PreparedSystem::Known(*number),
            None => PreparedSystem::New(name.into()),
        };
        Prepared::of(record, system, &self.vocabulary)
    }

    /// Adds a record; `None` when its key is there already.
    pub(crate) fn insert(&mut self, record: Prepared) -> Option<Slot> {
        if self.slot_of(record.digest).is_some() {
            return None;
        }
        let (id, digest, person) = self.number(record);
        self.count(&person, Tally::add);
        Some(self.put(id, digest, person))
    }

    /// Adds a record that is counted later, with all others.
    ///
    /// # Errors
    /// The record's key when it is there already.
    pub(crate) fn insert_uncounted(&mut self, record: Prepared) -> Result<Slot, RecordKey> {
        if self.slot_of(record.digest).is_some() {
            return Err(self.taken_key(record));
        }
        self.is_uncounted = true;
        let (id, digest, person) = self.number(record);
        Ok(self.put(id, digest, person))
    }

    /// The key of a record that cannot be added, since it is there already.
    fn taken_key(&self, record: Prepared) -> RecordKey {
        match record.system {
            PreparedSystem::Known(number) => RecordKey::new(self.system(number), record.id),
            PreparedSystem::New(name) => RecordKey::new(name, record.id),
        }
    }

    /// Counts the holders of the values that more than so many records hold, if records wait to be counted.
    pub(crate) fn count_frequent(&mut self, ordinary: u32) {
        if !std::mem::take(&mut self.is_uncounted) {
            return;
        }
        let least = ordinary as usize + 1;
        self.frequencies = Frequencies {
            ssns: Tally::of_frequent(&self.sorted(|person| person.ssn_key().into_iter()), least),
            phones: Tally::of_frequent(&self.sorted(Person::phones), least),
            dwellings: Tally::of_frequent(&self.sorted(Person::dwellings), least),
            identifiers: Tally::of_frequent(&self.sorted(Person::identifier_keys), least),
        };
    }

    /// Values of all records, sorted.
    pub(crate) fn sorted<'a, V>(
        &'a self,
        values: impl Fn(&'a Person) -> V + Sync + Send,
    ) -> Vec<u64>
    where
        V: Iterator<Item = u64>,
    {
        let slots = (0..self.end()).into_par_iter();
        let people = slots.filter_map(|slot| self.person(slot));
        let mut sorted: Vec<u64> = people.flat_map_iter(values).collect();
        sorted.par_sort_unstable();
        sorted
    }

    /// Takes a record out for good; whether it was there.
    pub(crate) fn remove(&mut self, slot: Slot) -> bool {
        match self.take(slot) {
            Some(person) => {
                self.release_names(&person);
                true
            }
            None => false,
        }
    }

    /// Takes a record out for a moment: no count holds it, but its names stay known.
    pub(crate) fn set_aside(&mut self, slot: Slot) -> Option<Person> {
        let person = self.take(slot)?;
        for id in person
            .names()
            .flat_map(|name| [name.first, name.middle, name.last])
        {
            self.vocabulary.reuse(id, NameUse::Held);
        }
        self.release_names(&person);
        Some(person)
    }

    /// Puts a record that was set aside back; `None` when its key is taken.
    pub(crate) fn restore(&mut self, key: &RecordKey, person: Person) -> Option<Slot> {
        let digest = key_digest(key);
        if self.slot_of(digest).is_some() {
            return None;
        }
        for name in person.names() {
            self.vocabulary.reuse(name.first, NameUse::Given);
            self.vocabulary.reuse(name.middle, NameUse::Given);
            self.vocabulary.reuse(name.last, NameUse::Family);
        }
        for id in person
            .names()
            .flat_map(|name| [name.first, name.middle, name.last])
        {
            self.vocabulary.release(id, NameUse::Held);
        }
        self.count(&person, Tally::add);
        Some(self.put(key.id.as_str().into(), digest, person))
    }

    fn take(&mut self, slot: Slot) -> Option<Person> {
        let person = self.people.get_mut(slot as usize)?.take()?;
        let key = self.keys.get_mut(slot as usize).map(std::mem::take)?;
        let held = self
            .slots
            .find_entry(spread(key.digest as u32), |place| place.1 == slot);
        if let Ok(held) = held {
            held.remove();
        }
        self.free.push(slot);
        self.count(&person, Tally::remove);
        Some(person)
    }

    fn put(&mut self, id: Box<str>, digest: u128, person: Person) -> Slot {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.end(),
        };
        self.people.set(slot as usize, Some(person));
        self.keys.set(slot as usize, Key { id, digest });
        let short = digest as u32;
        self.slots
            .insert_unique(spread(short), (short, slot), |place| spread(place.0));
        slot
    }

    fn release_names(&mut self, person: &Person) {
        for name in person.names() {
            self.release_name(name);
        }
    }

    fn count(&mut self, person: &Person, change: fn(&mut Tally, u64)) {
        let tallies = &mut self.frequencies;
        person
            .ssn_key()
            .into_iter()
            .for_each(|ssn| change(&mut tallies.ssns, ssn));
        person
            .phones()
            .for_each(|phone| change(&mut tallies.phones, phone));
        person
            .dwellings()
            .for_each(|dwelling| change(&mut tallies.dwellings, dwelling));
        person
            .identifier_keys()
            .for_each(|value| change(&mut tallies.identifiers, value));
    }

    /// Numbers the names and the system of a record that is new.
    fn number(&mut self, prepared: Prepared) -> (Box<str>, u128, Person) {
        let system = self.system_number(prepared.system);
        let mut person = prepared.person;
        person.system = system;
        if prepared.household != 0 {
            person.household = mix::pair(u64::from(system) + 1, prepared.household);
        }
        let names = prepared.name.iter().chain(&prepared.other_names);
        self.add_names(&mut person, names);
        (prepared.id, prepared.digest, person)
    }

    /// Gives a person each name once, in order; names of nobody are left out.
    fn add_names<'n>(
        &mut self,
        person: &mut Person,
        spelt: impl Iterator<Item = &'n PreparedName>,
    ) {
        for name in spelt {
            let name = PersonName {
                first: self.vocabulary.acquire(&name.first, NameUse::Given),
                middle: self.vocabulary.acquire(&name.middle, NameUse::Given),
                last: self.vocabulary.acquire(&name.last, NameUse::Family),
            };
            if name == PersonName::default() || person.names().any(|known| *known == name) {
                self.release_name(&name);
            } else if person.name == PersonName::default() {
                person.name = name;
            } else {
                let extra = person.extra.get_or_insert_default();
                extra.names.push(name);
            }
        }
    }

    fn release_name(&mut self, name: &PersonName) {
        self.vocabulary.release(name.first, NameUse::Given);
        self.vocabulary.release(name.middle, NameUse::Given);
        self.vocabulary.release(name.last, NameUse::Family);
    }

    fn system_number(&mut self, system: PreparedSystem) -> u16 {
        let name = match system {
            PreparedSystem::Known(number) => return number,
            PreparedSystem::New(name) => name,
        };
        // Another record of the same moment may have brought it already.
        if let Some(number) = self.system_numbers.get(&name) {
            return *number;
        }
        let number = u16::try_from(self.systems.len()).unwrap_or(u16::MAX);
        self.systems.push(name.clone());
        self.system_numbers.insert(name, number);
        number
    }
}
