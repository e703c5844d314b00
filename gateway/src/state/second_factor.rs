//! The second factor of a person at an agency who may break the glass, as it was enrolled.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::SystemId;

use crate::store::Document;

/// The second factor of one person. `Debug` shows nothing of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecondFactorDoc {
    /// The system through which the person asks.
    pub system: SystemId,
    /// The person as that system knows him or her.
    pub user: String,
    /// Name and affiliation, as they must stand in the patient's record (42 CFR 2.51(c)).
    pub name: String,
    /// The role, as the configuration names it.
    pub role: String,
    /// The shared secret in hexadecimal digits.
    pub secret: String,
    /// The last time step of which a code was taken: no code counts twice (RFC 6238, section 5.2).
    pub last_step: u64,
    /// Codes refused since the last that was taken.
    pub refused: u32,
    /// Until when no code is taken.
    #[serde(default)]
    pub locked_until: Option<Timestamp>,
}

impl fmt::Debug for SecondFactorDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecondFactorDoc({}, [redacted])", self.system)
    }
}

impl SecondFactorDoc {
    /// The key under which a person's factor stands.
    #[must_use]
    pub fn key_of(system: &SystemId, user: &str) -> String {
        format!("{system}\u{1f}{user}")
    }
}

impl Document for SecondFactorDoc {
    const KIND: &'static str = "second-factor";

    fn key(&self) -> String {
        Self::key_of(&self.system, &self.user)
    }
}
