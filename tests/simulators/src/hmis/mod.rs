//! Housing: a homeless management information system that exchanges HMIS CSV packages.
//!
//! Format: HUD HMIS CSV Format Specifications FY2026, version 1.0.

mod holdings;
mod judge;
mod layout;
mod package;
mod parse;
mod seed;
mod system;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use system::{HmisSettings, HmisSystem};

/// One row by column name.
pub type HmisRow = BTreeMap<String, String>;

/// What a package from the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageKind {
    /// Official files that merge into what this system holds.
    Delta,
    /// `Custom*.csv` files by agreement.
    Custom,
    /// Plain text that accompanies another package; the CSV has no place for it.
    Text,
}

/// A package that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HmisPackage {
    /// Official or custom.
    pub kind: PackageKind,
    /// The one ExportID of all its rows; the file name of a text.
    pub export_id: String,
    /// Rows by file name without its ending.
    pub files: BTreeMap<String, Vec<HmisRow>>,
    /// The text, blank for the other kinds.
    pub text: String,
}
