//! Groups of records that linking can serve unequally.

use jiff::civil::Date;

use crate::person::Person;
use crate::population::Population;
use crate::value::BirthDate;

/// Letters up to which a family name is short: romanised names often are, and a slip leaves little of them.
const SHORT: usize = 3;
/// Records up to which a family name is rare.
const RARE: u32 = 5;

/// What the family name is like. Nothing is concluded from it about anyone's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameGroup {
    Absent,
    SeveralWords,
    Short,
    Rare,
    Other,
}

impl NameGroup {
    pub(super) const ALL: [Self; 5] = [
        Self::Absent,
        Self::SeveralWords,
        Self::Short,
        Self::Rare,
        Self::Other,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Absent => "no family name",
            Self::SeveralWords => "family name of several words",
            Self::Short => "family name of up to three letters",
            Self::Rare => "family name of up to five records",
            Self::Other => "other family names",
        }
    }

    pub(super) fn of(population: &Population, person: &Person) -> Self {
        let name = population.vocabulary.entry(person.name.last);
        if name.joined.is_empty() {
            Self::Absent
        } else if name.words.len() > 1 {
            Self::SeveralWords
        } else if name.joined.chars().count() <= SHORT {
            Self::Short
        } else if population.vocabulary.holders(person.name.last) <= RARE {
            Self::Rare
        } else {
            Self::Other
        }
    }
}

/// Age in whole years at a date: small children often have no Social Security number, young people move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AgeBand {
    Unknown,
    To5,
    To17,
    To24,
    To64,
    Over,
}

impl AgeBand {
    pub(super) const ALL: [Self; 6] = [
        Self::To5,
        Self::To17,
        Self::To24,
        Self::To64,
        Self::Over,
        Self::Unknown,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Unknown => "no birth date",
            Self::To5 => "0 to 5",
            Self::To17 => "6 to 17",
            Self::To24 => "18 to 24",
            Self::To64 => "25 to 64",
            Self::Over => "65 and over",
        }
    }

    pub(super) fn of(birth: Option<BirthDate>, as_of: Date) -> Self {
        match birth.map(|birth| birth.age(as_of)) {
            None => Self::Unknown,
            Some(..=5) => Self::To5,
            Some(6..=17) => Self::To17,
            Some(18..=24) => Self::To24,
            Some(25..=64) => Self::To64,
            Some(65..) => Self::Over,
        }
    }
}
