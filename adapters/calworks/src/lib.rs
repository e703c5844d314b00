//! Reads ACF-199, county caseload batches and Linkages messages; writes Linkages messages.

pub mod identifiers;
mod linkages;
pub mod read;
pub mod tables;
pub mod write;
