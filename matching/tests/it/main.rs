//! Tests of the matching engine from outside.

mod batch;
mod constraints;
mod generator;
mod online;
mod people;
mod population;
mod story;
mod tables;
