//! Meetings that several programmes hold with a family.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::coding::codes;
use super::id::{SourceCaseId, SourcePersonId};

codes! {
    /// Kind of meeting.
    MeetingType {
        /// Joint assessment.
        JointAssessment = "joint-assessment",
        /// Case planning.
        CasePlanning = "case-planning",
        /// Family team, child and family team.
        FamilyTeam = "family-team",
        /// Multidisciplinary committee.
        MultidisciplinaryCommittee = "multidisciplinary-committee",
        /// Review.
        Review = "review",
        /// Transition.
        Transition = "transition",
    }
}

/// Who was there: a system or organisation and the role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// System or organisation.
    pub system: String,
    /// Role.
    pub role: String,
}

/// Payload of `meeting.scheduled` and `meeting.held`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Kind.
    pub meeting_type: MeetingType,
    /// When.
    pub at: Timestamp,
    /// Where; `virtual` for an online meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The people it is about, by the sender's ids.
    pub people: Vec<SourcePersonId>,
    /// The sender's case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<SourceCaseId>,
    /// Who was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<Attendee>,
    /// Whether the family was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_present: Option<bool>,
    /// What was decided, in few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisions: Option<String>,
    /// Next meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
}
