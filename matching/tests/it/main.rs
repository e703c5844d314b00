//! Tests of the matching engine from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batch;
mod browser;
mod constraints;
mod encoded;
mod encoded_run;
mod explain;
mod generator;
mod groups;
mod homes;
mod households;
mod learning;
mod lookalikes;
mod online;
mod people;
mod plan;
mod population;
mod report;
mod same_answer;
mod story;
mod tables;
mod tables_run;
