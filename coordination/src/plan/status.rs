//! The status of the overlay, as one table.

use tandem_mappings::model::plan::PlanStatus;

use PlanStatus::{Active, Agreed, Completed, Disengaged, Proposed, Terminated, UnderReview};

/// Every allowed move of the overlay. A family can leave and a plan can be terminated at any time; a plan is
/// completed while it runs or at its review.
pub const PLAN_TRANSITIONS: &[(PlanStatus, PlanStatus)] = &[
    (Proposed, Agreed),
    (Agreed, Active),
    (Active, UnderReview),
    (UnderReview, Active),
    (Active, Completed),
    (UnderReview, Completed),
    (Proposed, Disengaged),
    (Agreed, Disengaged),
    (Active, Disengaged),
    (UnderReview, Disengaged),
    (Proposed, Terminated),
    (Agreed, Terminated),
    (Active, Terminated),
    (UnderReview, Terminated),
];

/// Whether nothing leads out of a status.
#[must_use]
pub fn plan_is_over(status: PlanStatus) -> bool {
    matches!(status, Completed | Disengaged | Terminated)
}
