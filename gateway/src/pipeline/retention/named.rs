//! What an event speaks of: while any of it stands, the event is part of how it came about.

use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{
    DirectiveId, EpisodeId, MessageId, PlanId, RecordKey, SourceCaseId, SourcePersonId,
};
use tandem_mappings::model::referral::ReferralRef;

/// What an event speaks of.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Records about people.
    pub(super) records: Vec<RecordKey>,
    /// The sender's cases.
    pub(super) cases: Vec<SourceCaseId>,
    /// Referrals.
    pub(super) referrals: Vec<ReferralRef>,
    /// Co-management.
    pub(super) episodes: Vec<EpisodeId>,
    /// The sender's plans.
    pub(super) plans: Vec<PlanId>,
    /// Consents.
    pub(super) directives: Vec<DirectiveId>,
    /// Messages.
    pub(super) messages: Vec<MessageId>,
    /// Whether it stays for ever: it speaks of nobody, and figures are made of it, or nobody knows yet of what it speaks.
    pub(super) stays: bool,
}

/// What an event speaks of.
pub(super) fn named(event: &Event) -> Named {
    let mut named = Named::default();
    let mut people: Vec<&SourcePersonId> = event.told.source_person_id.iter().collect();
    match &event.told.body {
        Body::RecordReceived(_) | Body::RecordWithdrawn(_) | Body::RecordSealed(_) => {}
        Body::LinkCandidate(told)
        | Body::LinkDecided(told)
        | Body::PersonLinked(told)
        | Body::PersonUnlinked(told) => named.records.extend([told.a.clone(), told.b.clone()]),
        Body::HouseholdMembership(told) => {
            people.push(&told.person);
            people.extend(&told.relative);
        }
        Body::EnrollmentActive(told)
        | Body::EnrollmentEnded(told)
        | Body::CaseOpened(told)
        | Body::CaseClosed(told) => {
            people.extend(&told.people);
            named.cases.push(told.case.clone());
        }
        Body::EnrollmentSensitive(told) => named.cases.push(told.case.clone()),
        Body::ParticipationStatus(told) => people.push(&told.person),
        Body::PlacementChanged(told) => people.push(&told.person),
        Body::AddressChanged(told) => people.push(&told.person),
        Body::EmploymentChanged(told) | Body::CourtDate(told) | Body::SafetyAlert(told) => {
            people.push(&told.person);
        }
        Body::WorkerChanged(told) => {
            people.extend(&told.people);
            named.cases.push(told.case.clone());
        }
        Body::ConsentOffered(told)
        | Body::ConsentGranted(told)
        | Body::ConsentRefused(told)
        | Body::ConsentRevoked(told)
        | Body::ConsentExpired(told)
        | Body::ConsentSuspended(told)
        | Body::ConsentSuperseded(told)
        | Body::ConsentEnteredInError(told) => named.directives.push(told.directive.clone()),
        Body::ReferralDrafted(told) | Body::ReferralRequested(told) => {
            people.extend(&told.subjects);
            named.referrals.push(told.referral.clone());
        }
        Body::ReferralAccepted(told)
        | Body::ReferralRejected(told)
        | Body::ReferralInProgress(told)
        | Body::ReferralOnHold(told)
        | Body::ReferralClosed(told)
        | Body::ReferralCancelled(told)
        | Body::ReferralError(told) => named.referrals.push(told.referral.clone()),
        Body::ReferralContact(told) => named.referrals.push(told.referral.clone()),
        Body::ReferralTimer(told) => named.referrals.push(told.referral.clone()),
        Body::ServiceDelivered(told) => {
            people.push(&told.person);
            named.referrals.extend(told.referral.clone());
        }
        Body::PlanProposed(told)
        | Body::PlanAgreed(told)
        | Body::PlanActive(told)
        | Body::PlanUpdate(told)
        | Body::PlanEnded(told) => {
            people.extend(&told.subjects);
            named.plans.push(told.plan.clone());
        }
        Body::GoalUpdated(told) => named.plans.push(told.plan.clone()),
        Body::ActivityUpdated(told) => named.plans.push(told.plan.clone()),
        Body::FundingLine(told) => named.plans.push(told.plan.clone()),
        Body::MeetingScheduled(told) | Body::MeetingHeld(told) => {
            people.extend(&told.people);
            named.cases.extend(told.case.clone());
        }
        Body::CareTeamMember(told) => named.episodes.push(told.episode),
        Body::ComanagementStarted(told)
        | Body::ComanagementPaused(told)
        | Body::ComanagementEnded(told) => {
            people.extend(&told.people);
            named.cases.extend(told.case.clone());
            named.episodes.extend(told.episode);
        }
        Body::CoordinationStep(told) | Body::CoordinationIntensity(told) => {
            people.extend(&told.people);
            named.cases.extend(told.case.clone());
        }
        Body::AssessmentRecorded(told) => {
            people.extend(&told.people);
            named.cases.extend(told.case.clone());
        }
        Body::MessageSent(_) | Body::MessageRead(_) => {}
        Body::DeliveryQueued(told)
        | Body::DeliverySent(told)
        | Body::DeliveryAcknowledged(told)
        | Body::DeliveryFailed(told)
        | Body::DeliveryDead(told) => named.messages.push(told.message),
        Body::DisclosureRecalled(told) => named.messages.extend(&told.messages),
        // Numbers of a data owner, of which figures are made; and what a later version of the catalogue adds.
        _ => named.stays = true,
    }
    let system = &event.system;
    named
        .records
        .extend(people.into_iter().map(|person| RecordKey {
            system: system.clone(),
            person: person.clone(),
        }));
    named
}
