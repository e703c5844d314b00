//! Workers, as others may contact them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::id::{IdError, OrganizationId, ProgramId};

/// A worker's id within the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkerId(String);

impl WorkerId {
    /// Takes the text as an id.
    ///
    /// # Errors
    /// As for every text id.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        ProgramId::new(text).map(|checked| Self(checked.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for WorkerId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<WorkerId> for String {
    fn from(id: WorkerId) -> Self {
        id.0
    }
}

/// A worker of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// The id, as the organisation's own system knows it.
    pub id: WorkerId,
    /// Full name.
    pub name: String,
    /// The employer.
    pub organization: OrganizationId,
    /// Role, such as `caseworker`.
    pub role: String,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}
