//! One published count and where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::Jurisdiction;

use crate::period::Period;

/// Names and values that narrow a row, in order of name. Text form: `name=value;name=value`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stratum(BTreeMap<String, String>);

/// The text is no stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a stratum: expected name=value, names once, no `=` or `;` inside")]
pub struct StratumError;

impl Stratum {
    /// The whole: no stratum.
    #[must_use]
    pub fn whole() -> Self {
        Self::default()
    }

    /// This stratum narrowed by one more name. `=` and `;` become blanks, so that the text form
    /// stays readable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let clean = |text: &str| text.replace(['=', ';'], " ").trim().to_owned();
        self.0.insert(clean(name), clean(value));
        self
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the whole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This stratum without a name; `None` when it does not have the name.
    #[must_use]
    pub fn without(&self, name: &str) -> Option<Self> {
        let mut rest = self.0.clone();
        rest.remove(name).map(|_| Self(rest))
    }

    /// The one name by which `narrower` narrows this stratum, when there is exactly one.
    pub(super) fn narrowed_in<'a>(&self, narrower: &'a Self) -> Option<&'a str> {
        let holds_all = self
            .0
            .iter()
            .all(|(name, value)| narrower.0.get(name) == Some(value));
        let mut new = narrower.0.keys().filter(|name| !self.0.contains_key(*name));
        let name = new.next()?;
        (holds_all && new.next().is_none()).then_some(name.as_str())
    }
}

impl fmt::Display for Stratum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            write!(
                formatter,
                "{}{name}={value}",
                if index > 0 { ";" } else { "" }
            )?;
        }
        Ok(())
    }
}

impl FromStr for Stratum {
    type Err = StratumError;

    fn from_str(text: &str) -> Result<Self, StratumError> {
        let mut stratum = BTreeMap::new();
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').ok_or(StratumError)?;
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            if value.contains('=') || name.is_empty() || stratum.insert(name, value).is_some() {
                return Err(StratumError);
            }
        }
        Ok(Self(stratum))
    }
}

/// Which count of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountRole {
    /// The numerator, or the count itself.
    Numerator,
    /// The denominator.
    Denominator,
}

/// What a count counts: the same key in two releases is the same number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The indicator, for example `RF-3`.
    pub indicator: String,
    /// The period.
    pub period: Period,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The stratum.
    pub stratum: Stratum,
    /// Numerator or denominator.
    pub role: CountRole,
}

/// Why a number is not shown. Column `suppressed` of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suppression {
    /// It is shown.
    None,
    /// It is small.
    Primary,
    /// It would give a small one away.
    Complementary,
    /// It was made from a masked number.
    Derived,
}

impl Suppression {
    /// The word in the export.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Primary => "primary",
            Self::Complementary => "complementary",
            Self::Derived => "derived",
        }
    }
}

/// A count with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it counts.
    pub key: CellKey,
    /// The true count.
    pub count: u64,
    /// Whether and why it is masked.
    pub suppression: Suppression,
}

impl Cell {
    /// Whether the public does not see the count.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.suppression != Suppression::None
    }
}
