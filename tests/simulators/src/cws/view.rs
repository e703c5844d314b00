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
    /// `DocumentCategoryText`: the sender's word for what the message tells.
    pub category: String,
    /// `DocumentIdentification`.
    pub message_id: String,
    /// `DocumentCreationDate`.
    pub created_at: String,
    /// `DocumentRecipient`.
    pub recipient: NiemParty,
    /// `DocumentSubmitter`.
    pub submitter: NiemParty,
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
    /// Each `RelatedCase`: a case of the same family at another agency.
    pub related_cases: Vec<NiemRelatedCase>,
    /// Each `CaseConference` and `CaseActivity`.
    pub case_events: Vec<NiemCaseEvent>,
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

/// An organisation in a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NiemParty {
    /// `OrganizationIdentification`.
    pub id: String,
    /// `OrganizationName`.
    pub name: String,
}

impl NiemParty {
    /// Whether neither id nor name is there.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.id.is_empty() && self.name.is_empty()
    }
}

/// A `RelatedCase`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemRelatedCase {
    /// `ActivityCategoryText`, e.g. the partner's programme.
    pub category: String,
    /// `ActivityStatus`.
    pub status: String,
    /// `OrganizationIdentification`.
    pub organization: String,
    /// `OrganizationCaseID`.
    pub case_id: String,
    /// Each `ActivityReasonText`.
    pub reasons: Vec<String>,
    /// `ActivityDate`.
    pub date: String,
    /// `ActivityDescriptionText`.
    pub description: String,
}

/// A `CaseConference` or `CaseActivity` of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemCaseEvent {
    /// Name of the element.
    pub element: String,
    /// `ActivityCategoryText`.
    pub category: String,
    /// `ActivityName`.
    pub name: String,
    /// `ActivityStatus`.
    pub status: String,
    /// Each `ActivityReasonText`.
    pub reasons: Vec<String>,
    /// `ActivityDate`.
    pub date: String,
    /// (title, text) of each `ActivityComment`.
    pub comments: Vec<(String, String)>,
    /// (category, id) of each `ActivityIdentification`.
    pub ids: Vec<(String, String)>,
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
    /// Category of the identification: what kind of plan it is.
    pub plan_type: String,
    /// Text of the `PlanComment`: the plan's status.
    pub status: String,
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
    /// `StatusDescriptionText` of the status: why.
    pub status_detail: String,
    /// `TaskStartDate`.
    pub start: String,
    /// `TaskEndDate`.
    pub end: String,
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
    /// `ActivityIdentification`.
    pub goal_id: String,
    /// `ActivityCategoryText`.
    pub domain: String,
    /// `ActivityDescriptionText`.
    pub text: String,
    /// `ActivityStatus`.
    pub status: String,
    /// `StatusDescriptionText` of the status: how far it is reached.
    pub achievement: String,
    /// `AFCARSPermanencyGoalCode`.
    pub permanency_goal: String,
    /// `PermanencyAchievementDate`.
    pub target_date: String,
}

/// A service `Referral`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NiemReferral {
    /// First `ActivityIdentification`.
    pub referral_id: String,
    /// (category, id) of each `ActivityIdentification`: the sides name a referral differently.
    pub ids: Vec<(String, String)>,
    /// `ActivityStatus`.
    pub status: String,
    /// Each `StatusDescriptionText` of the status: reason and sub-status codes.
    pub status_details: Vec<String>,
    /// `StatusCommentText` of the status.
    pub status_comment: String,
    /// `ActivityReasonText`.
    pub reason: String,
    /// `ActivityDescriptionText`.
    pub description: String,
    /// `ActivityDate`.
    pub date: String,
    /// `ReferralIssuer`.
    pub issuer: NiemParty,
    /// `ReferralEntity`.
    pub entity: NiemParty,
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
    /// `ActivityCategoryText`: domain or resource category.
    pub domain: String,
    /// `ServiceCostValue`.
    pub amount: String,
}
