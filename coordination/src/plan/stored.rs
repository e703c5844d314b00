//! The overlay as it is stored: lists in place of maps with compound keys, which JSON has not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, SystemId};
use tandem_mappings::model::plan::{FundingLine, PlanStatus};

use super::overlay::Participant;
use super::{Agreement, Overlay, OwnedActivity, OwnedGoal, PlanVersion, SourcePlan};

/// An overlay as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredOverlay {
    status: Option<PlanStatus>,
    version: u32,
    lead: Option<OrganizationId>,
    family_agreement: Option<Agreement>,
    participants: BTreeMap<SystemId, Participant>,
    sources: Vec<SourcePlan>,
    goals: Vec<OwnedGoal>,
    activities: Vec<OwnedActivity>,
    fundings: Vec<FundingLine>,
    history: Vec<PlanVersion>,
}

impl From<Overlay> for StoredOverlay {
    fn from(overlay: Overlay) -> Self {
        Self {
            status: overlay.status,
            version: overlay.version,
            lead: overlay.lead,
            family_agreement: overlay.family_agreement,
            participants: overlay.participants,
            sources: overlay.sources.into_values().collect(),
            goals: overlay.goals.into_values().collect(),
            activities: overlay.activities.into_values().collect(),
            fundings: overlay.fundings,
            history: overlay.history,
        }
    }
}

impl From<StoredOverlay> for Overlay {
    fn from(stored: StoredOverlay) -> Self {
        let source = |one: SourcePlan| ((one.owner.clone(), one.id.clone()), one);
        let goal = |one: OwnedGoal| ((one.owner.clone(), one.goal.id.clone()), one);
        let activity = |one: OwnedActivity| ((one.owner.clone(), one.activity.id.clone()), one);
        Self {
            status: stored.status,
            version: stored.version,
            lead: stored.lead,
            family_agreement: stored.family_agreement,
            participants: stored.participants,
            sources: stored.sources.into_iter().map(source).collect(),
            goals: stored.goals.into_iter().map(goal).collect(),
            activities: stored.activities.into_iter().map(activity).collect(),
            fundings: stored.fundings,
            history: stored.history,
        }
    }
}
