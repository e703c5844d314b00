//! Rules of coordination, seen from outside.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set its stage must fail"
)]

mod calendar;
mod comanagement;
mod measures;
mod plan;
mod referral;
mod referral_tables;
mod steps;
mod tables;
