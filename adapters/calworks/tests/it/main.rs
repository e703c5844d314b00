//! Tests of the CalWORKs adapter from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on fails"
)]

mod acf199;
mod acf199_files;
mod caseload;
mod linkages_kinds;
mod linkages_read;
mod linkages_write;
mod records;
mod support;
