//! The referral: ten states, who may move it where, why, and when its loop is closed.
//!
//! States are those of the Gravity SDOH Clinical Care referral task value set (FHIR task-status
//! without `ready` and `received`). [`Rules::decide`] judges one move; [`Referral::apply`] folds facts,
//! so that a state can be rebuilt from its events. Delivery state is another thing: a delivered
//! message is not an accepted referral.

mod content;
mod fact;
mod forward;
mod labels;
mod rules;
mod state;
mod transition;

pub use content::{ContentGap, Sender, content_gaps};
pub use fact::{ReferralFact, Sides};
pub use forward::Forwarded;
pub use labels::{calaim_status, fhir_priority};
pub use rules::{Decision, Move, Readiness, Refused, Rules};
pub use state::Referral;
pub use transition::{TRANSITIONS, Transition, is_terminal, transition};
