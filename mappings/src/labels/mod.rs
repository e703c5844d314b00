//! The labelling step: which category and which sensitivity labels something gets, by its source, its programme and the
//! codes that it carries.
//!
//! Pure, and it only raises: what comes out is at least as strict as what the sender said and as what its system sends
//! by default, and no label is lost. Every raise names the table row that called for it. How it is used and what each
//! table holds: `docs/LABELS.md`.

mod code;
mod county;
mod label;
mod source;
mod strictness;
mod system;
mod table;

pub use code::{icd_form, is_icd};
pub use label::{Claim, Labelled, label};
pub use source::{FREE_TEXT, LabelSource, PART2_SOURCE, SELF_DEFAULT, fact};
pub use strictness::{Confidentiality, Strictness};
pub use system::{CodeForm, CodeSystems};
pub use table::{COUNTY, Hit, LabelRow, LabelTables};

#[cfg(test)]
mod tests;
