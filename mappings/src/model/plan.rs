//! Case plans: goals, activities, who pays, and their states.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::coding::{Coding, codes};
use super::domain::Domain;
use super::id::{ActivityId, GoalId, OrganizationId, PlanId, SourcePersonId};
use super::referral::ReferralRef;

codes! {
    /// Whose plan it is.
    PlanType {
        /// Child welfare case plan.
        ChildWelfare = "child-welfare",
        /// Welfare-to-Work plan (form WTW 2).
        WelfareToWork = "welfare-to-work",
        /// Housing plan.
        Housing = "housing",
        /// Health care plan.
        Health = "health",
        /// Family support plan.
        FamilySupport = "family-support",
        /// The gateway's overlay.
        Coordinated = "coordinated",
    }
}

codes! {
    /// State of a plan; FHIR draft, active, on-hold, completed, revoked.
    PlanStatus {
        /// Proposed.
        Proposed = "proposed",
        /// Every participating programme and the family agreed.
        Agreed = "agreed",
        /// In force.
        Active = "active",
        /// Being reviewed.
        UnderReview = "under-review",
        /// Ended as meant.
        Completed = "completed",
        /// The family left.
        Disengaged = "disengaged",
        /// Ended otherwise.
        Terminated = "terminated",
    }
}

codes! {
    /// Life cycle of a goal (FHIR goal-status).
    GoalLifecycle {
        /// Proposed.
        Proposed = "proposed",
        /// Planned.
        Planned = "planned",
        /// Accepted.
        Accepted = "accepted",
        /// Active.
        Active = "active",
        /// On hold.
        OnHold = "on-hold",
        /// Completed.
        Completed = "completed",
        /// Cancelled.
        Cancelled = "cancelled",
        /// Rejected.
        Rejected = "rejected",
        /// Should never have been.
        EnteredInError = "entered-in-error",
    }
}

codes! {
    /// How far a goal is reached (FHIR goal-achievement).
    Achievement {
        /// In progress.
        InProgress = "in-progress",
        /// Improving.
        Improving = "improving",
        /// Worsening.
        Worsening = "worsening",
        /// No change.
        NoChange = "no-change",
        /// Achieved.
        Achieved = "achieved",
        /// Sustaining.
        Sustaining = "sustaining",
        /// Not achieved.
        NotAchieved = "not-achieved",
        /// No progress.
        NoProgress = "no-progress",
        /// Not attainable.
        NotAttainable = "not-attainable",
    }
}

codes! {
    /// Kind of activity.
    ActivityKind {
        /// An appointment at a time.
        Appointment = "appointment",
        /// A service.
        Service = "service",
        /// Work or work experience.
        Work = "work",
        /// Education or training.
        Education = "education",
        /// Treatment.
        Treatment = "treatment",
        /// Another kind.
        Other = "other",
    }
}

codes! {
    /// State of an activity.
    ActivityStatus {
        /// Scheduled.
        Scheduled = "scheduled",
        /// Under way.
        InProgress = "in-progress",
        /// Done.
        Completed = "completed",
        /// Called off.
        Cancelled = "cancelled",
        /// Missed.
        Missed = "missed",
    }
}

codes! {
    /// Who demands an activity.
    MandatedBy {
        /// A court.
        Court = "court",
        /// The work programme.
        WorkProgramme = "work-programme",
        /// Nobody: voluntary.
        Voluntary = "voluntary",
    }
}

codes! {
    /// What is paid for: the six categories of the Linkages resource guide.
    ResourceCategory {
        /// Transportation.
        Transportation = "transportation",
        /// Housing.
        Housing = "housing",
        /// Mental health treatment.
        MentalHealthTreatment = "mental-health-treatment",
        /// Alcohol and other drug treatment.
        AodTreatment = "aod-treatment",
        /// Child care.
        ChildCare = "child-care",
        /// Another resource.
        Other = "other",
    }
}

/// A goal; only its owner writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Id at the owner.
    pub id: GoalId,
    /// What it is about.
    pub domain: Domain,
    /// The goal in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// The owning programme; the sender when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OrganizationId>,
    /// Life cycle.
    pub lifecycle: GoalLifecycle,
    /// How far reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achievement: Option<Achievement>,
    /// Level at the start, on the instrument in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_level: Option<u8>,
    /// Level aimed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_level: Option<u8>,
    /// Date aimed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<Date>,
    /// The sender's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

/// An activity; only its owner writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Id at the owner.
    pub id: ActivityId,
    /// What it is.
    pub kind: ActivityKind,
    /// What it is about.
    pub domain: Domain,
    /// Name in the owner's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The person who does it, by the sender's id; the plan's first subject when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<SourcePersonId>,
    /// The goal it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// Who provides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Start of an appointment or first occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// End of an appointment or last occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Hours a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_per_week: Option<u16>,
    /// Who demands it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandated_by: Option<MandatedBy>,
    /// Toward which plans it counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts_toward: Vec<PlanType>,
    /// The referral that brings it about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralRef>,
    /// State.
    pub status: ActivityStatus,
    /// The sender's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

/// A funding line: one programme pays one thing. Funds are braided, never blended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingLine {
    /// What is paid for.
    pub category: ResourceCategory,
    /// The one programme that pays.
    pub payer: OrganizationId,
    /// Whether it pays only where nobody else does.
    #[serde(default)]
    pub payer_of_last_resort: bool,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Authorised amount, whole US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u32>,
    /// Note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Payload of `plan.proposed`, `plan.agreed`, `plan.active`, `plan.update` and `plan.ended`: a source plan as its
/// owner tells it. Absent objects mean "not told", not "removed".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanContent {
    /// Id at the owner.
    pub plan: PlanId,
    /// Whose plan.
    pub plan_type: PlanType,
    /// The owner's version, when counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// State.
    pub status: PlanStatus,
    /// The people planned for, by the sender's ids.
    pub subjects: Vec<SourcePersonId>,
    /// Goals told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    /// Activities told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    /// Funding lines told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fundings: Vec<FundingLine>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Next review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_due: Option<Date>,
    /// Why it ended or changed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Payload of `goal.updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalUpdated {
    /// The plan at the owner.
    pub plan: PlanId,
    /// The goal as it now is.
    pub goal: Goal,
}

/// Payload of `activity.updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityUpdated {
    /// The plan at the owner.
    pub plan: PlanId,
    /// The activity as it now is.
    pub activity: Activity,
}

/// Payload of `funding.line`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingTold {
    /// The plan at the owner.
    pub plan: PlanId,
    /// The line.
    pub line: FundingLine,
}

codes! {
    /// What the gateway flags when plans are lined up. It flags; it never decides.
    ConflictKind {
        /// Two activities of one person overlap in time.
        OverlappingTimes = "overlapping-times",
        /// The same service is paid by two programmes.
        SameServiceTwoPayers = "same-service-two-payers",
        /// Required by one plan, forbidden or missing in the other.
        RequiredAndMissing = "required-and-missing",
        /// A goal date lies after the plan's end.
        GoalAfterPlanEnd = "goal-after-plan-end",
        /// A goal has no activity.
        GoalWithoutActivity = "goal-without-activity",
        /// A programme has been silent longer than the review interval.
        ProgrammeSilent = "programme-silent",
    }
}
