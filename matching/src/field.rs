//! The fields that are compared, and the levels at which two values can agree.

use serde::{Deserialize, Serialize};

use crate::mix;

/// Declares the levels of one field; level 0 is always "no evidence".
macro_rules! levels {
    ($(#[$doc:meta])* $name:ident { $($(#[$level_doc:meta])* $level:ident = $label:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            /// One of the two values is unknown, or says nothing.
            Missing,
            $($(#[$level_doc])* $level),+
        }

        impl $name {
            /// Labels of the levels, in the order of their numbers, without level 0.
            pub(crate) const LABELS: &'static [&'static str] = &[$($label),+];
        }
    };
}

levels! {
    /// Given names.
    FirstLevel {
        /// The same name.
        Exact = "exact",
        /// Names of one nickname set.
        Nickname = "nickname",
        /// One is the first letter of the other.
        Initial = "initial",
        /// One is one of the several given names of the other.
        Part = "part",
        /// The given name of one is the middle name of the other.
        Middle = "middle",
        /// Spelt alike.
        Similar = "similar",
        /// Given and family name have changed places.
        Swapped = "swapped",
        /// None of these.
        Different = "different",
    }
}

levels! {
    /// Middle names.
    MiddleLevel {
        /// The same name.
        Exact = "exact",
        /// The same first letter, one of them being a letter only.
        Initial = "initial",
        /// None of these.
        Different = "different",
    }
}

levels! {
    /// Family names.
    LastLevel {
        /// The same name, or the same words in another order.
        Exact = "exact",
        /// A double surname and a part of it, or two with one word in common.
        Part = "part",
        /// Spelt alike.
        Similar = "similar",
        /// Given and family name have changed places.
        Swapped = "swapped",
        /// None of these.
        Different = "different",
    }
}

levels! {
    /// Generational suffixes.
    SuffixLevel {
        /// The same generation.
        Same = "same",
        /// Two generations.
        Conflict = "conflict",
    }
}

levels! {
    /// Birth dates.
    BirthLevel {
        /// The same day, both dates exact.
        Exact = "exact",
        /// Day and month have changed places.
        Swapped = "swapped",
        /// One digit differs, or two neighbouring digits have changed places.
        OneDigit = "one_digit",
        /// Two of year, month and day agree.
        TwoParts = "two_parts",
        /// One date is estimated or partial, and they are at most two months apart.
        EstimateClose = "estimate_close",
        /// One date is estimated or partial, and they are at most a year apart.
        EstimateNear = "estimate_near",
        /// One date is estimated or partial, and they are further apart.
        EstimateFar = "estimate_far",
        /// Fifteen years or more apart: parent and child.
        Generation = "generation",
        /// None of these.
        Different = "different",
    }
}

levels! {
    /// Sex.
    SexLevel {
        /// The same.
        Same = "same",
        /// Female and male.
        Different = "different",
    }
}

levels! {
    /// Social Security numbers.
    SsnLevel {
        /// All nine digits.
        Exact = "exact",
        /// One digit differs, or two neighbouring digits have changed places.
        Near = "near",
        /// One number is partial; the last four, or more, agree.
        LastFour = "last_four",
        /// Numbers issued together: they differ by at most three.
        Adjacent = "adjacent",
        /// One number is partial; a known digit differs.
        PartialConflict = "partial_conflict",
        /// None of these.
        Different = "different",
    }
}

levels! {
    /// Identifiers that systems share (a Medi-Cal CIN).
    IdentifierLevel {
        /// One of the same kind is the same.
        Same = "same",
        /// One character differs, or two neighbouring ones have changed places.
        Near = "near",
        /// Both have one of a kind, none the same.
        Different = "different",
    }
}

levels! {
    /// Telephone numbers.
    PhoneLevel {
        /// One of them is the same.
        Same = "same",
        /// None is.
        Different = "different",
    }
}

levels! {
    /// Addresses.
    AddressLevel {
        /// The same dwelling.
        Dwelling = "dwelling",
        /// The same house number and street, or house number and ZIP code.
        Building = "building",
        /// The same street, another house number.
        Street = "street",
        /// The same ZIP code.
        Zip = "zip",
        /// None of these.
        Different = "different",
    }
}

levels! {
    /// Household numbers, within one system.
    HouseholdLevel {
        /// The same household.
        Same = "same",
        /// Two households.
        Other = "other",
    }
}

levels! {
    /// Relationship to the head of the household.
    RelationshipLevel {
        /// The same role.
        Same = "same",
        /// A parent's role and a child's.
        OtherGeneration = "other_generation",
        /// Two other roles.
        Different = "different",
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident = $label:literal, $levels:ident);+ $(;)?) => {
        /// A field that is compared.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field { $($(#[$doc])* $field),+ }

        impl Field {
            /// All fields, in the order in which explanations show them.
            pub const ALL: &'static [Self] = &[$(Self::$field),+];

            /// Name of the field in settings and explanations.
            pub fn label(self) -> &'static str {
                match self { $(Self::$field => $label),+ }
            }

            /// Labels of the levels above "no evidence", from level 1.
            pub fn levels(self) -> &'static [&'static str] {
                match self { $(Self::$field => $levels::LABELS),+ }
            }
        }
    };
}

fields! {
    /// Given name.
    FirstName = "first_name", FirstLevel;
    /// Middle name.
    MiddleName = "middle_name", MiddleLevel;
    /// Family name.
    LastName = "last_name", LastLevel;
    /// Generational suffix.
    Suffix = "suffix", SuffixLevel;
    /// Birth date.
    BirthDate = "birth_date", BirthLevel;
    /// Sex.
    Sex = "sex", SexLevel;
    /// Social Security number.
    Ssn = "ssn", SsnLevel;
    /// Identifier that systems share.
    SharedIdentifier = "shared_identifier", IdentifierLevel;
    /// Telephone.
    Phone = "phone", PhoneLevel;
    /// Address.
    Address = "address", AddressLevel;
    /// Household within one system.
    Household = "household", HouseholdLevel;
    /// Relationship to the head of the household.
    Relationship = "relationship", RelationshipLevel;
}

/// How many fields there are.
pub(crate) const FIELDS: usize = Field::ALL.len();
/// Room for levels per field, "no evidence" included.
pub(crate) const LEVELS: usize = 16;

/// The levels of all fields of one pair, four bits each, and whether both are of one system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Pattern(u64);

const SAME_SYSTEM: u64 = 1 << 63;

impl Pattern {
    pub(crate) fn set(&mut self, field: Field, level: u8) {
        let shift = field as u32 * 4;
        self.0 = (self.0 & !(0xF << shift)) | (u64::from(level & 0xF) << shift);
    }

    pub(crate) fn level(self, field: Field) -> u8 {
        (self.0 >> (field as u32 * 4) & 0xF) as u8
    }

    pub(crate) fn set_same_system(&mut self) {
        self.0 |= SAME_SYSTEM;
    }

    pub(crate) fn is_same_system(self) -> bool {
        self.0 & SAME_SYSTEM != 0
    }

    /// The pattern as a key whose bits are all of use.
    pub(crate) fn mixed(self) -> u64 {
        mix::word(self.0)
    }

    /// Label of a field's level; `None` when the field is no evidence.
    pub(crate) fn label(self, field: Field) -> Option<&'static str> {
        let level = usize::from(self.level(field));
        field.levels().get(level.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_fields_are_kept_apart() {
        let mut pattern = Pattern::default();
        pattern.set(Field::FirstName, FirstLevel::Swapped as u8);
        pattern.set(Field::BirthDate, BirthLevel::Different as u8);
        pattern.set_same_system();
        pattern.set(Field::FirstName, FirstLevel::Exact as u8);
        assert_eq!(pattern.label(Field::FirstName), Some("exact"));
        assert_eq!(pattern.label(Field::BirthDate), Some("different"));
        assert_eq!(pattern.label(Field::Ssn), None);
        assert!(pattern.is_same_system());
    }

    #[test]
    fn every_field_fits_its_four_bits() {
        const { assert!(FIELDS * 4 <= 60) };
        assert!(Field::ALL.iter().all(|field| field.levels().len() < LEVELS));
    }
}
