//! Health: a FHIR R4 server in memory, one for each health provider of the story.
//!
//! Profiles: SDOH Clinical Care 3.0.0 (Task for referral management, ServiceRequest) on FHIR 4.0.1.

mod lifecycle;
mod outcome;
mod profile;
mod routes;
mod search;
mod seed;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod worker;

pub use server::{FhirRequest, FhirServer, FhirSettings};
