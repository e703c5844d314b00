//! The objects that agencies share and the catalogue of events about them.
//!
//! Names follow FHIR, HUD, ACF and NIEM where these have one. Newtypes validate in their constructor and have no
//! other way in. An event keeps the sender's original code beside the canonical one.

pub mod assessment;
pub mod category;
pub mod coding;
pub mod comanagement;
pub mod date;
pub mod directive;
pub mod domain;
pub mod event;
pub mod id;
pub mod involvement;
pub mod link;
pub mod meeting;
pub mod message;
pub mod name;
pub mod person;
pub mod plan;
pub mod purpose;
pub mod redacted;
pub mod referral;
pub mod ssn;
pub mod step;
pub mod worker;
