//! Ratings of a family's situation on an instrument such as the Self-Sufficiency Matrix.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::coding::codes;
use super::domain::Domain;
use super::id::{InstrumentId, SourceCaseId, SourcePersonId};

codes! {
    /// When in an episode a rating is made.
    Stage {
        /// At the start: the baseline.
        Initial = "initial",
        /// In between.
        Interim = "interim",
        /// At the end.
        Exit = "exit",
    }
}

codes! {
    /// Canonical bands of an instrument's levels.
    Band {
        /// In crisis.
        Crisis = "crisis",
        /// Vulnerable.
        Vulnerable = "vulnerable",
        /// Stable.
        Stable = "stable",
        /// Thriving.
        Thriving = "thriving",
    }
}

/// One level on one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Canonical domain.
    pub domain: Domain,
    /// Level on the instrument; `None` when not applicable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// The instrument's own name of the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument_domain: Option<String>,
    /// The person rated; `None` for the household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<SourcePersonId>,
}

/// Payload of `assessment.recorded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When in the episode.
    pub stage: Stage,
    /// The people it is about, by the sender's ids.
    pub people: Vec<SourcePersonId>,
    /// The sender's case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<SourceCaseId>,
    /// The day.
    pub rated_on: Date,
    /// The ratings.
    pub ratings: Vec<Rating>,
}
