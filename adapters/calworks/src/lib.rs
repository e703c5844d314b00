//! Reads ACF-199, county caseload batches and Linkages messages; writes Linkages messages.

pub mod read;
pub mod tables;
