//! Services that can be referred to, shaped as HSDS 3.x services.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::domain::Domain;
use crate::model::id::{OrganizationId, ProgramId, ServiceId};

/// Whether a service takes referrals (HSDS 3.x, `service.status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceStatus {
    /// In operation.
    #[serde(rename = "active")]
    Active,
    /// Not in operation.
    #[serde(rename = "inactive")]
    Inactive,
    /// Gone for good.
    #[serde(rename = "defunct")]
    Defunct,
    /// Closed for a while.
    #[serde(rename = "temporarily closed")]
    TemporarilyClosed,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The organisation that gives it.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Whether it takes referrals.
    pub status: ServiceStatus,
    /// Its canonical domain.
    pub domain: Domain,
    /// The programme it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramId>,
    /// Where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The day on which somebody last assured the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assured_date: Option<Date>,
    /// The `ProjectID` of the service in the homeless management information system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmis_project: Option<String>,
    /// Free places, as advice only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

impl Service {
    /// Whether a new referral may name the service.
    #[must_use]
    pub fn takes_referrals(&self) -> bool {
        self.status == ServiceStatus::Active
    }

    /// Whether nobody has assured the entry in the 180 days before the given one.
    #[must_use]
    pub fn is_stale(&self, today: Date) -> bool {
        self.assured_date.is_none_or(|assured| {
            assured
                .until(today)
                .is_ok_and(|span| span.get_days() > STALE_AFTER_DAYS)
        })
    }
}

/// Days after which a directory entry should be assured again.
const STALE_AFTER_DAYS: i32 = 180;

/// What a location is (HSDS 3.x, `location.location_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocationType {
    /// A place that one can visit.
    Physical,
    /// A postal address.
    Postal,
    /// On line or by telephone.
    Virtual,
}

/// Where a service is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Its name.
    pub name: String,
    /// What it is.
    pub location_type: LocationType,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_1: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State, two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
}

/// Free places (HSDS 3.1, `service_capacity`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// What is counted, such as `bed` or `place`.
    pub unit: String,
    /// How many are free.
    pub available: u32,
    /// The day of the count.
    pub updated: Date,
}
