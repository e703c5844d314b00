//! The five steps of service coordination.

use serde::{Deserialize, Serialize};

use super::coding::codes;
use super::comanagement::EndReason;
use super::id::{SourceCaseId, SourcePersonId};

codes! {
    /// Step of the coordination with a family.
    Step {
        /// Strengths and needs are recorded with the family.
        Assessment = "assessment",
        /// Goals and services are written with the family.
        Plan = "plan",
        /// Each planned service has a referral or a documented self-connection.
        Linking = "linking",
        /// Services are followed and the plan reviewed.
        Monitoring = "monitoring",
        /// Transition plan recorded, episode over.
        Disengaged = "disengaged",
    }
}

codes! {
    /// How intensive the coordination is.
    Intensity {
        /// Information only.
        Information = "information",
        /// Standard.
        Standard = "standard",
        /// Intensive: any crisis sets it.
        Intensive = "intensive",
    }
}

codes! {
    /// A disruption beyond the family's usual way of coping.
    CrisisKind {
        /// Violence, separation, a parent's incarceration, depression or other behavioural health.
        FamilyDynamics = "family-dynamics",
        /// Job loss, housing loss, homelessness.
        FamilyEconomics = "family-economics",
    }
}

/// Payload of `coordination.step` and `coordination.intensity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoordinationStep {
    /// The people of the family, by the sender's ids.
    pub people: Vec<SourcePersonId>,
    /// The sender's case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<SourceCaseId>,
    /// The step entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// The intensity set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intensity: Option<Intensity>,
    /// Crisis kinds present.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crisis: Vec<CrisisKind>,
    /// Why the episode ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// Anticipated needs and where to turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_plan: Option<String>,
}
