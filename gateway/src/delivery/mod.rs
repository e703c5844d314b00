//! Delivery: one lane per destination takes due messages from the outbox, decides each again, writes them in the
//! destination's own form and hands them over; what came of it goes back into the store.

use std::time::Duration;

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

/// How old a decision may be when its message is handed over. Where a gateway stood still for longer, another may have its lane by now; and
/// what begins this late has ended before another gateway takes the lane of one that is cut off.
pub(crate) const STALE: Duration = Duration::from_secs(10);
