//! Programmes that organisations run.

use serde::{Deserialize, Serialize};

use crate::model::category::Category;
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
    /// Whether it is a Part 2 program (42 CFR 2.11) while its organisation as a whole is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub part2_program: bool,
    /// The category of its data that carry no label of their own; that of the system when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_category: Option<Category>,
}
