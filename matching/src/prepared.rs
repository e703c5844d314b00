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
    pub(crate) system: Box<str>,
    pub(crate) id: Box<str>,
    pub(crate) digest: u128,
    /// The names, generational suffixes taken off, none when the source calls them fillers.
    pub(crate) names: Vec<PreparedName>,
    /// The rest; system, names and household are still to be numbered.
    pub(crate) person: Person,
    /// Key of the household's id; 0 when there is none.
    pub(crate) household: u64,
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
    pub(crate) fn of(record: Record, vocabulary: &Vocabulary) -> Self {
        let mut generation = record.suffix.as_deref().and_then(generation);
        let names = match record.name_quality {
            Quality::Unusable => Vec::new(),
            _ => names(&record.names, vocabulary, &mut generation),
        };
        let household = record.household.as_deref().map(str::trim);
        let household = household.filter(|id| !id.is_empty()).map_or(0, mix::text);
        let mut phones = distinct(record.phones.iter().filter_map(|text| phone_digits(text)))
            .into_iter()
            .map(mix::word);
        let places = record.addresses.iter().map(Place::of);
        let mut places = distinct(places.filter(|place| *place != Place::default())).into_iter();
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
            phone: phones.next().unwrap_or(0),
            place: places.next().unwrap_or_default(),
            identifier: identifiers.next(),
            household: 0,
            extra: boxed(Extra {
                names: Vec::new(),
                phones: phones.collect(),
                places: places.collect(),
                identifiers: identifiers.collect(),
            }),
        };
        Self {
            digest: key_digest(&record.key),
            system: record.key.system.into(),
            id: record.key.id.into(),
            names,
            person,
            household,
        }
    }
}

/// The names without the suffixes that stand in family names; the first suffix found counts.
fn names(
    names: &[Name],
    vocabulary: &Vocabulary,
    generation: &mut Option<u8>,
) -> Vec<PreparedName> {
    let prepared = names.iter().map(|name| {
        let (last, found) = split_generation(&name.last);
        *generation = generation.or(found);
        PreparedName {
            first: vocabulary.find(&name.first),
            middle: vocabulary.find(&name.middle),
            last: vocabulary.find(last),
        }
    });
    prepared.collect()
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

/// Further values; `None` where there are none.
pub(crate) fn boxed(extra: Extra) -> Option<Box<Extra>> {
    (!extra.is_empty()).then(|| Box::new(extra))
}
