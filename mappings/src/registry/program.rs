//! Programmes that organisations run.

use serde::{Deserialize, Serialize};

use crate::model::id::{OrganizationId, ProgramId};

/// A programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its id.
    pub id: ProgramId,
    /// Its name.
    pub name: String,
    /// What it does (HSDS asks for it).
    #[serde(default)]
    pub description: String,
    /// The organisation that runs it.
    pub organization: OrganizationId,
}
