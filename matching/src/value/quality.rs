//! How far a value may be trusted.

use serde::{Deserialize, Serialize};

/// Quality of a value, as the source states it.
///
/// The codes are those of the HMIS data standards FY2026, fields 3.01.5, 3.02.2 and 3.03.2:
/// 1 full; 2 partial, approximate, street or code name; 8 client does not know; 9 prefers not to
/// answer; 99 not collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// The value is the source's full and reported value.
    #[default]
    Full,
    /// The value is partial, estimated or may be a code name: agreement counts for less and
    /// disagreement is no evidence.
    Approximate,
    /// Any value present is a placeholder that was entered to create the record.
    Unusable,
}

impl Quality {
    /// Reads an HMIS quality code; blank is full, since most sources have no such column.
    ///
    /// Returns `None` for a code that the standard does not list.
    pub fn from_hmis_code(code: &str) -> Option<Self> {
        match code.trim() {
            "" | "1" => Some(Self::Full),
            "2" => Some(Self::Approximate),
            "8" | "9" | "99" => Some(Self::Unusable),
            _ => None,
        }
    }
}
