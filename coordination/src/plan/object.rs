//! The objects that the overlay lines up, each with its owner.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, PlanId, RecordKey, SystemId};
use tandem_mappings::model::plan::{
    Activity, ActivityStatus, FundingLine, Goal, GoalLifecycle, PlanType,
};

/// A programme's own plan, as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePlan {
    /// The owner.
    pub owner: OrganizationId,
    /// The owner's system.
    pub system: SystemId,
    /// Id at the owner.
    pub id: PlanId,
    /// Whose kind of plan.
    pub plan_type: PlanType,
    /// Last day, when it has one.
    pub to: Option<Date>,
    /// When it was last told of.
    pub last_seen: Timestamp,
}

/// A goal with its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedGoal {
    /// The owner.
    pub owner: OrganizationId,
    /// The plan at the owner.
    pub plan: PlanId,
    /// The goal.
    pub goal: Goal,
}

/// An activity with its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedActivity {
    /// The owner.
    pub owner: OrganizationId,
    /// The plan at the owner.
    pub plan: PlanId,
    /// The record of the person who does it; none when the plan names nobody.
    pub person: Option<RecordKey>,
    /// The activity.
    pub activity: Activity,
}

/// What a proposal asks to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanObject {
    /// A goal.
    Goal(Goal),
    /// An activity.
    Activity(Activity),
    /// A funding line.
    Funding(FundingLine),
}

/// Whether a goal is part of the plan: agreed or under way, neither dropped nor only proposed.
#[must_use]
pub fn is_live_goal(goal: &Goal) -> bool {
    !matches!(
        goal.lifecycle,
        GoalLifecycle::Cancelled | GoalLifecycle::Rejected | GoalLifecycle::EnteredInError
    )
}

/// Whether an activity lies ahead or is under way.
#[must_use]
pub fn is_live_activity(activity: &Activity) -> bool {
    matches!(
        activity.status,
        ActivityStatus::Scheduled | ActivityStatus::InProgress
    )
}
