//! Mutual clients and co-management: who is the same is matching; what we do about it is here.
//!
//! An episode is folded from [`EpisodeFact`]s. While it is `coordinating`, events of one programme are
//! told to the others: [`Trigger`] says which; whether each may be told is a consent decision.

mod episode;
mod fact;
mod trigger;

pub use episode::{Episode, Participant};
pub use fact::{EpisodeFact, EpisodeRefused, PauseReason};
pub use trigger::Trigger;
