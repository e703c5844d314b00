//! Readers.

pub mod acf199;
