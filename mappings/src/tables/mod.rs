//! Tables: layouts and code crosswalks as data files that are checked when they are loaded.
//!
//! A table is a CSV file whose first lines are comments: `# source: ...` and `# version: ...` must
//! be there, `# example: INPUT -> OUTPUT` lines are pairs that `tandem check` runs, any other
//! comment is free text. Then comes the header, exactly as the caller expects it, then the rows.
//! The text may be embedded in the binary or be a county's own file; a county's file can replace
//! or add rows by key ([`Table::overridden_by`]), so that no rebuild is needed.

mod crosswalk;
mod domains;
mod error;
mod examples;
mod fixed;
mod named;
mod rank;
mod reasons;
mod table;

pub use crosswalk::{Coded, Crosswalk, CrosswalkColumns, Openness, UnmappedCode};
pub use domains::{DOMAIN_CROSSWALK_HEADER, domain_crosswalk};
pub use error::TableError;
pub use examples::{Example, ExampleFailure};
pub use fixed::{FixedColumns, FixedField, FixedLayout, Gaps};
pub use named::{CsvColumns, CsvField, CsvLayout};
pub use rank::MatchKind;
pub use reasons::{HmisResult, ReasonRule, ReasonTable};
pub use table::{Row, Table, TableHash};
