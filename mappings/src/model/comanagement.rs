//! Mutual clients and co-case-management.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::coding::codes;
use super::id::{EpisodeId, OrganizationId, SourceCaseId, SourcePersonId, SystemId};
use super::worker::WorkerContact;

codes! {
    /// State of a co-management episode.
    ComanagementState {
        /// A match waits, or a worker asks.
        Candidate = "candidate",
        /// The same family, and a lawful basis to tell both sides.
        Confirmed = "confirmed",
        /// Both programmes named a worker and a start reason is set.
        Coordinating = "coordinating",
        /// Consent gap, family away, court order.
        Paused = "paused",
        /// Ended.
        Ended = "ended",
    }
}

codes! {
    /// Why co-management starts.
    StartReason {
        /// Child at home, services (FM).
        FamilyMaintenance = "family-maintenance",
        /// Preservation of the family.
        FamilyPreservation = "family-preservation",
        /// Child removed, plan to return (FR).
        FamilyReunification = "family-reunification",
        /// Voluntary services.
        VoluntaryServices = "voluntary-services",
        /// Prevention at intake.
        PreventionAtIntake = "prevention-at-intake",
        /// Non-minor dependent.
        NonMinorDependent = "non-minor-dependent",
        /// Another reason.
        Other = "other",
    }
}

codes! {
    /// Why an episode ends.
    EndReason {
        /// Goals met.
        GoalsMet = "goals-met",
        /// Planned transition.
        PlannedTransition = "planned-transition",
        /// The family moved.
        Moved = "moved",
        /// The family declined.
        Declined = "declined",
        /// Contact was lost.
        LostContact = "lost-contact",
        /// Transferred.
        Transferred = "transferred",
        /// The last case closed in one of two systems (specs coordination 4; the code is the project's own, as the next
        /// two are).
        CaseClosed = "case-closed",
        /// The family is not mutual any more.
        NotMutual = "not-mutual",
        /// The family took its consent back.
        ConsentRevoked = "consent-revoked",
        /// Another reason.
        Other = "other",
    }
}

/// Payload of `comanagement.started`, `.paused` and `.ended`, as a programme tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comanagement {
    /// The gateway's episode, when the message names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<EpisodeId>,
    /// The people of the family, by the sender's ids.
    pub people: Vec<SourcePersonId>,
    /// The sender's case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<SourceCaseId>,
    /// The partner system, when the message names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<SystemId>,
    /// The sender's worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerContact>,
    /// The leading organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<OrganizationId>,
    /// Why it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_reason: Option<StartReason>,
    /// Why it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// Next review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Date>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Payload of `careteam.member`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareTeamMember {
    /// The episode.
    pub episode: EpisodeId,
    /// The organisation.
    pub organization: OrganizationId,
    /// Role on the team.
    pub role: String,
    /// The worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerContact>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}
