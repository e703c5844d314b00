//! The overlay plan: each programme keeps its plan; the gateway lines the plans up.
//!
//! Owners write; what anybody else writes becomes a [`Proposal`] to the owner. The overlay has a status and
//! versions of its own, folded from [`PlanFact`]s. [`conflicts`] flags; it never decides. Funds are
//! braided, never blended: every funding line names one paying programme.

mod conflict;
mod fact;
mod object;
mod overlay;
mod status;
mod stored;

pub use conflict::{Conflict, ConflictSettings, conflicts};
pub use fact::{Effects, PlanFact, PlanRefused, Proposal, Writer};
pub use object::{
    OwnedActivity, OwnedGoal, PlanObject, SourcePlan, is_live_activity, is_live_goal,
};
pub use overlay::{Agreement, Overlay, PlanVersion};
pub use status::{PLAN_TRANSITIONS, plan_is_over};
