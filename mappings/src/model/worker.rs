//! The worker in charge of a case, as others may contact him or her.

use serde::{Deserialize, Serialize};

/// A worker's professional contact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct WorkerContact {
    /// The worker's id in the source system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Role or office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}
