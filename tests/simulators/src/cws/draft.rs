//! What the child welfare worker fills in before a NIEM message is written.

/// A task of a case plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanTaskDraft {
    /// Id of the task in the worker's system.
    pub task_id: String,
    /// What is to be done.
    pub name: String,
    /// E.g. `in_progress`, `completed`.
    pub status: String,
    /// `appointment`, `service`, `work`, `education`, `treatment` or `other`; may be blank.
    pub kind: String,
    /// Begin with time and offset, for an appointment; may be blank.
    pub start: String,
    /// End with time and offset; may be blank.
    pub end: String,
    /// Day by which it is due, `YYYY-MM-DD`; may be blank.
    pub due: String,
    /// Canonical domain, e.g. `mental-health`; may be blank.
    pub domain: String,
    /// Plans toward which it counts, e.g. `welfare-to-work`.
    pub counts_toward: Vec<String>,
    /// Goal that it serves; may be blank.
    pub goal_id: String,
    /// Who does it, e.g. `Marisol Demofield`; may be blank.
    pub assigned: String,
    /// Which agency pays; may be blank.
    pub payer: String,
    /// NIEM service category, e.g. `Mental Health Services`; may be blank.
    pub category: String,
}

/// Which agency pays for what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FundingDraft {
    /// Resource category, e.g. `housing`.
    pub category: String,
    /// Organisation id of the payer.
    pub payer: String,
    /// Whole dollars; may be blank.
    pub amount: String,
}

/// A case plan to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanUpdateDraft {
    /// Id of the plan in the worker's system.
    pub plan_id: String,
    /// Day of its creation, `YYYY-MM-DD`.
    pub created: String,
    /// Day of this change, `YYYY-MM-DD`.
    pub updated: String,
    /// `proposed`, `agreed`, `active` and so on; may be blank.
    pub status: String,
    /// Number of the version; 0 leaves it out.
    pub version: u32,
    /// Tasks in order.
    pub tasks: Vec<PlanTaskDraft>,
    /// Funding lines.
    pub fundings: Vec<FundingDraft>,
    /// Text of the goal, e.g. `Children remain safely at home`; blank leaves the goal out.
    pub goal: String,
    /// Id of the goal; may be blank.
    pub goal_id: String,
    /// Canonical domain of the goal, e.g. `safety`; may be blank.
    pub goal_domain: String,
    /// `active`, `completed` and so on; may be blank.
    pub goal_status: String,
    /// Day by which the goal is to be reached; may be blank.
    pub goal_date: String,
}

/// The standing of co-management to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComanagementDraft {
    /// `coordinating`, `paused` or `ended`.
    pub state: String,
    /// Start or end reason, e.g. `family-maintenance`, `goals-met`.
    pub reason: String,
    /// Organisation id of the leading agency; may be blank.
    pub lead: String,
    /// The partner's case number when it is known; may be blank.
    pub related_case: String,
    /// Where to turn afterwards; may be blank.
    pub transition_plan: String,
}

/// A service referral, or a change of one, to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferralDraft {
    /// Id of the referral in the worker's system; may be blank when the gateway's id is given.
    pub referral_id: String,
    /// Id by which the gateway told of the referral, when it came from there; may be blank.
    pub gateway_referral_id: String,
    /// E.g. `referred`, `accepted`, `cancelled`.
    pub status: String,
    /// Reason code of a status, e.g. `no-capacity`; may be blank.
    pub reason_code: String,
    /// Why, in words.
    pub reason: String,
    /// Organisation id of the agency asked to serve, or told.
    pub recipient: String,
    /// What is asked for, e.g. `Child care`.
    pub service: String,
    /// Canonical domain, e.g. `child-care`; may be blank.
    pub domain: String,
    /// NIEM service category, e.g. `Other Services`.
    pub category: String,
    /// Which agency pays; may be blank.
    pub payer: String,
    /// The CalWORKs case number when it is known; may be blank.
    pub related_case: String,
    /// Day by which an answer is wanted; may be blank.
    pub due: String,
}
