//! Reads HMIS CSV packages; writes Event deltas and custom files.
//!
//! Format: HUD, HMIS CSV Format Specifications FY 2026 version 1.0; exports of FY 2024 are read too.
//!
//! * [`HmisReader`] reads a zip or folder of the 24 files into events, past the gates of [`gates`].
//! * [`HmisWriter`] writes referrals, results and withdrawals as Event rows of a delta package, and everything
//!   else as rows of a custom file.

pub mod config;
pub mod describe;
pub mod gates;
mod idset;
mod kept;
mod read;
pub mod tables;
pub mod value;
mod write;

pub use read::HmisReader;
pub use write::HmisWriter;
