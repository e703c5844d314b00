//! What the prover promises: the rules as they stand are proven, and whatever widens them is found and told.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod bundles;
mod command;
mod mutations;
mod solvers;
