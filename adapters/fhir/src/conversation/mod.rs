//! Conversations with a FHIR server, sans I/O: each yields requests and takes answers.
//!
//! - [`pull()`]: Patients and referral Tasks since the last time.
//! - [`deliver()`]: one outbound message, by whatever resources carry it.
//! - [`inbound`]: what a partner posts to the gateway.

mod care_plan;
mod deliver;
mod exchange;
mod focus;
pub mod inbound;
mod memory;
mod notice;
mod place_order;
mod pull;
mod search;
mod update_task;
mod withdraw;

pub use deliver::deliver;
pub use focus::FetchFocus;
pub use memory::{CURSOR, Remote, TASK};
pub use pull::{Pull, pull};
