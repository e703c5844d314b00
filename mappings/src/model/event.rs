//! The event catalogue: every exchanged fact is an append-only event.
//!
//! JSON form: the envelope's fields beside `type` and `payload`. Names use underscores where states use hyphens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::category::Category;
use super::coding::Coding;
use super::comanagement::{CareTeamMember, Comanagement};
use super::id::{
    DecisionId, DirectiveId, EventId, Jurisdiction, ProgramId, SourceEventId, SourceHouseholdId,
    SourcePersonId, SystemId,
};
use super::involvement::{
    AddressChange, DatedChange, Involvement, Participation, Placement, SensitiveStay, WorkerChange,
};
use super::link::LinkTold;
use super::meeting::Meeting;
use super::message::{DeliveryTold, IndicatorReported, MessageTold, Recalled};
use super::person::{HouseholdMembership, RecordGone, RecordReceived};
use super::plan::{ActivityUpdated, FundingTold, GoalUpdated, PlanContent};
use super::referral::{
    ReferralContact, ReferralRequest, ReferralTimer, ReferralUpdate, ServiceDelivered,
};
use super::step::CoordinationStep;

/// Payload of the `consent.*` events: the directive and what it covers, no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTold {
    /// The directive.
    pub directive: DirectiveId,
    /// Its version.
    pub version: u32,
    /// The categories concerned; all of the directive when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// Why, in words, for a revocation or error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

macro_rules! catalogue {
    ($($name:literal $variant:ident($payload:ty) $doc:literal),+ $(,)?) => {
        /// What an event tells.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "payload")]
        #[non_exhaustive]
        pub enum Body {
            $(#[doc = $doc] #[doc = concat!(" (`", $name, "`).")] #[serde(rename = $name)] $variant(Box<$payload>)),+
        }

        impl Body {
            /// The event's type, for example `referral.accepted`.
            #[must_use]
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            /// Every type of the catalogue.
            pub const TYPES: &'static [&'static str] = &[$($name),+];
        }
    };
}

catalogue! {
    "record.received" RecordReceived(RecordReceived) "A source record arrived",
    "record.withdrawn" RecordWithdrawn(RecordGone) "A source record left",
    "record.sealed" RecordSealed(RecordGone) "A source record was sealed",
    "link.candidate" LinkCandidate(LinkTold) "A doubtful pair waits",
    "link.decided" LinkDecided(LinkTold) "A doubtful pair was decided",
    "person.linked" PersonLinked(LinkTold) "Two records are one person",
    "person.unlinked" PersonUnlinked(LinkTold) "A link was undone",
    "household.membership" HouseholdMembership(HouseholdMembership) "A person belongs to a household or relates to another",
    "enrollment.active" EnrollmentActive(Involvement) "An enrolment runs",
    "enrollment.ended" EnrollmentEnded(Involvement) "An enrolment ended",
    "case.opened" CaseOpened(Involvement) "A case opened",
    "case.closed" CaseClosed(Involvement) "A case closed",
    "enrollment.sensitive" EnrollmentSensitive(SensitiveStay) "An enrolment is more sensitive than was told",
    "participation.status" ParticipationStatus(Participation) "Standing in a work programme",
    "placement.changed" PlacementChanged(Placement) "A child was removed, placed or returned",
    "address.changed" AddressChanged(AddressChange) "Address or telephone changed",
    "employment.changed" EmploymentChanged(DatedChange) "Employment or income changed",
    "worker.changed" WorkerChanged(WorkerChange) "Another worker is in charge",
    "court.date" CourtDate(DatedChange) "A court or review date",
    "safety.alert" SafetyAlert(DatedChange) "A safety alert, only for those with authority",
    "consent.offered" ConsentOffered(ConsentTold) "Consent was offered",
    "consent.granted" ConsentGranted(ConsentTold) "Consent took effect",
    "consent.refused" ConsentRefused(ConsentTold) "Consent was refused",
    "consent.revoked" ConsentRevoked(ConsentTold) "Consent was revoked, wholly or in part",
    "consent.expired" ConsentExpired(ConsentTold) "Consent expired",
    "consent.suspended" ConsentSuspended(ConsentTold) "Consent was suspended",
    "consent.superseded" ConsentSuperseded(ConsentTold) "A newer consent took its place",
    "consent.entered_in_error" ConsentEnteredInError(ConsentTold) "The consent should never have been",
    "referral.drafted" ReferralDrafted(ReferralRequest) "A referral is being written",
    "referral.requested" ReferralRequested(ReferralRequest) "A referral is asked of its target",
    "referral.accepted" ReferralAccepted(ReferralUpdate) "The target accepted",
    "referral.rejected" ReferralRejected(ReferralUpdate) "The target rejected",
    "referral.in_progress" ReferralInProgress(ReferralUpdate) "Service or intake has begun",
    "referral.on_hold" ReferralOnHold(ReferralUpdate) "The referral waits",
    "referral.closed" ReferralClosed(ReferralUpdate) "The referral completed or failed",
    "referral.cancelled" ReferralCancelled(ReferralUpdate) "The referral was cancelled",
    "referral.error" ReferralError(ReferralUpdate) "The referral was entered in error",
    "referral.contact" ReferralContact(ReferralContact) "The client was contacted, or it was tried",
    "referral.timer" ReferralTimer(ReferralTimer) "A timer started or expired",
    "service.delivered" ServiceDelivered(ServiceDelivered) "A service was delivered",
    "plan.proposed" PlanProposed(PlanContent) "A plan is proposed",
    "plan.agreed" PlanAgreed(PlanContent) "A plan is agreed",
    "plan.active" PlanActive(PlanContent) "A plan is in force",
    "plan.update" PlanUpdate(PlanContent) "A plan changed",
    "plan.ended" PlanEnded(PlanContent) "A plan ended",
    "goal.updated" GoalUpdated(GoalUpdated) "A goal changed",
    "activity.updated" ActivityUpdated(ActivityUpdated) "An activity changed",
    "funding.line" FundingLine(FundingTold) "Who pays for what",
    "meeting.scheduled" MeetingScheduled(Meeting) "A meeting is planned",
    "meeting.held" MeetingHeld(Meeting) "A meeting was held",
    "careteam.member" CareTeamMember(CareTeamMember) "Somebody joined or left the team",
    "comanagement.started" ComanagementStarted(Comanagement) "Co-management started",
    "comanagement.paused" ComanagementPaused(Comanagement) "Co-management is paused",
    "comanagement.ended" ComanagementEnded(Comanagement) "Co-management ended",
    "coordination.step" CoordinationStep(CoordinationStep) "A step of the coordination",
    "coordination.intensity" CoordinationIntensity(CoordinationStep) "How intensive the coordination is",
    "assessment.recorded" AssessmentRecorded(Assessment) "Levels were rated",
    "message.sent" MessageSent(MessageTold) "A worker wrote",
    "message.read" MessageRead(MessageTold) "A message was read",
    "delivery.queued" DeliveryQueued(DeliveryTold) "A message waits in its lane",
    "delivery.sent" DeliverySent(DeliveryTold) "A message was handed over",
    "delivery.acknowledged" DeliveryAcknowledged(DeliveryTold) "The destination acknowledged",
    "delivery.failed" DeliveryFailed(DeliveryTold) "An attempt failed",
    "delivery.dead" DeliveryDead(DeliveryTold) "A message was parked",
    "disclosure.recalled" DisclosureRecalled(Recalled) "Holders were asked to stop using what they hold",
    "indicator.reported" IndicatorReported(IndicatorReported) "A data owner reported numbers",
}

/// An event as an adapter reads it, before the gateway accepts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// When it happened, by the sender.
    pub occurred_at: Timestamp,
    /// The sender's own id of the event: the key of idempotent ingest, with the system.
    pub source_event_id: SourceEventId,
    /// The person concerned, by the sender's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_person_id: Option<SourcePersonId>,
    /// The household concerned, by the sender's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_household_id: Option<SourceHouseholdId>,
    /// The category of what it tells; the sending system's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Sensitivity labels (HL7 v3-ActCode); they may only grow on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The programme of the sender's organisation that tells it, by its id in the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramId>,
    /// Codes of what it tells that have no place in the payload, such as the diagnoses behind a referral. The labelling
    /// step reads them and nothing keeps them.
    #[serde(default, skip_serializing)]
    pub codes: Vec<Coding>,
    /// The table rows and facts that gave it its category and labels; the labelling step writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labelled_by: Vec<String>,
    /// The sender's own code of what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
    /// What it tells.
    #[serde(flatten)]
    pub body: Body,
}

impl NewEvent {
    /// An event without person, household, category or labels.
    #[must_use]
    pub fn new(occurred_at: Timestamp, source_event_id: SourceEventId, body: Body) -> Self {
        Self {
            occurred_at,
            source_event_id,
            source_person_id: None,
            source_household_id: None,
            category: None,
            labels: Vec::new(),
            program: None,
            codes: Vec::new(),
            labelled_by: Vec::new(),
            original: None,
            body,
        }
    }

    /// The same event about a person.
    #[must_use]
    pub fn about(mut self, person: SourcePersonId) -> Self {
        self.source_person_id = Some(person);
        self
    }

    /// The same event about a household.
    #[must_use]
    pub fn in_household(mut self, household: SourceHouseholdId) -> Self {
        self.source_household_id = Some(household);
        self
    }

    /// The same event under a category.
    #[must_use]
    pub fn under(mut self, category: Category) -> Self {
        self.category = Some(category);
        self
    }
}

/// An accepted event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The gateway's id; ids grow with acceptance.
    pub id: EventId,
    /// When the gateway accepted it.
    pub recorded_at: Timestamp,
    /// The sending system.
    pub system: SystemId,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The decision under which it was accepted or told, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<DecisionId>,
    /// Version of the payload's shape.
    pub payload_version: u32,
    /// What the sender told.
    #[serde(flatten)]
    pub told: NewEvent,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::referral::{ReferralRef, ReferralStatus};

    #[test]
    fn an_event_has_the_published_json_shape() {
        let event = NewEvent::new(
            "2026-02-03T17:20:00-08:00".parse().unwrap(),
            SourceEventId::new("ev-8841").unwrap(),
            Body::ReferralAccepted(Box::new(ReferralUpdate {
                referral: ReferralRef {
                    source_ref: Some("R-204".into()),
                    ..ReferralRef::default()
                },
                status: ReferralStatus::Accepted,
                reason: None,
                reason_text: None,
                sub_status: None,
                role: None,
                outputs: vec![],
                original: None,
            })),
        )
        .about(SourcePersonId::new("48211").unwrap());
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], "referral.accepted");
        assert_eq!(json["payload"]["status"], "accepted");
        assert_eq!(serde_json::from_value::<NewEvent>(json).unwrap(), event);
    }

    #[test]
    fn every_type_of_the_catalogue_is_named_once() {
        let mut types = Body::TYPES.to_vec();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), Body::TYPES.len());
    }
}
