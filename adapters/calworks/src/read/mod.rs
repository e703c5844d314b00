//! Readers.

pub mod acf199;
pub mod linkages;
mod rows;
