//! Reading and writing whole packages, through the port's contract only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on fails"
)]

mod checker;
mod custom;
mod deletions;
mod gates;
mod package;
mod reading;
mod robustness;
mod sanity;
mod sensitive;
mod size;
mod tolerance;
mod whole_rows;
mod writing;
