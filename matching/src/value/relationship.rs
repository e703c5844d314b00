//! Relationship to the head of the household.

use serde::{Deserialize, Serialize};

/// Relationship to the head of the household, as far as it tells generations apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relationship {
    /// Head of the household.
    Head,
    /// The head's child.
    Child,
    /// The head's spouse or partner.
    Partner,
    /// Anyone else in the household.
    Other,
}

impl Relationship {
    /// Reads words and the HMIS codes of field 3.15.1 (1 self, 2 head's child, 3 head's spouse
    /// or partner, 4 other relation, 5 other non-relation, 99 not collected).
    ///
    /// Returns `None` when the value says nothing or is not known.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "1" | "self" | "head" | "hoh" | "head of household" | "parent" | "mother"
            | "father" => Some(Self::Head),
            "2" | "child" | "son" | "daughter" => Some(Self::Child),
            "3" | "spouse" | "partner" | "wife" | "husband" => Some(Self::Partner),
            "4" | "5" | "other" | "relative" | "grandparent" | "grandchild" | "sibling"
            | "non-relative" => Some(Self::Other),
            _ => None,
        }
    }

    /// Whether the two roles in a household are those of a parent and a child.
    pub(crate) fn is_other_generation(self, other: Self) -> bool {
        (self == Self::Child) != (other == Self::Child)
            && self != Self::Other
            && other != Self::Other
    }
}
