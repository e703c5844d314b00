//! What is told to a recipient: the permitted view of one thing, and no more. Everything that consent can take away is
//! optional.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::assessment::{Rating, Stage};
use tandem_mappings::model::comanagement::{ComanagementState, EndReason, StartReason};
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::{
    DecisionId, EpisodeId, InstrumentId, MessageId, OrganizationId, PlanId, ReferralId, ServiceId,
    SourcePersonId, SystemId,
};
use tandem_mappings::model::involvement::{ParticipationStatus, PlacementChange, Program};
use tandem_mappings::model::meeting::{Attendee, MeetingType};
use tandem_mappings::model::message::Duty;
use tandem_mappings::model::person::{Address, Sex};
use tandem_mappings::model::plan::{
    Activity, ConflictKind, FundingLine, Goal, PlanStatus, PlanType,
};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralOutput, ReferralRole, ReferralStatus, SafeContact, SubStatus, Urgency,
};
use tandem_mappings::model::step::Step;
use tandem_mappings::model::worker::WorkerContact;

/// An organisation as a message names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Registry id.
    pub id: OrganizationId,
    /// Name.
    pub name: String,
}

/// A notice that travels with the data (specs consent 11), with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Code, for example `N_10850`.
    pub code: String,
    /// Text as approved by counsel.
    pub text: String,
}

/// A person as the recipient may see him or her. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundPerson {
    /// The person's id in the recipient's own system; `None` when the recipient does not know the person.
    pub person: Option<SourcePersonId>,
    /// `parent`, `child`, `caretaker` or `other`.
    pub role: String,
    /// Given name.
    pub given: Option<String>,
    /// Middle name.
    pub middle: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Birth date.
    pub birth: Option<PartialDate>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Client Index Number, only to systems that share it.
    pub cin: Option<String>,
    /// Address.
    pub address: Option<Address>,
    /// Telephone.
    pub phone: Option<String>,
}

impl std::fmt::Debug for OutboundPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutboundPerson([redacted], {})", self.role)
    }
}

/// One message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbound {
    /// Message id; the same for every attempt.
    pub id: MessageId,
    /// Effect key: names the thing told rather than the telling. Messages about the same referral to the same
    /// recipient share it, so that the recipient's format can carry it as its own key (FHIR identifier, HMIS
    /// EventID).
    pub effect_key: String,
    /// The decision that permitted it when it was written: the same however often it is tried.
    pub decision: DecisionId,
    /// Rule ids on which the decision rests.
    pub basis: Vec<String>,
    /// The consent on which it rests, if any.
    pub consent: Option<String>,
    /// Notices that travel along.
    pub notices: Vec<Notice>,
    /// Security labels (HL7 v3-ActCode and v3-Confidentiality codes).
    pub labels: Vec<String>,
    /// When it was written into the outbox.
    pub created_at: Timestamp,
    /// Who tells.
    pub sender: Party,
    /// Who is told.
    pub recipient: Party,
    /// The people it is about.
    pub people: Vec<OutboundPerson>,
    /// The recipient's own case number, when known.
    pub recipient_case: Option<String>,
    /// What is told.
    pub body: OutboundBody,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OutboundBody {
    /// The same family is served elsewhere.
    MutualClient(Box<MutualClientView>),
    /// A service referral, asked of the recipient.
    Referral(Box<ReferralView>),
    /// How a referral stands.
    ReferralStatus(Box<ReferralStatusView>),
    /// A plan, or what changed in it.
    Plan(Box<PlanView>),
    /// Standing in a work programme.
    Participation(Box<ParticipationView>),
    /// Co-management started, paused or ended.
    Comanagement(Box<ComanagementView>),
    /// A meeting.
    Meeting(Box<MeetingView>),
    /// Levels rated.
    Assessment(Box<AssessmentView>),
    /// Plans clash.
    Conflict(Box<ConflictView>),
    /// Something changed that both sides exchange while coordinating.
    Change(Box<ChangeView>),
    /// Stop using what was delivered: ids and duties only.
    Recall(Box<RecallView>),
    /// A consent on which the recipient relies will end.
    ConsentReminder(Box<ConsentReminderView>),
}

/// The same family is served elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutualClientView {
    /// The partner's system.
    pub partner_system: SystemId,
    /// The partner organisation.
    pub partner: Party,
    /// The partner's programme.
    pub partner_program: Program,
    /// The partner's case.
    pub partner_case: Option<String>,
    /// Its status, in the partner's words.
    pub partner_case_status: Option<String>,
    /// The partner's worker.
    pub worker: Option<WorkerContact>,
    /// Since when both know the family.
    pub since: Option<Date>,
}

/// A service referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralView {
    /// The gateway's id.
    pub referral: ReferralId,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// What for.
    pub domain: Domain,
    /// How urgent.
    pub urgency: Urgency,
    /// The need, in words.
    pub need: Option<String>,
    /// The directory service asked for.
    pub service: Option<ServiceId>,
    /// Its name.
    pub service_name: Option<String>,
    /// The recipient's own id of that service: an HMIS ProjectID, a HealthcareService id.
    pub service_reference: Option<String>,
    /// The referring worker.
    pub worker: Option<WorkerContact>,
    /// How the client may be contacted.
    pub safe_contact: Option<SafeContact>,
    /// Absolute URLs of the source's own request resources (FHIR).
    pub source_resources: Vec<String>,
    /// The gateway's id of the referral of which this is a part.
    pub part_of: Option<ReferralId>,
    /// Whether the referral is withdrawn: the recipient's copy is to be cancelled.
    pub is_withdrawn: bool,
    /// Why withdrawn.
    pub withdrawn_reason: Option<ReasonCode>,
}

/// How a referral stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralStatusView {
    /// The gateway's id.
    pub referral: ReferralId,
    /// The recipient's own id of the referral, when known.
    pub recipient_ref: Option<String>,
    /// On which side the recipient stands; `None` when it only looks on.
    pub recipient_role: Option<ReferralRole>,
    /// What for.
    pub domain: Option<Domain>,
    /// Who serves.
    pub target: Option<Party>,
    /// State.
    pub status: ReferralStatus,
    /// Why.
    pub reason: Option<ReasonCode>,
    /// Why, in words.
    pub reason_text: Option<String>,
    /// Detail below the state.
    pub sub_status: Option<SubStatus>,
    /// Since when.
    pub at: Timestamp,
    /// What came of it.
    pub outputs: Vec<ReferralOutput>,
    /// Absolute URLs of the recipient's own request resources (FHIR Task, ServiceRequest).
    pub recipient_resources: Vec<String>,
}

/// A plan, or what changed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// Plan id at its owner, or the gateway's for the overlay.
    pub plan: PlanId,
    /// Whose plan.
    pub plan_type: PlanType,
    /// The owner.
    pub owner: Party,
    /// Version.
    pub version: Option<u32>,
    /// State.
    pub status: PlanStatus,
    /// Goals told.
    pub goals: Vec<Goal>,
    /// Activities told.
    pub activities: Vec<Activity>,
    /// Funding lines told.
    pub fundings: Vec<FundingLine>,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
    /// When the plan was last written by its owner.
    pub updated_at: Timestamp,
    /// The referral at the recipient under which the plan travels as an output, if any (FHIR Task).
    pub referral: Option<ReferralId>,
    /// Absolute URL of that Task.
    pub referral_resource: Option<String>,
}

/// Standing in a work programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipationView {
    /// The standing.
    pub status: ParticipationStatus,
    /// From when.
    pub effective: Option<PartialDate>,
    /// Why, in words.
    pub reason: Option<String>,
}

/// Co-management started, paused or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComanagementView {
    /// The episode.
    pub episode: EpisodeId,
    /// State.
    pub state: ComanagementState,
    /// Why it started.
    pub start_reason: Option<StartReason>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// The leading organisation.
    pub lead: Option<Party>,
    /// The partner's worker.
    pub worker: Option<WorkerContact>,
    /// The partner's case.
    pub partner_case: Option<String>,
    /// Step of the coordination.
    pub step: Option<Step>,
    /// Anticipated needs and where to turn.
    pub transition_plan: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingView {
    /// Kind.
    pub meeting_type: MeetingType,
    /// Whether it was held; else it is planned.
    pub is_held: bool,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub place: Option<String>,
    /// Who was there.
    pub present: Vec<Attendee>,
    /// Whether the family was there.
    pub family_present: Option<bool>,
    /// Next meeting.
    pub next: Option<Timestamp>,
}

/// Levels rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessmentView {
    /// The instrument.
    pub instrument: InstrumentId,
    /// When in the episode.
    pub stage: Stage,
    /// The day.
    pub rated_on: Date,
    /// The ratings that may be told.
    pub ratings: Vec<Rating>,
}

/// Plans clash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictView {
    /// What kind.
    pub conflict: ConflictKind,
    /// The recipient's own object (activity or goal id).
    pub own: Option<String>,
    /// The other object's id.
    pub other: Option<String>,
    /// The other object's owner.
    pub other_owner: Option<Party>,
    /// When the clash is, for overlapping times.
    pub at: Option<Timestamp>,
}

/// Something changed that both sides exchange while coordinating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// The event's type, for example `case.closed`.
    pub change: String,
    /// A placement change, when it is one.
    pub placement: Option<PlacementChange>,
    /// Whether a reunification plan exists, when a removal tells: cash aid goes on with one (WIC 11203).
    #[serde(default)]
    pub reunification_plan: Option<bool>,
    /// Status in the programme's words, for a case change.
    pub status: Option<String>,
    /// When.
    pub date: Option<PartialDate>,
    /// The new worker, when it is a worker change.
    pub worker: Option<WorkerContact>,
}

/// A consent will end on which messages rest that the recipient holds, or referrals that it made. It says no category and
/// names no other organisation: what the recipient was told, it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentReminderView {
    /// The consent, by the id that the messages carry.
    pub consent: String,
    /// The last day on which it counts.
    pub last_day: Date,
    /// The messages to the recipient that rest on it.
    pub messages: Vec<MessageId>,
    /// The recipient's own referrals that rest on it, by its own ids.
    pub referrals: Vec<String>,
}

impl ConsentReminderView {
    /// The reminder in words for a worker, one sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut said = vec![format!(
            "Consent {} ends after {}: without a new one nothing more is told on it.",
            self.consent, self.last_day
        )];
        let messages: Vec<String> = self.messages.iter().map(ToString::to_string).collect();
        for (what, ids) in [
            ("Messages to you", &messages),
            ("Your referrals", &self.referrals),
        ] {
            if !ids.is_empty() {
                said.push(format!("{what} that rest on it: {}.", ids.join(", ")));
            }
        }
        said
    }
}

/// Stop using what was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallView {
    /// The messages recalled.
    pub messages: Vec<MessageId>,
    /// What is asked.
    pub duties: Vec<Duty>,
}
