//! Speaks FHIR R4 referrals with health systems.
//!
//! Sans I/O: payloads are read from streams, and a conversation with a FHIR server yields requests
//! and takes answers. Profiles: Gravity SDOH Clinical Care 3.0.0 on US Core 7.0.0, FHIR R4 4.0.1.

pub mod codes;
pub mod config;
pub mod conversation;
pub mod county;
pub mod describe;
pub mod gates;
pub mod profile;
pub mod read;
pub mod terms;
pub mod write;
