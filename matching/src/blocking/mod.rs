//! Which pairs are compared: those that share a blocking key.

mod batch;
mod key;
mod postings;
mod refine;

pub use batch::BlockingStatistics;
pub(crate) use batch::Blocks;
pub(crate) use postings::Postings;
