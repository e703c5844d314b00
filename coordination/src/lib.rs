//! Referrals, plan overlay, co-management, steps, timers and measures as pure state machines.
//!
//! Nothing here does input or output or asks a clock: time is an argument. States are folded from
//! facts that the gateway has resolved (which referral, which person), so that every state table
//! can be rebuilt from the events.

pub mod assessment;
pub mod calendar;
pub mod comanagement;
pub mod indicators;
pub mod masking;
pub mod measures;
pub mod period;
pub mod plan;
pub mod referral;
pub mod steps;
pub mod timers;
