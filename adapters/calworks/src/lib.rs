//! The adapter for CalWORKs and other TANF systems.
//!
//! It reads the federal ACF-199 and ACF-209 files, a county's caseload batch by the county's own layout, and Linkages
//! messages; it writes Linkages messages.

pub mod config;
pub mod describe;
pub mod gates;
pub mod identifiers;
mod linkages;
pub mod read;
pub mod tables;
pub mod write;
