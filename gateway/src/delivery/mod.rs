//! Delivery: one lane per destination takes due messages from the outbox, decides each again, writes them in the
//! destination's own form and hands them over; what came of it goes back into the store.

pub mod acknowledge;
mod backoff;
mod breaker;
mod carry;
pub use carry::{Carrier, conversation as converse};
pub mod lane;
mod outcome;
mod ready;
