//! The Linkages messages as rows of named fields, and their two forms: CSV batch and JSON. Reading and writing share it.

mod formula;
mod message;

pub(crate) use formula::{guard, unguard};
pub(crate) use message::{Fields, Message, Part, has_controls};

/// Version of the message form.
pub(crate) const VERSION: &str = "1.0";
