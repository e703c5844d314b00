//! A code that may be none of its list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A code as the caller wrote it, with its meaning when the list has one.
///
/// An unknown purpose or category is not an error: it permits nothing, and the answer says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coded<T> {
    text: String,
    value: Option<T>,
}

impl<T: Copy> Coded<T> {
    /// The meaning; `None` for a code that is not on the list.
    #[must_use]
    pub fn value(&self) -> Option<T> {
        self.value
    }

    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<T: fmt::Display> From<T> for Coded<T> {
    fn from(value: T) -> Self {
        Self {
            text: value.to_string(),
            value: Some(value),
        }
    }
}

impl<T> Serialize for Coded<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Coded<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = text.parse().ok();
        Ok(Self { text, value })
    }
}
