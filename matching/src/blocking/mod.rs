//! Which pairs are compared: those that share a blocking key.

mod batch;
mod holders;
mod key;
mod postings;
mod refine;
mod sorter;
mod survey;
mod trace;

pub use batch::BlockingStatistics;
pub(crate) use batch::Blocks;
pub(crate) use postings::Postings;
pub use survey::{KeyStatistics, Survey};
pub(crate) use trace::Trace;
pub use trace::{KeyOutcome, SharedKey};
