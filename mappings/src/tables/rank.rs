//! How well an original code and a canonical one agree.

use std::str::FromStr;

/// Kind of a mapping, seen from the canonical term: `broad` means the other term is wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MatchKind {
    /// Same meaning.
    Exact,
    /// Nearly the same meaning.
    Close,
    /// The other term is wider than the canonical one.
    Broad,
    /// The other term is narrower than the canonical one.
    Narrow,
    /// The terms have to do with each other, no more.
    Related,
    /// The code is in no table; the fallback stands for it and the original travels along.
    Unknown,
}

impl MatchKind {
    /// Order of choice when one original code has several canonical ones: a narrower original
    /// lies inside the canonical term, a wider one may mean something else.
    #[must_use]
    pub fn rank_inbound(self) -> u8 {
        match self {
            Self::Exact => 0,
            Self::Close => 1,
            Self::Narrow => 2,
            Self::Broad => 3,
            Self::Related => 4,
            Self::Unknown => 5,
        }
    }

    /// Order of choice when one canonical code has several codes in the other system: a wider
    /// target is true though imprecise, a narrower one claims what was not said.
    #[must_use]
    pub fn rank_outbound(self) -> u8 {
        match self {
            Self::Broad => 2,
            Self::Narrow => 3,
            other => other.rank_inbound(),
        }
    }
}

impl FromStr for MatchKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "exact" => Ok(Self::Exact),
            "close" => Ok(Self::Close),
            "broad" => Ok(Self::Broad),
            "narrow" => Ok(Self::Narrow),
            "related" => Ok(Self::Related),
            _ => Err(()),
        }
    }
}
