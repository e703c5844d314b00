//! Sex as a source records it.

use serde::{Deserialize, Serialize};

/// Sex of a person; anything but female and male carries no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Not known, not stated, intersex or another answer.
    #[default]
    Unknown,
}

impl Sex {
    /// Reads words and the common letters, and the HMIS FY2026 codes 0 female and 1 male
    /// (8, 9 and 99 unknown).
    ///
    /// Returns `None` for a value that is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "f" | "female" | "0" | "woman" | "girl" => Some(Self::Female),
            "m" | "male" | "1" | "man" | "boy" => Some(Self::Male),
            "" | "u" | "i" | "x" | "o" | "unknown" | "other" | "intersex" | "8" | "9" | "99" => {
                Some(Self::Unknown)
            }
            _ => None,
        }
    }
}
