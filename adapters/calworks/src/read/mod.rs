//! Readers.

pub mod acf199;
pub mod caseload;
mod compact;
pub mod linkages;
mod rows;
