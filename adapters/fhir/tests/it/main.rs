//! The adapter from outside: what it reads, what it asks for, what it answers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail by panicking"
)]

mod broken;
mod history;
mod message;
mod ordering;
mod posting;
mod pulling;
mod reading;
mod server;
mod setting;
mod updating;
