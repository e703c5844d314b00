//! How a programme is involved with a person: enrolments, cases, participation, placements and other changes.

use serde::{Deserialize, Serialize};

use super::coding::{Coding, codes};
use super::date::PartialDate;
use super::id::{SourceCaseId, SourcePersonId};
use super::person::Address;
use super::worker::WorkerContact;

codes! {
    /// The programmes whose systems Tandem connects.
    Program {
        /// TANF / CalWORKs cash aid and Welfare-to-Work.
        Calworks = "calworks",
        /// Child welfare services.
        ChildWelfare = "child-welfare",
        /// Physical health care.
        Health = "health",
        /// Mental health and substance use care.
        BehavioralHealth = "behavioral-health",
        /// Homeless services (HMIS).
        Housing = "housing",
        /// Another programme.
        Other = "other",
    }
}

/// Payload of `enrollment.active`, `enrollment.ended`, `case.opened` and `case.closed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Involvement {
    /// The programme.
    pub program: Program,
    /// The case or stay.
    pub case: SourceCaseId,
    /// The people whom the case names, by the sender's ids.
    pub people: Vec<SourcePersonId>,
    /// Status in the programme's words: `open`, `closed`, `FM`, `FR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PartialDate>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PartialDate>,
    /// The worker in charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerContact>,
    /// The project or aid code under which it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The sender's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

codes! {
    /// Standing in a work programme.
    ParticipationStatus {
        /// Taking part.
        Active = "active",
        /// Exempt.
        Exempt = "exempt",
        /// Not complying.
        Noncompliant = "noncompliant",
        /// Sanctioned.
        Sanctioned = "sanctioned",
        /// Sanction cured.
        Cured = "cured",
        /// Ended.
        Discontinued = "discontinued",
    }
}

/// Payload of `enrollment.sensitive`: a fact that hangs on an enrolment told before calls for more care. The labels of
/// the event say which; the fact itself is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensitiveStay {
    /// The enrolment.
    pub case: SourceCaseId,
    /// Whether it puts the people of the enrolment at risk, so that where they are must be hidden.
    #[serde(default)]
    pub safety: bool,
}

/// Payload of `participation.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participation {
    /// The participant.
    pub person: SourcePersonId,
    /// The programme.
    pub program: Program,
    /// The standing.
    pub status: ParticipationStatus,
    /// From when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<PartialDate>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The sender's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

codes! {
    /// What happened to a child's placement.
    PlacementChange {
        /// Removed from home.
        Removed = "removed",
        /// Placed out of home.
        Placed = "placed",
        /// Returned home.
        Returned = "returned",
    }
}

/// Payload of `placement.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The child.
    pub person: SourcePersonId,
    /// What happened.
    pub change: PlacementChange,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
    /// Whether a reunification plan exists, when said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reunification_plan: Option<bool>,
    /// The sender's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Coding>,
}

/// Payload of `address.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressChange {
    /// The person.
    pub person: SourcePersonId,
    /// The new address, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The new telephone number, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
}

/// Payload of `employment.changed`, `court.date` and `safety.alert`: a dated change told in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedChange {
    /// The person.
    pub person: SourcePersonId,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
    /// What, in the programme's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// Payload of `worker.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerChange {
    /// The case.
    pub case: SourceCaseId,
    /// The people of the case, by the sender's ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<SourcePersonId>,
    /// The new worker.
    pub worker: WorkerContact,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PartialDate>,
}
