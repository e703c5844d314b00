//! Connected agency systems.

use serde::{Deserialize, Serialize};

use crate::model::category::Category;
use crate::model::id::{OrganizationId, SystemId};

/// An agency system that speaks with the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its id.
    pub id: SystemId,
    /// Its name.
    pub name: String,
    /// The organisation whose records it holds.
    pub organization: OrganizationId,
    /// The category of data that carry no label of their own.
    pub default_category: Category,
}
