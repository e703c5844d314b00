//! The common model of Tandem, the registry of organisations, and the tables by which each system's records
//! mean something in the model.
//!
//! Everything that crosses a crate border in Tandem is made of these types. The crate does no input or output
//! beyond reading registry files.

pub mod labels;
pub mod model;
pub mod registry;
pub mod tables;
