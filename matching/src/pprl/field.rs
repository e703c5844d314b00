//! The fields that an encoding holds, and how much each says.

/// A field of an encoding; its number is its bit in [`Known`] and its place in the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum ClkField {
    Given,
    Family,
    BirthYear,
    BirthDay,
    Sex,
    SsnStart,
    SsnEnd,
    Identifier,
    Phone,
    Address,
    Zip,
}

/// How a field counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    /// Under which name its key is derived.
    pub(super) label: &'static str,
    /// Positions that a known value sets, in proportion to how far agreement and disagreement lie apart in bits of
    /// evidence (after Durham et al. 2014, who weigh fields so by sampling bits).
    pub(super) positions: u32,
    /// Positions that a pair must share in the field to be no worse off than if it were unknown: what a field that
    /// both know costs when it disagrees.
    pub(super) toll: f64,
}

const fn weight(label: &'static str, positions: u32, toll: f64) -> Weight {
    Weight {
        label,
        positions,
        toll,
    }
}

/// Weights by number of the field. The given name and the day of birth weigh most: they part the members of a household,
/// which a family name, a telephone and an address do not. A change of anything here changes every encoding: the name of
/// the scheme must change with it.
pub(super) const WEIGHTS: [Weight; 11] = [
    weight("given", 190, 110.0),
    weight("family", 100, 40.0),
    weight("birth-year", 60, 30.0),
    weight("birth-day", 110, 40.0),
    weight("sex", 25, 18.0),
    weight("ssn-start", 70, 20.0),
    weight("ssn-end", 100, 40.0),
    weight("identifier", 110, 40.0),
    weight("phone", 30, 5.0),
    weight("address", 25, 5.0),
    weight("zip", 20, 5.0),
];

/// Positions below which too little is known to tell a person: a name and a year of birth are more.
const FEWEST_POSITIONS: u32 = 240;

/// Which fields of a record are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Known(u16);

impl Known {
    pub(super) fn add(&mut self, field: ClkField) {
        self.0 |= 1 << field as u16;
    }

    #[cfg(test)]
    pub(super) fn contains(self, field: ClkField) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    fn weights(self) -> impl Iterator<Item = &'static Weight> {
        let numbered = WEIGHTS.iter().enumerate();
        numbered
            .filter(move |(number, _)| self.0 & (1 << number) != 0)
            .map(|(_, weight)| weight)
    }

    /// What the fields that both know cost a pair before any agreement.
    pub(super) fn toll(self, other: Self) -> f64 {
        let both = Self(self.0 & other.0);
        both.weights().map(|weight| weight.toll).sum()
    }

    /// Whether enough is known to tell a person.
    pub(super) fn is_enough(self) -> bool {
        let positions: u32 = self.weights().map(|weight| weight.positions).sum();
        positions >= FEWEST_POSITIONS
    }

    /// Three hexadecimal digits.
    pub(super) fn to_text(self) -> String {
        format!("{:03x}", self.0)
    }

    /// Reads what [`Known::to_text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u16::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        (bits >> WEIGHTS.len() == 0).then_some(Self(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_fields_read_as_they_were_written_and_others_are_refused() {
        let mut known = Known::default();
        known.add(ClkField::Given);
        known.add(ClkField::Zip);
        assert_eq!(Known::parse(&known.to_text()), Some(known));
        for text in ["", "40", "0401", "+01", "zzz", "800"] {
            assert_eq!(Known::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_alone_is_too_little_to_tell_a_person() {
        let mut known = Known::default();
        known.add(ClkField::Family);
        known.add(ClkField::BirthDay);
        assert!(!known.is_enough());
        known.add(ClkField::Given);
        assert!(known.is_enough());
    }
}
