//! The Tandem gateway: it accepts records and messages of agency systems, finds the people whom several agencies
//! serve, decides what may be told to whom, and delivers it in each system's own form.

pub mod accounting;
pub mod adapters;
pub mod api;
mod assembly;
pub mod audit;
pub mod backing_up;
pub mod blob;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod delivery;
#[cfg(feature = "demo")]
pub mod demo;
pub mod duties;
mod figures;
pub mod intake;
pub mod json_problem;
pub mod keys;
pub mod lock;
pub mod pipeline;
pub mod policy;
pub mod reload;
pub mod replays;
pub mod restore;
pub mod seal;
pub mod serve;
pub mod sharing;
pub mod state;
pub mod store;
pub mod traces;
pub mod transport;
