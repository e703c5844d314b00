//! Social Security numbers, whole or with unknown digits.

use std::fmt;

/// Digits of a Social Security number that are known, each in its place.
///
/// Position 0 is the first digit. Unknown digits are zero in `digits` and clear in `mask`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Ssn {
    digits: u32,
    mask: u16,
}

const LENGTH: usize = 9;
const FULL: u16 = 0b1_1111_1111;
const LAST_FOUR: u16 = 0b1_1110_0000;
const POWERS: [u32; LENGTH] = [
    100_000_000,
    10_000_000,
    1_000_000,
    100_000,
    10_000,
    1_000,
    100,
    10,
    1,
];

/// Numbers that stand in forms as examples, or were issued in print (078-05-1120, 219-09-9999).
const WELL_KNOWN: [u32; 4] = [123_456_789, 987_654_321, 78_051_120, 219_099_999];

impl Ssn {
    /// Reads nine characters, digits or `x`, `*` or `#` for an unknown digit, with or without
    /// hyphens and blanks; four digits alone are the last four.
    ///
    /// A number that nobody holds (all digits equal, area 000 or 666, group 00, serial 0000,
    /// printed examples) reads as a number without known digits: it carries no evidence.
    /// Returns `None` when the text has another shape.
    pub fn parse(text: &str) -> Option<Self> {
        let symbols = text.chars();
        let compact = symbols.filter(|symbol| !matches!(symbol, '-' | ' ' | '.'));
        let start = match compact.clone().count() {
            LENGTH => 0,
            4 if compact.clone().all(|symbol| symbol.is_ascii_digit()) => 5,
            _ => return None,
        };
        let mut ssn = Self::default();
        for ((position, power), symbol) in POWERS.iter().enumerate().skip(start).zip(compact) {
            match symbol {
                'x' | 'X' | '*' | '#' => {}
                digit => {
                    ssn.digits += digit.to_digit(10)? * power;
                    ssn.mask |= 1 << position;
                }
            }
        }
        Some(if ssn.is_placeholder() {
            Self::default()
        } else {
            ssn
        })
    }

    fn is_placeholder(self) -> bool {
        let serial_unset = self.mask & LAST_FOUR == LAST_FOUR && self.digits.is_multiple_of(10_000);
        if self.mask != FULL {
            return serial_unset;
        }
        let area = self.digits / 1_000_000;
        let group = self.digits / 10_000 % 100;
        serial_unset
            || area == 0
            || area == 666
            || group == 0
            || self.digits.is_multiple_of(111_111_111)
            || WELL_KNOWN.contains(&self.digits)
    }

    /// Whether no digit is known.
    pub fn is_empty(self) -> bool {
        self.mask == 0
    }

    /// The whole number, when every digit is known.
    pub(crate) fn whole(self) -> Option<u32> {
        (self.mask == FULL).then_some(self.digits)
    }

    /// The last four digits, when they are known.
    pub(crate) fn last_four(self) -> Option<u32> {
        (self.mask & LAST_FOUR == LAST_FOUR).then_some(self.digits % 10_000)
    }

    fn digit(self, position: usize) -> u32 {
        POWERS
            .get(position)
            .map_or(0, |power| self.digits / power % 10)
    }

    /// Whether two whole numbers can differ in one digit alone, or by two neighbouring digits that have changed places:
    /// then their difference is a digit, or nine times a digit, with zeros behind it.
    pub(crate) fn may_be_slip(one: u32, other: u32) -> bool {
        let mut difference = one.abs_diff(other);
        while difference != 0 && difference.is_multiple_of(10) {
            difference /= 10;
        }
        difference < 10 || (difference <= 81 && difference.is_multiple_of(9))
    }

    /// How many digits both numbers know, and in how many of those they differ.
    pub(crate) fn common(self, other: Self) -> (u32, u32) {
        let common = self.mask & other.mask;
        let differing = (0..LENGTH)
            .filter(|position| common & (1 << position) != 0)
            .filter(|position| self.digit(*position) != other.digit(*position))
            .count();
        (
            common.count_ones(),
            u32::try_from(differing).unwrap_or(u32::MAX),
        )
    }

    /// Whether the numbers are equal but for two neighbouring digits that changed places.
    pub(crate) fn is_transposed(self, other: Self) -> bool {
        if self.mask != FULL || other.mask != FULL {
            return false;
        }
        let mut differing =
            (0..LENGTH).filter(|position| self.digit(*position) != other.digit(*position));
        match (differing.next(), differing.next(), differing.next()) {
            (Some(first), Some(second), None) => {
                second == first + 1
                    && self.digit(first) == other.digit(second)
                    && self.digit(second) == other.digit(first)
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Ssn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ssn({} digits known)", self.mask.count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholder_ssn_carries_nothing() {
        let placeholders = [
            "999999999",
            "000000000",
            "111-11-1111",
            "000123456",
            "900001234",
            "900120000",
            "xxxxx0000",
            "xxxxxxxxx",
            "123456789",
        ];
        for text in placeholders {
            assert!(Ssn::parse(text).unwrap().is_empty(), "{text}");
        }
    }

    #[test]
    fn partial_ssn_keeps_digits_in_place() {
        let partial = Ssn::parse("xxxxx3456").unwrap();
        let whole = Ssn::parse("900-12-3456").unwrap();
        assert_eq!(partial.last_four(), Some(3456));
        assert_eq!(partial.whole(), None);
        assert_eq!(partial.common(whole), (4, 0));
        assert_eq!(Ssn::parse("3456"), Some(partial));
    }

    #[test]
    fn leading_zeroes_are_digits() {
        assert_eq!(Ssn::parse("012345678").unwrap().whole(), Some(12_345_678));
        assert_eq!(Ssn::parse("xxxxx0042").unwrap().last_four(), Some(42));
    }

    #[test]
    fn transposed_digits_are_seen() {
        let whole = Ssn::parse("900123456").unwrap();
        assert!(whole.is_transposed(Ssn::parse("900213456").unwrap()));
        assert!(!whole.is_transposed(Ssn::parse("900312456").unwrap()));
        assert!(!whole.is_transposed(whole));
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in ["", "12345", "9001234567", "90012345a"] {
            assert_eq!(Ssn::parse(text), None, "{text}");
        }
    }
}
