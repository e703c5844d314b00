//! Delivery: one lane per destination takes due messages from the outbox, decides each again, writes them in the
//! destination's own form and hands them over; what came of it goes back into the store.

pub mod acknowledge;
mod backoff;
mod board;
mod breaker;
mod carry;
mod conversation;
mod files;
pub use board::{Board, Served};
pub use breaker::Standing;
pub use carry::{Carrier, conversation as converse};
pub mod lane;
mod numbers;
mod outcome;
pub(crate) use outcome::OUTCOMES;
mod ready;
mod response;
