//! Blocking keys: 64-bit mixes of a few fields. Records that share a key are compared.
//!
//! Each scheme survives another kind of error, so that a pair which fails one is reached by the next:
//!
//! | scheme | survives |
//! |---|---|
//! | whole SSN; shared identifier | any change of name, address and birth date |
//! | last four of the SSN + given name | a wrong digit before them; partial numbers |
//! | last four + birth date | changed names |
//! | birth date + initial | changed family name; day and month swapped |
//! | birth date + sound of any word of the name | changed given name, double surnames, swapped and misspelt names |
//! | birth date + ZIP code | both names changed or swapped and misspelt |
//! | given name + family-name word, in either order | wrong birth date, swapped names, moved house |
//! | sounds of both names + birth year | misspelt names, wrong day or month |
//! | telephone + initial; address + initial | changed name, wrong birth date |
//! | street + given name (small blocks only) | wrong house number, changed family name |
//! | ZIP code + sound of a family-name word (small blocks only) | misspelt names without a birth date |

use crate::mix;
use crate::person::Person;
use crate::population::Population;
use crate::value::BirthDate;
use crate::vocabulary::NameEntry;

/// The kinds of keys; the number is mixed into the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Scheme {
    Ssn = 1,
    Identifier,
    SsnEndGiven,
    SsnEndBirth,
    BirthInitial,
    BirthSound,
    BirthZip,
    GivenFamily,
    SoundsYear,
    PhoneInitial,
    AddressInitial,
    StreetGiven,
    ZipSound,
}

/// The bit by which keys of small blocks differ from the others.
const SMALL: u64 = 1;
/// Where a key tells its kind: away from the lowest and the highest bits, by which maps part the keys.
const SCHEME_SHIFT: u32 = 44;
const SCHEME_MASK: u64 = 0x1F;

/// All kinds, in the order of their numbers, with how they are named to people.
const SCHEMES: [(Scheme, &str); 13] = [
    (Scheme::Ssn, "SSN"),
    (Scheme::Identifier, "shared identifier"),
    (Scheme::SsnEndGiven, "last four of SSN, given name"),
    (Scheme::SsnEndBirth, "last four of SSN, birth date"),
    (Scheme::BirthInitial, "birth date, initial"),
    (Scheme::BirthSound, "birth date, sound of a name"),
    (Scheme::BirthZip, "birth date, ZIP code"),
    (Scheme::GivenFamily, "given and family name"),
    (Scheme::SoundsYear, "sounds of both names, birth year"),
    (Scheme::PhoneInitial, "telephone, initial"),
    (Scheme::AddressInitial, "address, initial"),
    (Scheme::StreetGiven, "street, given name"),
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
    for (scheme, _) in SCHEMES {
        scheme.append(population, person, keys);
    }
    keys.sort_unstable();
    keys.dedup();
}

/// All kinds of keys.
pub(super) fn schemes() -> impl Iterator<Item = Scheme> {
    SCHEMES.into_iter().map(|(scheme, _)| scheme)
}

impl Scheme {
    /// Appends the keys of this kind; one that follows from two names of the person may come twice.
    pub(super) fn append(self, population: &Population, person: &Person, keys: &mut Vec<u64>) {
        match self {
            Self::Ssn | Self::SsnEndGiven | Self::SsnEndBirth => {
                self.append_ssn(population, person, keys);
            }
            Self::Identifier => {
                let values = person.identifiers().map(|identifier| identifier.value);
                keys.extend(values.map(|value| self.key(value, 0)));
            }
            Self::BirthInitial | Self::BirthSound | Self::BirthZip => {
                self.append_birth(population, person, keys);
            }
            Self::GivenFamily | Self::SoundsYear => self.append_names(population, person, keys),
            Self::PhoneInitial | Self::AddressInitial | Self::StreetGiven | Self::ZipSound => {
                self.append_contact(population, person, keys);
            }
        }
    }

    fn append_ssn(self, population: &Population, person: &Person, keys: &mut Vec<u64>) {
        if self == Self::Ssn {
            let whole = person.ssn.whole().map(u64::from);
            return keys.extend(whole.map(|ssn| self.key(ssn, 0)));
        }
        let Some(number) = person.ssn.last_four().map(u64::from) else {
            return;
        };
        if self == Self::SsnEndBirth {
            let birth = person.birth_date.map(birth_key);
            return keys.extend(birth.map(|birth| self.key(number, birth)));
        }
        let given = given_names(population, person).map(|name| name.canonical);
        keys.extend(given.map(|given| self.key(number, given)));
    }

    fn append_birth(self, population: &Population, person: &Person, keys: &mut Vec<u64>) {
        let birth = person.birth_date.filter(|date| date.is_exact());
        let Some(birth) = birth.map(birth_key) else {
            return;
        };
        match self {
            Self::BirthInitial => {
                let names = given_names(population, person);
                keys.extend(names.map(|name| self.key(birth, initial(name))));
            }
            Self::BirthZip => keys.extend(zips(person).map(|zip| self.key(birth, zip))),
            _ => {
                let names = family_names(population, person).chain(given_names(population, person));
                let sounds = names.flat_map(|name| &name.sounds);
                keys.extend(sounds.map(|sound| self.key(birth, *sound)));
            }
        }
    }

    fn append_names(self, population: &Population, person: &Person, keys: &mut Vec<u64>) {
        let year = person
            .birth_date
            .map(|date| u64::from(date.year().unsigned_abs()));
        for name in person.names() {
            let first = population.vocabulary.entry(name.first);
            let last = population.vocabulary.entry(name.last);
            if let (Self::SoundsYear, Some(year), Some(given)) = (self, year, first.sounds.first())
            {
                keys.extend(
                    last.sounds
                        .iter()
                        .map(|sound| self.key(given ^ sound, year)),
                );
            }
            if self == Self::GivenFamily && !name.first.is_none() {
                // A given name in the family-name field has no nickname resolved: block by it as it stands, too.
                for given in std::iter::once(&first.canonical).chain(first.words.first()) {
                    keys.extend(last.words.iter().map(|word| self.key(given ^ word, 0)));
                }
            }
        }
    }

    fn append_contact(self, population: &Population, person: &Person, keys: &mut Vec<u64>) {
        for name in person.names() {
            let first = population.vocabulary.entry(name.first);
            let last = population.vocabulary.entry(name.last);
            let initial = (!name.first.is_none()).then(|| initial(first));
            let sounds = last.sounds.iter();
            match (self, initial) {
                (Self::PhoneInitial, Some(initial)) => {
                    keys.extend(person.phones().map(|phone| self.key(phone, initial)));
                }
                (Self::AddressInitial, Some(initial)) => {
                    keys.extend(buildings(person).map(|place| self.key(place, initial)));
                }
                (Self::StreetGiven, Some(_)) => {
                    keys.extend(
                        streets(person).map(|street| self.small_key(street, first.canonical)),
                    );
                }
                (Self::ZipSound, _) => {
                    for sound in sounds {
                        keys.extend(zips(person).map(|zip| self.small_key(zip, *sound)));
                    }
                }
                _ => {}
            }
        }
    }
}

fn given_names<'a>(
    population: &'a Population,
    person: &'a Person,
) -> impl Iterator<Item = &'a NameEntry> {
    let known = person.names().filter(|name| !name.first.is_none());
    known.map(|name| population.vocabulary.entry(name.first))
}

fn family_names<'a>(
    population: &'a Population,
    person: &'a Person,
) -> impl Iterator<Item = &'a NameEntry> {
    person
        .names()
        .map(|name| population.vocabulary.entry(name.last))
}

fn initial(name: &NameEntry) -> u64 {
    u64::from(u32::from(name.initial))
}

fn buildings(person: &Person) -> impl Iterator<Item = u64> {
    let buildings = person.places().map(|place| place.building);
    buildings.filter(|building| *building != 0)
}

fn streets(person: &Person) -> impl Iterator<Item = u64> {
    let streets = person.places().map(|place| u64::from(place.street));
    streets.filter(|street| *street != 0)
}

fn zips(person: &Person) -> impl Iterator<Item = u64> {
    let zips = person.places().map(|place| u64::from(place.zip));
    zips.filter(|zip| *zip != 0)
}

/// A birth date without the order of day and month.
pub(super) fn birth_key(date: BirthDate) -> u64 {
    let (year, month, day) = date.parts();
    let (low, high) = (month.min(day), month.max(day));
    u64::from(year.unsigned_abs()) << 16 | u64::from(low) << 8 | u64::from(high)
}
