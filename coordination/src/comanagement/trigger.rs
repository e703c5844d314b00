//! Which events of one programme are told to the others while a family is co-managed.

use tandem_mappings::model::event::Body;
use tandem_mappings::model::involvement::PlacementChange;
use tandem_mappings::model::referral::ReferralStatus;

/// Why an event is offered to the other programmes. Each is told only under a decision of its own, in
/// the category of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// A case or enrolment opened.
    CaseOpened,
    /// A case or enrolment closed.
    CaseClosed,
    /// A child was removed from home.
    ChildRemoved,
    /// A child was placed.
    ChildPlaced,
    /// A child returned home.
    ChildReturned,
    /// A plan was created or changed, or an object of it.
    PlanChanged,
    /// A court or review date.
    CourtDate,
    /// Standing in a work programme changed: active, exempt, non-compliance, sanction, cured.
    ParticipationChanged,
    /// Employment or income changed.
    EmploymentChanged,
    /// Address or telephone changed.
    AddressChanged,
    /// The household changed.
    HouseholdChanged,
    /// Levels were rated.
    AssessmentUpdated,
    /// A referral reached an outcome.
    ReferralOutcome,
    /// A meeting was held.
    MeetingHeld,
    /// Another worker is in charge.
    WorkerChanged,
    /// A safety alert: content restricted, only to those with authority.
    SafetyAlert,
}

impl Trigger {
    /// The trigger of an event; `None` for events that are nobody else's business. A benefit that
    /// stopped or came back is told as an ended or a new enrolment of the paying programme.
    #[must_use]
    pub fn of(body: &Body) -> Option<Self> {
        match body {
            Body::CaseOpened(_) | Body::EnrollmentActive(_) => Some(Self::CaseOpened),
            Body::CaseClosed(_) | Body::EnrollmentEnded(_) => Some(Self::CaseClosed),
            Body::PlacementChanged(placement) => match placement.change {
                PlacementChange::Removed => Some(Self::ChildRemoved),
                PlacementChange::Placed => Some(Self::ChildPlaced),
                PlacementChange::Returned => Some(Self::ChildReturned),
            },
            Body::PlanProposed(_)
            | Body::PlanAgreed(_)
            | Body::PlanActive(_)
            | Body::PlanUpdate(_)
            | Body::PlanEnded(_)
            | Body::GoalUpdated(_)
            | Body::ActivityUpdated(_)
            | Body::FundingLine(_) => Some(Self::PlanChanged),
            Body::CourtDate(_) => Some(Self::CourtDate),
            Body::ParticipationStatus(_) => Some(Self::ParticipationChanged),
            Body::EmploymentChanged(_) => Some(Self::EmploymentChanged),
            Body::AddressChanged(_) => Some(Self::AddressChanged),
            Body::HouseholdMembership(_) => Some(Self::HouseholdChanged),
            Body::AssessmentRecorded(_) => Some(Self::AssessmentUpdated),
            Body::ReferralClosed(update) | Body::ReferralRejected(update) => {
                (update.status != ReferralStatus::EnteredInError).then_some(Self::ReferralOutcome)
            }
            Body::ReferralCancelled(_) => Some(Self::ReferralOutcome),
            Body::MeetingHeld(_) => Some(Self::MeetingHeld),
            Body::WorkerChanged(_) => Some(Self::WorkerChanged),
            Body::SafetyAlert(_) => Some(Self::SafetyAlert),
            _ => None,
        }
    }

    /// Whether only recipients with authority in the matter may be considered at all.
    #[must_use]
    pub const fn needs_authority(self) -> bool {
        matches!(self, Self::SafetyAlert)
    }
}
