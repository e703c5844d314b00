//! Retention: what is past its term is disposed of, unless something needs it or a legal hold keeps it.
//!
//! `docs/RETENTION.md` says kind by kind what goes, when, and what stays for ever. A row goes when its term is over, nothing
//! that stands needs it, and no hold keeps it, all three decided in the transaction that disposes of it. The kinds are taken
//! in an order in which none is freed by one before it: a run disposes of what a dry run has counted, and what is freed by it
//! goes with the next.

mod dispose;
pub mod duty;
mod held;
mod holds;
mod named;
mod needs;
mod people;
mod relied;
mod run;
mod weigh;

pub use dispose::ACTION as DISPOSE;
pub use holds::{HoldError, is_known, place, release};
