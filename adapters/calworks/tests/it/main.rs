//! Tests of the CalWORKs adapter from outside.

mod acf199;
mod acf199_files;
mod caseload;
mod linkages_read;
mod linkages_write;
mod records;
mod support;
