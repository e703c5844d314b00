//! Writing: permitted views become FHIR resources, and no more than they hold.
//!
//! Every resource that leaves is checked against the typed model, and referral resources against
//! their profiles too: a view from which redaction took what the profile requires is not written.

pub(crate) mod care_plan;
pub(crate) mod communication;
pub(crate) mod element;
pub mod outcome;
pub(crate) mod patient;
pub(crate) mod provenance;
pub(crate) mod referral;
pub(crate) mod strict;
pub mod task_status;
pub(crate) mod wording;

pub use element::organization_resource;
pub use referral::{OwnOrder, own_order};
pub use strict::WriteError;
