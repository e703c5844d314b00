//! The audit log of a running gateway: its keys, its tree in memory, signed checkpoints, exports and their verification.
//!
//! The leaves are written by the store, with the records that they bind. Here they are read back once they are durable.

mod disposals;
mod export;
mod keys;
mod log;
mod signing;
mod verify;

pub use export::{Exporter, Shown};
pub use keys::{
    AuditKeyError, AuditKeys, PublicKeys, create_key, read_key, read_witness_state,
    write_witness_state,
};
pub use log::{AuditLog, LogError};
pub use signing::run;
pub use verify::{COSIGN, Check, CheckError};

#[cfg(test)]
mod tests;
