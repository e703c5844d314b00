//! A legal hold: what a privacy officer has said must not be disposed of until it is released.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, RecordKey};
use uuid::Uuid;

use crate::store::{Document, Index};

/// What is held. `Debug` shows nothing of a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldScope {
    /// A person, by one of the person's records: all records that are the person, and all that is about the person.
    Record(RecordKey),
    /// A case: the id of a referral or of co-management, or a case's key as the messages in it show it.
    Case(String),
    /// Everything of an organisation: what it sent, what it was told, and the people whom it knows.
    Organization(OrganizationId),
}

impl fmt::Debug for HoldScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl HoldScope {
    /// The sort of scope.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Case(_) => "case",
            Self::Organization(_) => "organization",
        }
    }
}

/// How a hold ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who released it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A legal hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LegalHoldDoc {
    /// Its id.
    pub id: Uuid,
    /// What is held.
    pub scope: HoldScope,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Its end.
    #[serde(default)]
    pub released: Option<Release>,
}

impl LegalHoldDoc {
    /// Field by which holds are found by whether they stand.
    pub const STANDING: &'static str = "legal-hold.standing";
    /// Of one that stands.
    pub const PLACED: &'static str = "placed";
    /// Of one that was released.
    pub const RELEASED: &'static str = "released";

    /// Whether it stands.
    #[must_use]
    pub const fn standing(&self) -> &'static str {
        match self.released {
            None => Self::PLACED,
            Some(_) => Self::RELEASED,
        }
    }
}

impl Document for LegalHoldDoc {
    const KIND: &'static str = "legal-hold";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new(Self::STANDING, self.standing())]
    }
}
