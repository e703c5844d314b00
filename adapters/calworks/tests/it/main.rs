//! Tests of the CalWORKs adapter from outside.

mod acf199;
mod support;
