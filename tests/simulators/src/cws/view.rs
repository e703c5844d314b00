//! What a child welfare worker sees of a NIEM message.

/// Which of the two messages it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NiemKind {
    /// `CoordinatedReferralMessage`.
    CoordinatedReferral,
    /// `CasePlanUpdateMessage`.
    CasePlanUpdate,
}

/// A message, parsed by namespace from what arrived. Absent text is blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemMessage {
    /// Root element.
    pub kind: NiemKind,
    /// `DocumentIdentification`.
    pub message_id: String,
    /// `DocumentCreationDate`.
    pub created_at: String,
    /// Organisation named as `DocumentRecipient`.
    pub recipient: String,
    /// Organisation named as `DocumentSubmitter`.
    pub submitter: String,
    /// `DisclosureBasis`.
    pub disclosure_basis: String,
    /// `ConsentReference`.
    pub consent_reference: String,
    /// Policy references of each `DataPrivacy`.
    pub privacy: Vec<String>,
    /// Children, then parents.
    pub persons: Vec<NiemPerson>,
    /// `ChildWelfareAgencyCaseID` (19-digit form).
    pub case_ids: Vec<String>,
    /// `OrganizationCaseID` of each `RelatedCase`.
    pub related_case_ids: Vec<String>,
    /// Full names of `Caseworker`s.
    pub caseworkers: Vec<String>,
    /// `ReferralReasonText` of the case.
    pub case_reason: String,
    /// `CasePlan`, when there is one.
    pub plan: Option<NiemPlan>,
    /// Each `ServicePlanGoal`.
    pub goals: Vec<NiemGoal>,
    /// Each `Referral`.
    pub referrals: Vec<NiemReferral>,
    /// Each `RequestedService`.
    pub services: Vec<NiemService>,
    /// The XML as it came.
    pub raw: String,
}

/// A `Child` or `Parent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemPerson {
    /// `Child` or `Parent`.
    pub role: String,
    /// `PersonGivenName`.
    pub given_name: String,
    /// `PersonSurName`.
    pub surname: String,
    /// `PersonFullName`.
    pub full_name: String,
    /// `PersonBirthDate`.
    pub birth_date: String,
    /// `PersonSexCode`.
    pub sex: String,
    /// (category, id) of each identification.
    pub identifiers: Vec<(String, String)>,
}

/// A `CasePlan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemPlan {
    /// `PlanIdentification`.
    pub plan_id: String,
    /// `PlanCreatedDate`.
    pub created: String,
    /// `PlanUpdatedDate`.
    pub updated: String,
    /// Each `PlanTask`.
    pub tasks: Vec<NiemTask>,
}

/// A `PlanTask`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemTask {
    /// `TaskID`.
    pub task_id: String,
    /// `TaskName`.
    pub name: String,
    /// `TaskDescriptionText`.
    pub description: String,
    /// `TaskStatus`.
    pub status: String,
    /// `TaskStartDate`.
    pub start: String,
    /// `TaskDueDate`.
    pub due: String,
    /// Person or organisation in `TaskAssignedEntity`.
    pub assigned: String,
    /// The service in the task's augmentation: who pays and of which category.
    pub service: Option<NiemService>,
}

/// A `ServicePlanGoal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemGoal {
    /// `ActivityDescriptionText`.
    pub text: String,
    /// `ActivityStatus`.
    pub status: String,
    /// `AFCARSPermanencyGoalCode`.
    pub permanency_goal: String,
    /// `PermanencyAchievementDate`.
    pub target_date: String,
}

/// A service `Referral`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemReferral {
    /// `ActivityIdentification`.
    pub referral_id: String,
    /// `ActivityStatus`.
    pub status: String,
    /// `ActivityReasonText`.
    pub reason: String,
    /// `ActivityDescriptionText`.
    pub description: String,
    /// `ActivityDate`.
    pub date: String,
    /// Organisation in `ReferralIssuer`.
    pub issuer: String,
    /// Organisation in `ReferralEntity`.
    pub entity: String,
    /// `ReferralDueDate`.
    pub due: String,
}

/// A `RequestedService`, or the service of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemService {
    /// `ActivityName`.
    pub name: String,
    /// `ResponsibilityForServiceCostText`: which agency pays.
    pub payer: String,
    /// `ServiceCategoryCode`.
    pub category: String,
}
