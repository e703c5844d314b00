//! Tests of the child welfare adapter.

mod key;
