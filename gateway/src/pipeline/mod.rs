//! The way of a message through the gateway: accept, match, apply, decide.

pub mod accept;
pub mod compose;
pub mod consents;
pub mod core;
pub mod exchange;
pub mod family;
pub mod involvements;
pub mod judge;
pub mod matcher;
pub mod mutual;
pub mod notices;
pub mod original;
pub mod overlay;
pub mod plans;
pub mod processor;
pub mod proposal;
pub mod recall;
pub mod referrals;
mod rename;
pub mod steps;
pub mod steward;
pub mod tell;
mod timer_notice;
pub mod timers;
mod workers;
