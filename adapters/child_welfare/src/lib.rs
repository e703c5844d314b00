//! Child welfare systems: extracts shaped like the tables of California's CWS/CMS, and the two
//! NIEM 6.0 messages (service referral, case-plan update).
//!
//! What must never enter (sealed files, abuse reports) is refused in [`gates`], before any event.

pub mod config;
pub mod describe;
pub mod gates;
mod key;
mod namespace;
mod read;
mod tables;
mod write;

pub use config::Config;
pub use key::{CmsKey, KeyError};
pub use read::cws_cms::CwsCmsReader;
pub use read::niem::NiemReader;
pub use tables::Tables;
pub use write::NiemWriter;
