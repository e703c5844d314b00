//! Identifiers. Text ids come from agencies and configuration; UUID ids are made by the gateway.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest text id that Tandem takes, in characters.
pub const MAX_ID_LENGTH: usize = 200;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty or blank.
    #[error("{kind} is empty")]
    Empty {
        /// The id type.
        kind: &'static str,
    },
    /// The text is longer than [`MAX_ID_LENGTH`].
    #[error("{kind} is longer than {MAX_ID_LENGTH} characters")]
    TooLong {
        /// The id type.
        kind: &'static str,
    },
    /// The text holds a control character.
    #[error("{kind} holds a control character")]
    ControlCharacter {
        /// The id type.
        kind: &'static str,
    },
    /// The text is not a UUID.
    #[error("{kind} is not a UUID")]
    NotAUuid {
        /// The id type.
        kind: &'static str,
    },
}

fn checked(kind: &'static str, text: String) -> Result<String, IdError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if trimmed.chars().count() > MAX_ID_LENGTH {
        return Err(IdError::TooLong { kind });
    }
    if trimmed.chars().any(char::is_control) {
        return Err(IdError::ControlCharacter { kind });
    }
    if trimmed.len() == text.len() {
        Ok(text)
    } else {
        Ok(trimmed.to_owned())
    }
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text as an id; surrounding blanks are dropped.
            ///
            /// # Errors
            /// When the text is blank, longer than [`MAX_ID_LENGTH`] or holds control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                checked(stringify!($name), text.into()).map(Self)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The sixteen bytes that the store keeps.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text.trim())
                    .map(Self)
                    .map_err(|_| IdError::NotAUuid { kind: stringify!($name) })
            }
        }
    )+};
}

text_id! {
    /// A county or state under whose law and keys records stand.
    Jurisdiction,
    /// A connected agency system.
    SystemId,
    /// An organisation of the registry.
    OrganizationId,
    /// A service of the directory (HSDS service).
    ServiceId,
    /// A team of the registry, for example a multidisciplinary team.
    TeamId,
    /// A programme of the registry.
    ProgramId,
    /// A person's id in the system that sent it. Never a Social Security number.
    SourcePersonId,
    /// A household's id in the system that sent it.
    SourceHouseholdId,
    /// A case's id in the system that sent it.
    SourceCaseId,
    /// The sender's own id of a message or event: with the system the key of idempotent ingest.
    SourceEventId,
    /// A plan's id in the system that owns it.
    PlanId,
    /// A goal's id in the system that owns it.
    GoalId,
    /// An activity's id in the system that owns it.
    ActivityId,
    /// An assessment instrument, for example `ssm-az`.
    InstrumentId,
    /// A destination's delivery lane.
    LaneId,
    /// A consent directive's id.
    DirectiveId,
}

uuid_id! {
    /// An event in the gateway's record.
    EventId,
    /// A person: a set of linked source records.
    PersonId,
    /// A service referral.
    ReferralId,
    /// A co-management episode.
    EpisodeId,
    /// A coordinated (overlay) plan.
    CoordinatedPlanId,
    /// An outbound message.
    MessageId,
    /// A recorded consent decision.
    DecisionId,
    /// A link between two source records.
    LinkId,
    /// One accepted input, such as a file or a posted message.
    InputId,
}

/// A source record about a person: the system and the system's own id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The system that holds the record.
    pub system: SystemId,
    /// The person's id in that system.
    pub person: SourcePersonId,
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.system, self.person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_or_overlong_text_is_no_id() {
        assert_eq!(
            SystemId::new("  "),
            Err(IdError::Empty { kind: "SystemId" })
        );
        assert!(SystemId::new("x".repeat(MAX_ID_LENGTH + 1)).is_err());
        assert!(SystemId::new("a\u{0}b").is_err());
    }

    #[test]
    fn surrounding_blanks_are_dropped() {
        assert_eq!(SystemId::new(" cws-demo ").unwrap().as_str(), "cws-demo");
    }
}
