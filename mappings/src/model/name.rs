//! Names of people, with their quality.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::coding::codes;

codes! {
    /// How far a name can be trusted (HMIS 3.01.5).
    NameQuality {
        /// The full name (1).
        Full = "full",
        /// Partial, a street name or a code name (2).
        Partial = "partial",
        /// Present though the quality code says there is none (8, 9, 99): no evidence.
        Placeholder = "placeholder",
    }
}

codes! {
    /// What a name is used for.
    NameUse {
        /// The current legal or usual name.
        Official = "official",
        /// Another name: alias, nickname, preferred name.
        Other = "other",
        /// A name before marriage.
        Maiden = "maiden",
        /// A name no longer in use.
        Former = "former",
    }
}

/// A person's name. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PersonName {
    /// Given (first) name, possibly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub given: String,
    /// Middle name, possibly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub middle: String,
    /// Family (last) name, possibly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// Suffix such as `Jr`, possibly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suffix: String,
    /// What the name is used for.
    pub name_use: NameUse,
    /// How far it can be trusted.
    pub quality: NameQuality,
}

impl PersonName {
    /// An official full name.
    pub fn official(given: impl Into<String>, family: impl Into<String>) -> Self {
        Self {
            given: given.into(),
            middle: String::new(),
            family: family.into(),
            suffix: String::new(),
            name_use: NameUse::Official,
            quality: NameQuality::Full,
        }
    }

    /// Whether there is neither a given nor a family name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() && self.family.is_empty()
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PersonName([redacted], {}, {})",
            self.name_use, self.quality
        )
    }
}
