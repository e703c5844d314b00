//! Plain CSV tables of people: read, linked, written.

mod error;
mod extras;
mod fields;
mod link;
mod plan;
mod read;
mod reference;
mod report;
mod row;
mod rows;
mod values;
mod write;

pub use error::LinkTablesError;
pub use extras::{LinkExtras, Reopen};
pub use link::{LinkOptions, LinkOutputs, TableInput, link_tables, link_tables_with};
pub use plan::{LinkPlan, plan_tables};
pub(crate) use read::{TableName, read_records};
pub use reference::ReferencePair;
pub use report::{LinkReport, TableWarning};
pub(crate) use values::Values;
pub(crate) use write::{CANDIDATES, write_cluster_ids, write_pairs};
