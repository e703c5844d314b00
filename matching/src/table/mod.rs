//! Plain CSV tables of people: read, linked, written.

mod link;
mod read;
mod report;
mod row;

pub use link::{LinkOptions, LinkOutputs, LinkTablesError, TableInput, link_tables};
pub use report::{LinkReport, TableWarning};
