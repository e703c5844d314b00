//! End-to-end tests: the whole gateway between simulated agency systems.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what helps a test fails it by panicking, as the test itself does"
)]

mod baseline;
mod consent;
mod county;
mod drafts;
mod duplicates;
mod episodes;
mod expiry;
mod gone;
mod joined;
mod labels;
mod lanes;
mod links;
mod moves;
mod overdue;
mod policy;
mod protected;
mod pull;
mod races;
mod reasons;
mod rebuild;
mod records;
mod refresh;
mod restart;
mod story;
