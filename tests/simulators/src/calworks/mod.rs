//! CalWORKs: a county eligibility system that exchanges files.

mod acf199;
mod caseload;
mod layout;
mod letters;
mod linkages_reader;
mod linkages_table;
mod linkages_writer;
mod message;
mod system;

pub use message::{LinkagesMessage, Part};
pub use system::{CalworksSettings, CalworksSystem};
