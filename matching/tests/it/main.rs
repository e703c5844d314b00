//! Tests of the matching engine from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batch;
mod constraints;
mod generator;
mod households;
mod online;
mod people;
mod population;
mod story;
mod tables;
