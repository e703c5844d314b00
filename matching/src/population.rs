//! All records that are matched, as arrays of numbers, with the counts that term frequencies need.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::mix::{self, MixedMap, Tally};
use crate::nickname::Nicknames;
use crate::person::{Extra, Identifier, Person, PersonName};
use crate::record::{Name, Record, RecordKey};
use crate::value::{Place, Quality, generation, phone_digits, split_generation};
use crate::vocabulary::{NameUse, Vocabulary};

/// Place of a record in the arrays; freed places are used again.
pub(crate) type Slot = u32;

/// A record's place in the arrays, its key and a digest of the key that does not depend on order.
#[derive(Debug, Clone)]
struct Entry {
    id: Box<str>,
    digest: u128,
    person: Person,
}

/// How many records hold each value, beside the names that the vocabulary counts.
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
    entries: Vec<Option<Entry>>,
    free: Vec<Slot>,
    slots: MixedMap<u128, Slot>,
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

impl Population {
    pub(crate) fn new(nicknames: Nicknames) -> Self {
        Self {
            vocabulary: Vocabulary::new(nicknames),
            frequencies: Frequencies::default(),
            entries: Vec::new(),
            free: Vec::new(),
            slots: MixedMap::default(),
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
        Slot::try_from(self.entries.len()).unwrap_or(Slot::MAX)
    }

    pub(crate) fn slot(&self, key: &RecordKey) -> Option<Slot> {
        self.slots.get(&key_digest(key)).copied()
    }

    pub(crate) fn slot_of(&self, digest: u128) -> Option<Slot> {
        self.slots.get(&digest).copied()
    }

    fn entry(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot as usize)?.as_ref()
    }

    pub(crate) fn person(&self, slot: Slot) -> Option<&Person> {
        self.entry(slot).map(|entry| &entry.person)
    }

    /// The digest of the record's key; orders records independently of arrival.
    pub(crate) fn digest(&self, slot: Slot) -> u128 {
        self.entry(slot).map_or(0, |entry| entry.digest)
    }

    /// System and id of the record.
    pub(crate) fn key_parts(&self, slot: Slot) -> Option<(&str, &str)> {
        let entry = self.entry(slot)?;
        let system = self.systems.get(usize::from(entry.person.system))?;
        Some((system, &entry.id))
    }

    pub(crate) fn key(&self, slot: Slot) -> Option<RecordKey> {
        self.key_parts(slot)
            .map(|(system, id)| RecordKey::new(system, id))
    }

    /// Adds a record; `None` when its key is there already.
    pub(crate) fn insert(&mut self, record: &Record) -> Option<Slot> {
        if self.slot(&record.key).is_some() {
            return None;
        }
        let person = self.normalise(record);
        self.put(&record.key, person)
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
        self.put(key, person)
    }

    fn take(&mut self, slot: Slot) -> Option<Person> {
        let entry = self.entries.get_mut(slot as usize)?.take()?;
        self.slots.remove(&entry.digest);
        self.free.push(slot);
        self.count(&entry.person, Tally::remove);
        Some(entry.person)
    }

    fn put(&mut self, key: &RecordKey, person: Person) -> Option<Slot> {
        let digest = key_digest(key);
        if self.slots.contains_key(&digest) {
            return None;
        }
        self.count(&person, Tally::add);
        let entry = Some(Entry {
            id: key.id.as_str().into(),
            digest,
            person,
        });
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.end(),
        };
        match self.entries.get_mut(slot as usize) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        self.slots.insert(digest, slot);
        Some(slot)
    }

    fn release_names(&mut self, person: &Person) {
        for name in person.names() {
            self.vocabulary.release(name.first, NameUse::Given);
            self.vocabulary.release(name.middle, NameUse::Given);
            self.vocabulary.release(name.last, NameUse::Family);
        }
    }

    fn count(&mut self, person: &Person, change: fn(&mut Tally, u64)) {
        if let Some(ssn) = person.ssn.whole() {
            change(&mut self.frequencies.ssns, mix::word(u64::from(ssn)));
        }
        for phone in person.phones() {
            change(&mut self.frequencies.phones, phone);
        }
        for place in person.places().filter(|place| place.dwelling != 0) {
            change(&mut self.frequencies.dwellings, place.dwelling);
        }
        for identifier in person.identifiers() {
            change(&mut self.frequencies.identifiers, identifier.value);
        }
    }

    fn normalise(&mut self, record: &Record) -> Person {
        let system = self.system_number(&record.key.system);
        let mut generation = record.suffix.as_deref().and_then(generation);
        let mut names = self.names(record, &mut generation).into_iter();
        let mut phones = distinct(record.phones.iter().filter_map(|text| phone_digits(text)))
            .into_iter()
            .map(mix::word);
        let places = record.addresses.iter().map(Place::of);
        let mut places = distinct(places.filter(|place| *place != Place::default())).into_iter();
        let identifiers = record.identifiers.iter();
        let mut identifiers = identifiers.filter_map(|(kind, value)| Identifier::new(kind, value));
        let ssn = record
            .ssn
            .filter(|_| record.ssn_quality != Quality::Unusable);
        let household = record
            .household
            .as_deref()
            .map(str::trim)
            .filter(|id| !id.is_empty());
        Person {
            system,
            generation: generation.unwrap_or(0),
            sex: record.sex,
            relationship: record.relationship,
            name_quality: record.name_quality,
            ssn_quality: record.ssn_quality,
            name: names.next().unwrap_or_default(),
            birth_date: record
                .birth_date
                .filter(|date| date.quality() != Quality::Unusable),
            ssn: ssn.unwrap_or_default(),
            phone: phones.next().unwrap_or(0),
            place: places.next().unwrap_or_default(),
            identifier: identifiers.next(),
            household: household.map_or(0, |id| mix::pair(u64::from(system) + 1, mix::text(id))),
            extra: boxed(Extra {
                names: names.collect(),
                phones: phones.collect(),
                places: places.collect(),
                identifiers: identifiers.collect(),
            }),
        }
    }

    fn names(&mut self, record: &Record, suffix: &mut Option<u8>) -> Vec<PersonName> {
        if record.name_quality == Quality::Unusable {
            return Vec::new();
        }
        let mut names: Vec<PersonName> = Vec::with_capacity(record.names.len());
        for name in &record.names {
            let name = self.name(name, suffix);
            if name != PersonName::default() && !names.contains(&name) {
                names.push(name);
            } else {
                self.vocabulary.release(name.first, NameUse::Given);
                self.vocabulary.release(name.middle, NameUse::Given);
                self.vocabulary.release(name.last, NameUse::Family);
            }
        }
        names
    }

    fn name(&mut self, name: &Name, suffix: &mut Option<u8>) -> PersonName {
        let (last, found) = split_generation(&name.last);
        *suffix = suffix.or(found);
        PersonName {
            first: self.vocabulary.acquire(&name.first, NameUse::Given),
            middle: self.vocabulary.acquire(&name.middle, NameUse::Given),
            last: self.vocabulary.acquire(last, NameUse::Family),
        }
    }

    fn system_number(&mut self, system: &str) -> u16 {
        if let Some(number) = self.system_numbers.get(system) {
            return *number;
        }
        let number = u16::try_from(self.systems.len()).unwrap_or(u16::MAX);
        self.systems.push(system.into());
        self.system_numbers.insert(system.into(), number);
        number
    }
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

fn boxed(extra: Extra) -> Option<Box<Extra>> {
    (!extra.is_empty()).then(|| Box::new(extra))
}
