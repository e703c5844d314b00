//! Tests of the child welfare adapter.

mod cws_cms;
mod gate;
mod key;
mod niem;
mod samples;
mod support;
mod write;
