//! The contract that every adapter fulfils.
