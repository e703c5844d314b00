//! A written request of a law-enforcement official or a health oversight agency that disclosures to it be left out of
//! accountings for a time (45 CFR 164.528(a)(2)).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, PersonId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::{Document, Index};

/// Who may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// A law-enforcement official.
    LawEnforcement,
    /// A health oversight agency.
    HealthOversight,
}

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HoldDoc {
    /// Its id.
    pub id: Uuid,
    /// The person whose accounting it is.
    pub person: PersonId,
    /// Disclosures to this organisation are left out.
    pub recipient: OrganizationId,
    /// Who asked.
    pub kind: HoldKind,
    /// Where the written request is kept: a file number, no content.
    pub reference: String,
    /// Until when.
    pub until: Timestamp,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: Timestamp,
}

impl HoldDoc {
    /// Field under which the holds of a person are found.
    pub const PERSON: &'static str = "accounting-hold.person";

    /// Whether disclosures to a recipient are left out at an instant.
    #[must_use]
    pub fn covers(&self, recipient: &OrganizationId, now: Timestamp) -> bool {
        self.recipient == *recipient && now < self.until
    }
}

impl Document for HoldDoc {
    const KIND: &'static str = "accounting-hold";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new(Self::PERSON, self.person.to_string())]
    }
}
