//! A record with everything done that needs no other record: several threads can do it at once.

use crate::mix;
use crate::person::{Extra, Identifier, Person, PersonName};
use crate::population::key_digest;
use crate::record::{Name, Record};
use crate::value::{Place, Quality, generation, phone_digits, split_generation};
use crate::vocabulary::{Spelt, Vocabulary};

/// A record that waits for its names and its system to be numbered.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) system: PreparedSystem,
    pub(crate) id: Box<str>,
    pub(crate) digest: u128,
    /// The names, generational suffixes taken off, none when the source calls them fillers.
    pub(crate) name: Option<PreparedName>,
    pub(crate) other_names: Vec<PreparedName>,
    /// The rest; system, names and household are still to be numbered.
    pub(crate) person: Person,
    /// Key of the household's id; 0 when there is none.
    pub(crate) household: u64,
}

/// A system that was looked up.
#[derive(Debug)]
pub(crate) enum PreparedSystem {
    /// It has this number.
    Known(u16),
    /// No record of it is there yet.
    New(Box<str>),
}

/// A name, its parts looked up.
#[derive(Debug)]
pub(crate) struct PreparedName {
    pub(crate) first: Spelt,
    pub(crate) middle: Spelt,
    pub(crate) last: Spelt,
}

impl Prepared {
    /// The record as it is put into the population of this vocabulary; no name may be forgotten until then.
    pub(crate) fn of(record: &Record, system: PreparedSystem, vocabulary: &Vocabulary) -> Self {
        let mut generation = record.suffix.as_deref().and_then(generation);
        let mut names = match record.name_quality {
            Quality::Unusable => [].iter(),
            _ => record.names.iter(),
        }
        .map(|name| prepare_name(name, vocabulary, &mut generation));
        let (name, other_names) = (names.next(), names.collect());
        let household = record.household.as_deref().map(str::trim);
        let household = household.filter(|id| !id.is_empty()).map_or(0, mix::text);
        let phones = record.phones.iter().filter_map(|text| phone_digits(text));
        let (phone, phones) = distinct(phones.map(mix::word));
        let places = record.addresses.iter().map(Place::of);
        let (place, places) = distinct(places.filter(|place| *place != Place::default()));
        let identifiers = record.identifiers.iter();
        let mut identifiers = identifiers.filter_map(|(kind, value)| Identifier::new(kind, value));
        let is_usable = record.ssn_quality != Quality::Unusable;
        let person = Person {
            system: 0,
            generation: generation.unwrap_or(0),
            sex: record.sex,
            relationship: record.relationship,
            name_quality: record.name_quality,
            ssn_quality: record.ssn_quality,
            name: PersonName::default(),
            birth_date: record
                .birth_date
                .filter(|date| date.quality() != Quality::Unusable),
            ssn: record.ssn.filter(|_| is_usable).unwrap_or_default(),
            phone: phone.unwrap_or(0),
            place: place.unwrap_or_default(),
            identifier: identifiers.next(),
            household: 0,
            extra: boxed(Extra {
                names: Vec::new(),
                phones,
                places,
                identifiers: identifiers.collect(),
            }),
        };
        Self {
            digest: key_digest(&record.key),
            system,
            id: record.key.id.as_str().into(),
            name,
            other_names,
            person,
            household,
        }
    }
}

/// The name without a suffix that stands in the family name; the first suffix found counts.
fn prepare_name(name: &Name, vocabulary: &Vocabulary, generation: &mut Option<u8>) -> PreparedName {
    let (last, found) = split_generation(&name.last);
    *generation = generation.or(found);
    PreparedName {
        first: vocabulary.find(&name.first),
        middle: vocabulary.find(&name.middle),
        last: vocabulary.find(last),
    }
}

/// The first value, and the others that differ.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> (Option<T>, Vec<T>) {
    let (mut first, mut others) = (None, Vec::new());
    for value in values {
        if first.is_none() {
            first = Some(value);
        } else if first.as_ref() != Some(&value) && !others.contains(&value) {
            others.push(value);
        }
    }
    (first, others)
}

/// Further values; `None` where there are none.
pub(crate) fn boxed(extra: Extra) -> Option<Box<Extra>> {
    (!extra.is_empty()).then(|| Box::new(extra))
}
