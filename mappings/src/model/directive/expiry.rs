//! When a directive ends.

use serde::{Deserialize, Serialize};

use super::moment::Moment;

/// The end of a directive as its form states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ExpiryForm", into = "ExpiryForm")]
pub enum Expiry {
    /// The last day, or the instant from which it no longer counts.
    Date(Moment),
    /// An event, such as program exit.
    Event {
        /// The event's name.
        event: String,
        /// When the event came about, once known.
        ended_at: Option<Moment>,
    },
    /// A condition, such as "while in the program".
    Condition {
        /// The condition's words.
        condition: String,
        /// When the condition ceased to hold, once known.
        ended_at: Option<Moment>,
    },
    /// The form says that it has no end.
    None,
}

/// The expiry does not say exactly one of date, event, condition and none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an expiry is \"none\" or exactly one of date, event and condition")]
pub struct ExpiryError;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ExpiryForm {
    Word(String),
    Fields(ExpiryFields),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpiryFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    none: Option<bool>,
}

impl TryFrom<ExpiryForm> for Expiry {
    type Error = ExpiryError;

    fn try_from(form: ExpiryForm) -> Result<Self, Self::Error> {
        let fields = match form {
            ExpiryForm::Word(word) if word == "none" => return Ok(Self::None),
            ExpiryForm::Word(word) => {
                return word.parse().map(Self::Date).map_err(|_| ExpiryError);
            }
            ExpiryForm::Fields(fields) => fields,
        };
        let ended_at = fields.ended_at;
        match (fields.date, fields.event, fields.condition, fields.none) {
            (Some(date), None, None, None) if ended_at.is_none() => Ok(Self::Date(date)),
            (None, Some(event), None, None) => Ok(Self::Event { event, ended_at }),
            (None, None, Some(condition), None) => Ok(Self::Condition {
                condition,
                ended_at,
            }),
            (None, None, None, Some(true)) if ended_at.is_none() => Ok(Self::None),
            _ => Err(ExpiryError),
        }
    }
}

impl From<Expiry> for ExpiryForm {
    fn from(expiry: Expiry) -> Self {
        let fields = ExpiryFields::default();
        match expiry {
            Expiry::None => Self::Word("none".to_owned()),
            Expiry::Date(date) => Self::Fields(ExpiryFields {
                date: Some(date),
                ..fields
            }),
            Expiry::Event { event, ended_at } => Self::Fields(ExpiryFields {
                event: Some(event),
                ended_at,
                ..fields
            }),
            Expiry::Condition {
                condition,
                ended_at,
            } => Self::Fields(ExpiryFields {
                condition: Some(condition),
                ended_at,
                ..fields
            }),
        }
    }
}
