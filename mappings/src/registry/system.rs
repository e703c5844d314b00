//! Connected agency systems.

use serde::{Deserialize, Serialize};

use crate::model::category::Category;
use crate::model::id::{OrganizationId, ProgramId, SystemId};

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
    /// The strictest category of which its notes in free text may tell; such a note is under it, since nobody reviewed what
    /// it says. That of data without a label when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_text_category: Option<Category>,
    /// The programme whose records it holds, when it holds those of one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramId>,
}
