//! Street addresses.

use std::fmt;

use crate::mix;
use crate::text;

/// A street address as a source writes it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// House number, street and unit.
    pub street: String,
    /// City.
    pub city: String,
    /// State, as two letters.
    pub state: String,
    /// ZIP code, five or nine digits.
    pub zip: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address(redacted)")
    }
}

/// An address reduced to keys; 0 stands for unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// House number, street, unit and ZIP code (or city).
    pub(crate) dwelling: u64,
    /// House number and street alone.
    pub(crate) building: u64,
    /// House number and ZIP code: survives a misspelt street.
    pub(crate) door: u32,
    /// Street without house number and unit.
    pub(crate) street: u32,
    /// City.
    pub(crate) city: u32,
    /// ZIP code.
    pub(crate) zip: u32,
}

impl Place {
    /// Whether both are in one street of one town.
    pub(crate) fn is_same_street(&self, other: &Self) -> bool {
        let is_same_town = self.zip == other.zip || self.city == other.city;
        self.street != 0 && self.street == other.street && is_same_town
    }
}

/// Abbreviations of the United States Postal Service (Publication 28, appendix C) that differ
/// most often between systems, and the directions.
const ABBREVIATIONS: [(&str, &str); 21] = [
    ("STREET", "ST"),
    ("AVENUE", "AVE"),
    ("AV", "AVE"),
    ("BOULEVARD", "BLVD"),
    ("ROAD", "RD"),
    ("DRIVE", "DR"),
    ("LANE", "LN"),
    ("COURT", "CT"),
    ("PLACE", "PL"),
    ("CIRCLE", "CIR"),
    ("TERRACE", "TER"),
    ("HIGHWAY", "HWY"),
    ("PARKWAY", "PKWY"),
    ("SQUARE", "SQ"),
    ("TRAIL", "TRL"),
    ("NORTH", "N"),
    ("SOUTH", "S"),
    ("EAST", "E"),
    ("WEST", "W"),
    ("MOUNT", "MT"),
    ("SAINT", "ST"),
];

fn is_unit_word(word: &str) -> bool {
    matches!(
        word,
        "APT" | "APARTMENT" | "UNIT" | "STE" | "SUITE" | "RM" | "ROOM" | "SPC" | "SPACE"
    )
}

fn is_placeholder(street: &str) -> bool {
    matches!(
        street,
        "HOMELESS"
            | "UNKNOWN"
            | "NONE"
            | "NO ADDRESS"
            | "TRANSIENT"
            | "GENERAL DELIVERY"
            | "NO FIXED ADDRESS"
            | "REFUSED"
            | "CONFIDENTIAL"
    )
}

impl Place {
    /// Reduces an address; unknown, homeless and confidential addresses give an empty place.
    pub(crate) fn of(address: &Address) -> Self {
        let zip = zip_number(&address.zip);
        let plain = text::plain(&address.street);
        let plain = plain.trim();
        if plain.is_empty() || is_placeholder(plain) {
            return Self {
                zip,
                ..Self::default()
            };
        }
        let line = Line::of(plain);
        if line.number == 0 && line.street == 0 {
            return Self {
                zip,
                ..Self::default()
            };
        }
        let city = mix::text(text::plain(&address.city).trim());
        let town = if zip == 0 { city } else { u64::from(zip) };
        let building = mix::pair(line.number, line.street);
        Self {
            dwelling: mix::pair(mix::pair(building, line.unit), town),
            building,
            door: door(plain, zip),
            street: line.street as u32,
            city: city as u32,
            zip,
        }
    }
}

/// The parts of a line of an address as keys; 0 where there is none.
#[derive(Default)]
struct Line {
    number: u64,
    street: u64,
    unit: u64,
}

impl Line {
    fn of(plain: &str) -> Self {
        let mut line = Self::default();
        let mut street = String::with_capacity(plain.len());
        let mut in_unit = false;
        for word in plain.split(' ').filter(|word| !word.is_empty()) {
            if is_unit_word(word) || word == "#" {
                in_unit = true;
            } else if in_unit {
                line.unit = mix::pair(line.unit, mix::text(word));
            } else if street.is_empty() && word.starts_with(|first: char| first.is_ascii_digit()) {
                line.number = mix::pair(line.number, mix::text(word));
            } else {
                street.push_str(abbreviation(word));
            }
        }
        if !street.is_empty() {
            line.street = mix::text(shortened(&mut street));
        }
        line
    }
}

/// A street's words in one piece: a blank too many or too few does not matter, nor does it in what the street is
/// called at its end (`MAINSTREET`).
fn shortened(joined: &mut String) -> &str {
    let long = ABBREVIATIONS.iter().find(|(long, _)| {
        // The last letter tells most of them apart.
        joined.as_bytes().last() == long.as_bytes().last()
            && joined.len() > long.len()
            && joined.ends_with(long)
    });
    if let Some((long, short)) = long {
        joined.truncate(joined.len() - long.len());
        joined.push_str(short);
    }
    joined
}

/// Key of house number and ZIP code; 0 when one of them is unknown.
fn door(plain: &str, zip: u32) -> u32 {
    let number = plain
        .split(' ')
        .next()
        .and_then(|word| word.parse::<u32>().ok());
    match number {
        Some(number) if zip != 0 => mix::pair(u64::from(number), u64::from(zip)) as u32,
        _ => 0,
    }
}

fn abbreviation(word: &str) -> &str {
    ABBREVIATIONS
        .iter()
        .find(|(long, _)| *long == word)
        .map_or(word, |(_, short)| *short)
}

/// The first five digits of a ZIP code; a leading zero that a spreadsheet has eaten does not matter.
fn zip_number(text: &str) -> u32 {
    let digits = text.trim().chars().map_while(|symbol| symbol.to_digit(10));
    let (zip, length) = digits.take(5).fold((0, 0), |(zip, length), digit| {
        (zip * 10 + digit, length + 1)
    });
    if length < 3 || zip == 99_999 { 0 } else { zip }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(street: &str, zip: &str) -> Place {
        Place::of(&Address {
            street: street.into(),
            zip: zip.into(),
            ..Address::default()
        })
    }

    #[test]
    fn written_forms_of_one_dwelling_are_equal() {
        let first = place("12 North Example Street, Apt. 4", "90001");
        let second = place("12 N EXAMPLE ST #4", "90001-1234");
        assert_eq!(first, second);
    }

    #[test]
    fn another_unit_is_the_same_building() {
        let first = place("12 Example St Apt 4", "90001");
        let second = place("12 Example St Apt 5", "90001");
        assert_ne!(first.dwelling, second.dwelling);
        assert_eq!(first.building, second.building);
    }

    #[test]
    fn eaten_zero_of_a_zip_code_does_not_matter() {
        assert_eq!(
            place("12 Example St", "02134").zip,
            place("12 Example St", "2134").zip
        );
        assert_eq!(place("12 Example St", "ab").zip, 0);
    }

    #[test]
    fn misspelt_street_keeps_its_door() {
        let first = place("12 Example St", "90001");
        let second = place("12 Exampel St", "90001");
        assert_ne!(first.building, second.building);
        assert_eq!(first.door, second.door);
    }

    #[test]
    fn a_blank_too_many_or_too_few_is_the_same_street() {
        let first = place("12 Example Street", "90001");
        assert_eq!(first, place("12 Examplestreet", "90001"));
        assert_eq!(first, place("12 Exam ple St", "90001"));
    }

    #[test]
    fn another_house_number_is_the_same_street_in_one_town_only() {
        let first = place("12 Example St", "90001");
        assert!(first.is_same_street(&place("21 Example St", "90001")));
        let elsewhere = Place::of(&Address {
            street: "21 Example St".into(),
            city: "Sampleton".into(),
            zip: "90002".into(),
            ..Address::default()
        });
        assert!(!first.is_same_street(&elsewhere));
        assert!(!place("12", "90001").is_same_street(&place("21", "90001")));
    }

    #[test]
    fn homeless_is_no_address() {
        assert_eq!(place("Homeless", "90001").building, 0);
        assert_eq!(place("no address", "").dwelling, 0);
    }
}
