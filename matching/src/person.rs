//! A record as numbers: what every comparison reads.

use crate::mix;
use crate::value::{BirthDate, Place, Quality, Relationship, Sex, Ssn};
use crate::vocabulary::NameId;

/// One name as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PersonName {
    pub(crate) first: NameId,
    pub(crate) middle: NameId,
    pub(crate) last: NameId,
}

/// An identifier that several systems share: its kind and its value, mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identifier {
    pub(crate) kind: u64,
    pub(crate) value: u64,
    /// The characters, six bits each, the last one lowest; 0 when there are more than ten or
    /// others than letters and digits of ASCII.
    packed: u64,
}

const PACKED: usize = 10;

impl Identifier {
    /// Letters and digits of the value count, in upper case; `None` when there are none.
    pub(crate) fn new(kind: &str, value: &str) -> Option<Self> {
        let symbols = value.chars().filter(|symbol| symbol.is_alphanumeric());
        let plain: String = symbols.flat_map(char::to_uppercase).collect();
        let is_unset = plain.chars().all(|symbol| symbol == '0');
        if is_unset {
            return None;
        }
        let kind = mix::text(&kind.to_lowercase());
        Some(Self {
            kind,
            value: mix::pair(kind, mix::text(&plain)),
            packed: pack(&plain),
        })
    }

    /// Whether one character differs, or two neighbouring ones have changed places.
    pub(crate) fn is_near(self, other: Self) -> bool {
        if self.packed == 0 || other.packed == 0 || self.kind != other.kind {
            return false;
        }
        let symbol = |packed: u64, place: usize| packed >> (place * 6) & 0x3F;
        let mut differing =
            (0..PACKED).filter(|place| symbol(self.packed, *place) != symbol(other.packed, *place));
        match (differing.next(), differing.next(), differing.next()) {
            (Some(_), None, None) => true,
            (Some(first), Some(second), None) => {
                second == first + 1
                    && symbol(self.packed, first) == symbol(other.packed, second)
                    && symbol(self.packed, second) == symbol(other.packed, first)
            }
            _ => false,
        }
    }
}

fn pack(plain: &str) -> u64 {
    if plain.len() > PACKED {
        return 0;
    }
    let mut packed = 0;
    for byte in plain.bytes() {
        let symbol = match byte {
            b'0'..=b'9' => byte - b'0' + 1,
            b'A'..=b'Z' => byte - b'A' + 11,
            _ => return 0,
        };
        packed = packed << 6 | u64::from(symbol);
    }
    packed
}

/// Values beyond the first of a kind; few records have any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extra {
    pub(crate) names: Vec<PersonName>,
    pub(crate) phones: Vec<u64>,
    pub(crate) places: Vec<Place>,
    pub(crate) identifiers: Vec<Identifier>,
}

impl Extra {
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
            && self.phones.is_empty()
            && self.places.is_empty()
            && self.identifiers.is_empty()
    }
}

/// A record as numbers. Zero and `None` stand for unknown.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) system: u16,
    pub(crate) generation: u8,
    pub(crate) sex: Sex,
    pub(crate) relationship: Option<Relationship>,
    pub(crate) name_quality: Quality,
    pub(crate) ssn_quality: Quality,
    pub(crate) name: PersonName,
    pub(crate) birth_date: Option<BirthDate>,
    pub(crate) ssn: Ssn,
    pub(crate) phone: u64,
    pub(crate) place: Place,
    pub(crate) identifier: Option<Identifier>,
    pub(crate) household: u64,
    pub(crate) extra: Option<Box<Extra>>,
}

impl Person {
    /// All names, the current one first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &PersonName> {
        let extra = self.extra.iter().flat_map(|extra| &extra.names);
        std::iter::once(&self.name).chain(extra)
    }

    /// All telephone numbers.
    pub(crate) fn phones(&self) -> impl Iterator<Item = u64> {
        let extra = self
            .extra
            .iter()
            .flat_map(|extra| extra.phones.iter().copied());
        std::iter::once(self.phone)
            .filter(|phone| *phone != 0)
            .chain(extra)
    }

    /// Key of the whole Social Security number.
    pub(crate) fn ssn_key(&self) -> Option<u64> {
        self.ssn.whole().map(|ssn| mix::word(u64::from(ssn)))
    }

    /// Keys of all dwellings.
    pub(crate) fn dwellings(&self) -> impl Iterator<Item = u64> {
        let dwellings = self.places().map(|place| place.dwelling);
        dwellings.filter(|dwelling| *dwelling != 0)
    }

    /// Keys of all shared identifiers.
    pub(crate) fn identifier_keys(&self) -> impl Iterator<Item = u64> {
        self.identifiers().map(|identifier| identifier.value)
    }

    /// All places.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        let extra = self.extra.iter().flat_map(|extra| &extra.places);
        std::iter::once(&self.place).chain(extra)
    }

    /// All shared identifiers.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &Identifier> {
        let extra = self.extra.iter().flat_map(|extra| &extra.identifiers);
        self.identifier.iter().chain(extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cin(value: &str) -> Identifier {
        Identifier::new("cin", value).unwrap()
    }

    #[test]
    fn slip_of_one_character_is_near() {
        assert!(cin("91234568B").is_near(cin("91234568C")));
        assert!(cin("91234568B").is_near(cin("91324568B")));
        assert!(!cin("91234568B").is_near(cin("91234568B")));
        assert!(!cin("91234568B").is_near(cin("91243586B")));
        assert!(!cin("91234568B").is_near(Identifier::new("meds", "91234568C").unwrap()));
        assert!(
            !cin("1234567890123").is_near(cin("1234567890124")),
            "too long to tell"
        );
    }

    #[test]
    fn blank_and_zero_identifiers_are_none() {
        assert_eq!(Identifier::new("cin", "000-000"), None);
        assert_eq!(Identifier::new("cin", " - "), None);
    }
}
