//! Service referrals: content, states and reasons. (In child welfare "referral" means an abuse report; ours never is.)

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::coding::{Coding, codes};
use super::domain::Domain;
use super::id::{GoalId, OrganizationId, ReferralId, ServiceId, SourceHouseholdId, SourcePersonId};
use super::worker::WorkerContact;

codes! {
    /// The states of a referral: FHIR task-status without `ready` and `received` (Gravity SDOH Clinical Care,
    /// value set SDOHCC-ValueSetReferralTaskStatus).
    ReferralStatus {
        /// Being written; content may be incomplete.
        Draft = "draft",
        /// Asked of the target.
        Requested = "requested",
        /// The target will serve.
        Accepted = "accepted",
        /// The target will not serve.
        Rejected = "rejected",
        /// Withdrawn.
        Cancelled = "cancelled",
        /// Service or intake has begun.
        InProgress = "in-progress",
        /// Waiting.
        OnHold = "on-hold",
        /// Ended as meant.
        Completed = "completed",
        /// Ended without the service.
        Failed = "failed",
        /// Should never have been.
        EnteredInError = "entered-in-error",
    }
}

codes! {
    /// Why a referral stands where it stands.
    ReasonCode {
        /// The service was received.
        ServiceReceived = "service-received",
        /// The service has started.
        ServiceStarted = "service-started",
        /// Partially met.
        PartiallyMet = "partially-met",
        /// Referred on to another organisation.
        ReferredOnward = "referred-onward",
        /// The client declined.
        ClientDeclined = "client-declined",
        /// The need was met elsewhere.
        NeedMetElsewhere = "need-met-elsewhere",
        /// The client could not be reached.
        ClientUnreachable = "client-unreachable",
        /// The client did not come.
        ClientNoShow = "client-no-show",
        /// The client moved away.
        ClientMoved = "client-moved",
        /// The client died.
        ClientDeceased = "client-deceased",
        /// Not eligible.
        Ineligible = "ineligible",
        /// No capacity.
        NoCapacity = "no-capacity",
        /// The wrong service for the need.
        WrongService = "wrong-service",
        /// Outside the area served.
        OutOfArea = "out-of-area",
        /// The programme closed.
        ProgramClosed = "program-closed",
        /// On a waiting list.
        Waitlisted = "waitlisted",
        /// Information is missing.
        MissingInformation = "missing-information",
        /// The provider did not answer.
        ProviderUnresponsive = "provider-unresponsive",
        /// A duplicate of another referral.
        Duplicate = "duplicate",
        /// Consent was revoked.
        ConsentRevoked = "consent-revoked",
        /// Consent expired.
        ConsentExpired = "consent-expired",
        /// The law forbids it.
        LegalRestriction = "legal-restriction",
        /// The service was not delivered.
        ServiceNotDelivered = "service-not-delivered",
    }
}

codes! {
    /// Detail below the state (FHIR Task.businessStatus); never a state.
    SubStatus {
        /// Waiting for consent.
        AwaitingConsent = "awaiting-consent",
        /// Sent to the target.
        Sent = "sent",
        /// Delivered to the target.
        Delivered = "delivered",
        /// Seen by the target.
        Viewed = "viewed",
        /// A contact was tried.
        ContactAttempted = "contact-attempted",
        /// The client was contacted.
        ClientContacted = "client-contacted",
        /// The client has to act.
        NeedsClientAction = "needs-client-action",
        /// An appointment is made.
        AppointmentScheduled = "appointment-scheduled",
        /// Eligible, not started.
        EligibleNotStarted = "eligible-not-started",
        /// On a waiting list.
        Waitlisted = "waitlisted",
        /// Enrolled.
        Enrolled = "enrolled",
        /// Service started.
        ServiceStarted = "service-started",
    }
}

codes! {
    /// How urgent (FHIR priority routine, urgent, stat).
    Urgency {
        /// Routine.
        Routine = "routine",
        /// Urgent.
        Urgent = "urgent",
        /// Crisis.
        Crisis = "crisis",
    }
}

codes! {
    /// On which side of a referral somebody acts.
    ReferralRole {
        /// Who refers.
        Source = "source",
        /// Who is asked to serve.
        Target = "target",
        /// The gateway itself.
        Gateway = "gateway",
    }
}

/// A referral as a message names it: by the gateway's id, or by either side's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ReferralRef {
    /// The gateway's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ReferralId>,
    /// The id in the system of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<String>,
    /// The id in the system of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ref: Option<String>,
}

impl ReferralRef {
    /// Reads an id as written in a message: the gateway's when it is a UUID, else the writer's own. The own id is
    /// put on both sides, since a message alone does not tell on which side its writer stands.
    #[must_use]
    pub fn from_message(text: &str) -> Self {
        match text.trim().parse::<ReferralId>() {
            Ok(id) => Self {
                id: Some(id),
                ..Self::default()
            },
            Err(_) => Self {
                id: None,
                source_ref: Some(text.trim().to_owned()),
                target_ref: Some(text.trim().to_owned()),
            },
        }
    }
}

/// Who is asked: a directory service, or an organisation alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReferralTarget {
    /// The organisation, when named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The directory service, when named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
}

/// How, when and whether the client may be contacted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SafeContact {
    /// Whether the client may be contacted at all; `None` when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_contact: Option<bool>,
    /// How and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Language (BCP 47 or the sender's word).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether an interpreter is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<bool>,
}

/// Payload of `referral.drafted` and `referral.requested`: the minimum data set of a referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralRequest {
    /// How the source names it.
    pub referral: ReferralRef,
    /// Who refers; the sending system's organisation when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<OrganizationId>,
    /// The referring worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerContact>,
    /// Who is asked.
    pub target: ReferralTarget,
    /// What for.
    pub domain: Domain,
    /// The sender's own code of the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
    /// The people referred, by the source's ids; the first is the main subject.
    pub subjects: Vec<SourcePersonId>,
    /// Their household, by the source's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<SourceHouseholdId>,
    /// How urgent.
    pub urgency: Urgency,
    /// Short text: the need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// How the client may be contacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_contact: Option<SafeContact>,
    /// The plan goal it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// The referral of which this is a part (forwarded or re-referred).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<ReferralRef>,
    /// Absolute URL or id of the source's own request resource, for a reply in its form (FHIR Task or
    /// ServiceRequest).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_resources: Vec<String>,
}

/// What came of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralOutput {
    /// `procedure`, `enrollment-status`, `care-plan`, `document`, `text`.
    pub kind: String,
    /// Short text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Code, when the partner sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coding: Option<Coding>,
    /// Reference in the partner's system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Payload of the events that move a referral or give detail below its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralUpdate {
    /// Which referral.
    pub referral: ReferralRef,
    /// The state it moves to, or stays in.
    pub status: ReferralStatus,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// Detail below the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_status: Option<SubStatus>,
    /// On which side the writer stands, when the message says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ReferralRole>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<ReferralOutput>,
    /// The sender's own code of the state or result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

/// Payload of `referral.contact`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralContact {
    /// Which referral.
    pub referral: ReferralRef,
    /// Kind of contact: `phone`, `visit`, `mail`, `message`.
    pub kind: String,
    /// `attempted` or `contacted`.
    pub result: String,
}

/// Payload of `referral.timer`: a timer flags, it never moves a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralTimer {
    /// Which referral.
    pub referral: ReferralRef,
    /// Which timer, for example `decision`.
    pub timer: String,
    /// When it was or is due.
    pub due: Timestamp,
    /// Whether it has expired.
    pub expired: bool,
}

/// Payload of `service.delivered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDelivered {
    /// The person served, by the sender's id.
    pub person: SourcePersonId,
    /// What for.
    pub domain: Domain,
    /// The directory service or the sender's project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The referral that led to it, when the message says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralRef>,
    /// The day.
    pub date: jiff::civil::Date,
    /// Units of service, when counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
}
