//! What the consent engine promises, tested through its public face.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod arbitrary;
mod bounds;
mod composition;
mod consents;
mod duties;
mod examples;
mod fixtures;
mod forms;
mod law;
mod laws;
mod layers;
mod opening;
mod properties;
mod refusals;
mod schemas;
mod snapshot;
mod story;
mod validity;
mod world;
