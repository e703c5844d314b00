//! The command line of `tandem`.
//!
//! One file or folder for each command. A command gives an answer and an [`exit::Exit`]; an answer goes to standard
//! output, everything else to standard error.

mod backup;
mod check;
mod client;
mod decide;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod encode;
pub mod exit;
mod init;
mod json_input;
mod key_file;
mod keys;
mod labels;
mod link;
mod log;
mod measure;
mod migrate;
mod output;
mod output_file;
mod policy;
mod read;
mod restore;
mod root;
mod rows_line;
mod serve;
mod store;
mod table;

pub use root::run;
