//! Blocking keys: 64-bit mixes of a few fields. Records that share a key are compared.
//!
//! Each scheme survives another kind of error, so that a pair which fails one is reached by the next:
//!
//! | scheme | survives |
//! |---|---|
//! | whole SSN; shared identifier | any change of name, address and birth date |
//! | first five or last four of the SSN + given name | a wrong digit in the other part; partial numbers |
//! | last four + birth date | changed names |
//! | birth date + initial | changed family name; day and month swapped |
//! | birth date + sound of a family-name word | changed given name, double surnames |
//! | birth date + ZIP code | both names changed or swapped and misspelt |
//! | given name + family-name word, in either order | wrong birth date, swapped names, moved house |
//! | sounds of both names + birth year | misspelt names, wrong day or month |
//! | telephone + initial; address + initial | changed name, wrong birth date |
//! | address, or ZIP code, + sound of any word of the name (small blocks only) | swapped or misspelt names without a birth date |

use crate::mix;
use crate::person::{Person, PersonName};
use crate::population::Population;
use crate::value::BirthDate;

/// The kinds of keys; the number is mixed into the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Scheme {
    Ssn = 1,
    Identifier,
    SsnStartGiven,
    SsnEndGiven,
    SsnEndBirth,
    BirthInitial,
    BirthFamilySound,
    BirthZip,
    GivenFamily,
    SoundsYear,
    PhoneInitial,
    AddressInitial,
    AddressSound,
    ZipSound,
}

/// The bit by which keys of small blocks differ from the others.
const SMALL: u64 = 1;
/// Where a key tells its kind: away from the lowest and the highest bits, by which maps and shares part the keys.
const SCHEME_SHIFT: u32 = 44;
const SCHEME_MASK: u64 = 0x1F;

/// All kinds, in the order of their numbers, with how they are named to people.
const SCHEMES: [(Scheme, &str); 14] = [
    (Scheme::Ssn, "SSN"),
    (Scheme::Identifier, "shared identifier"),
    (Scheme::SsnStartGiven, "first five of SSN, given name"),
    (Scheme::SsnEndGiven, "last four of SSN, given name"),
    (Scheme::SsnEndBirth, "last four of SSN, birth date"),
    (Scheme::BirthInitial, "birth date, initial"),
    (Scheme::BirthFamilySound, "birth date, sound of family name"),
    (Scheme::BirthZip, "birth date, ZIP code"),
    (Scheme::GivenFamily, "given and family name"),
    (Scheme::SoundsYear, "sounds of both names, birth year"),
    (Scheme::PhoneInitial, "telephone, initial"),
    (Scheme::AddressInitial, "address, initial"),
    (Scheme::AddressSound, "address, sound of a name"),
    (Scheme::ZipSound, "ZIP code, sound of a name"),
];

impl Scheme {
    fn key(self, first: u64, second: u64) -> u64 {
        self.mixed(first, second) & !SMALL
    }

    /// A key that counts only while few records share it: it reaches pairs that nothing else does, and would bring
    /// together half a town where many live.
    fn small_key(self, first: u64, second: u64) -> u64 {
        self.mixed(first, second) | SMALL
    }

    fn mixed(self, first: u64, second: u64) -> u64 {
        let mixed = mix::pair(mix::pair(mix::word(self as u64), first), second);
        (mixed & !(SCHEME_MASK << SCHEME_SHIFT)) | (self as u64) << SCHEME_SHIFT
    }
}

/// Number of the kind of a key, from 1.
pub(super) fn scheme_number(key: u64) -> usize {
    (key >> SCHEME_SHIFT & SCHEME_MASK) as usize
}

/// The kinds of keys by number and name.
pub(super) fn scheme_labels() -> impl Iterator<Item = (usize, &'static str)> {
    SCHEMES
        .iter()
        .map(|(scheme, label)| (*scheme as usize, *label))
}

/// Name of the kind of a key.
pub(super) fn scheme_label(key: u64) -> &'static str {
    let number = scheme_number(key);
    scheme_labels()
        .find(|(other, _)| *other == number)
        .map_or("another key", |(_, label)| label)
}

/// Whether a block of this key counts only while it is small.
pub(super) fn is_small(key: u64) -> bool {
    key & SMALL != 0
}

/// Appends every key of a person, each once.
pub(crate) fn keys(population: &Population, person: &Person, keys: &mut Vec<u64>) {
    keys.clear();
    number_keys(population, person, keys);
    let birth = person
        .birth_date
        .filter(|date| date.is_exact())
        .map(birth_key);
    if let Some(birth) = birth {
        let zips = person
            .places()
            .map(|place| place.zip)
            .filter(|zip| *zip != 0);
        keys.extend(zips.map(|zip| Scheme::BirthZip.key(birth, u64::from(zip))));
    }
    for name in person.names() {
        name_keys(population, person, name, birth, keys);
    }
    keys.sort_unstable();
    keys.dedup();
}

fn number_keys(population: &Population, person: &Person, keys: &mut Vec<u64>) {
    if let Some(ssn) = person.ssn.whole() {
        keys.push(Scheme::Ssn.key(u64::from(ssn), 0));
    }
    for identifier in person.identifiers() {
        keys.push(Scheme::Identifier.key(identifier.value, 0));
    }
    let Some(last_four) = person.ssn.last_four() else {
        return;
    };
    if let Some(birth) = person.birth_date {
        keys.push(Scheme::SsnEndBirth.key(u64::from(last_four), birth_key(birth)));
    }
    for name in person.names().filter(|name| !name.first.is_none()) {
        let given = population.vocabulary.entry(name.first).canonical;
        keys.push(Scheme::SsnEndGiven.key(u64::from(last_four), given));
        if let Some(ssn) = person.ssn.whole() {
            keys.push(Scheme::SsnStartGiven.key(u64::from(ssn / 10_000), given));
        }
    }
}

fn name_keys(
    population: &Population,
    person: &Person,
    name: &PersonName,
    birth: Option<u64>,
    keys: &mut Vec<u64>,
) {
    let first = population.vocabulary.entry(name.first);
    let last = population.vocabulary.entry(name.last);
    if !name.first.is_none() {
        let initial = u64::from(u32::from(first.initial));
        keys.extend(birth.map(|birth| Scheme::BirthInitial.key(birth, initial)));
        keys.extend(
            person
                .phones()
                .map(|phone| Scheme::PhoneInitial.key(phone, initial)),
        );
        let buildings = person.places().filter(|place| place.building != 0);
        keys.extend(buildings.map(|place| Scheme::AddressInitial.key(place.building, initial)));
    }
    for sound in &last.sounds {
        keys.extend(birth.map(|birth| Scheme::BirthFamilySound.key(birth, *sound)));
        let zips = person.places().filter(|place| place.zip != 0);
        keys.extend(zips.map(|place| Scheme::ZipSound.small_key(u64::from(place.zip), *sound)));
    }
    for sound in last.sounds.iter().chain(&first.sounds) {
        let buildings = person.places().filter(|place| place.building != 0);
        keys.extend(buildings.map(|place| Scheme::AddressSound.small_key(place.building, *sound)));
    }
    for word in last.words.iter().filter(|_| !name.first.is_none()) {
        keys.push(Scheme::GivenFamily.key(first.canonical ^ *word, 0));
        // A given name in the family-name field has no nickname resolved: block by it as it stands.
        keys.extend(
            first
                .words
                .first()
                .map(|given| Scheme::GivenFamily.key(given ^ word, 0)),
        );
    }
    let Some(year) = person.birth_date.map(BirthDate::year) else {
        return;
    };
    for sound in &last.sounds {
        if let Some(given) = first.sounds.first() {
            let year = u64::from(year.unsigned_abs());
            keys.push(Scheme::SoundsYear.key(given ^ sound, year));
        }
    }
}

/// A birth date without the order of day and month.
pub(super) fn birth_key(date: BirthDate) -> u64 {
    let (year, month, day) = date.parts();
    let (low, high) = (month.min(day), month.max(day));
    u64::from(year.unsigned_abs()) << 16 | u64::from(low) << 8 | u64::from(high)
}
