//! The log as whoever verifies it sees it: files, keys and what is said of them.

mod binary;
mod export;
mod log;
mod tampering;
