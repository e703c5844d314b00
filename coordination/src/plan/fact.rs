//! What happens to an overlay.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{OrganizationId, PlanId, SystemId};
use tandem_mappings::model::plan::{Activity, FundingLine, Goal, PlanContent, PlanStatus};

use super::PlanObject;

/// Who writes: a system and the organisation to which it is bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The system.
    pub system: SystemId,
    /// The organisation.
    pub organization: OrganizationId,
}

/// One fact about one overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PlanFact {
    /// A programme told its plan, or part of it.
    Told {
        /// Who.
        writer: Writer,
        /// What.
        plan: Box<PlanContent>,
        /// When.
        at: Timestamp,
    },
    /// A programme told one goal.
    Goal {
        /// Who.
        writer: Writer,
        /// The plan at the owner.
        plan: PlanId,
        /// The goal.
        goal: Box<Goal>,
        /// When.
        at: Timestamp,
    },
    /// A programme told one activity.
    Activity {
        /// Who.
        writer: Writer,
        /// The plan at the owner.
        plan: PlanId,
        /// The activity.
        activity: Box<Activity>,
        /// When.
        at: Timestamp,
    },
    /// A programme told one funding line.
    Funding {
        /// Who.
        writer: Writer,
        /// The line.
        line: Box<FundingLine>,
        /// When.
        at: Timestamp,
    },
    /// A system takes part.
    Joined {
        /// Who.
        writer: Writer,
        /// When.
        at: Timestamp,
    },
    /// A system takes part no longer.
    Left {
        /// Which.
        system: SystemId,
        /// When.
        at: Timestamp,
    },
    /// Another organisation leads.
    LeadSet {
        /// Which.
        lead: OrganizationId,
        /// When.
        at: Timestamp,
    },
    /// A participating programme agreed.
    Agreed {
        /// Which.
        system: SystemId,
        /// When.
        at: Timestamp,
    },
    /// The family agreed.
    FamilyAgreed {
        /// When.
        at: Timestamp,
    },
    /// The overlay itself moves: in force, under review, over.
    Moved {
        /// Where to.
        to: PlanStatus,
        /// When.
        at: Timestamp,
    },
}

impl PlanFact {
    /// The facts that an event of the catalogue tells about the overlay of its family. `plan.agreed` is told
    /// content and the programme's agreement; the moves of the overlay as a whole are the gateway's.
    #[must_use]
    pub fn of(event: &Event, organization: &OrganizationId) -> Vec<Self> {
        let at = event.told.occurred_at;
        let writer = Writer {
            system: event.system.clone(),
            organization: organization.clone(),
        };
        match &event.told.body {
            Body::PlanProposed(plan)
            | Body::PlanActive(plan)
            | Body::PlanUpdate(plan)
            | Body::PlanEnded(plan) => vec![Self::Told {
                writer,
                plan: plan.clone(),
                at,
            }],
            Body::PlanAgreed(plan) => {
                let system = writer.system.clone();
                vec![
                    Self::Told {
                        writer,
                        plan: plan.clone(),
                        at,
                    },
                    Self::Agreed { system, at },
                ]
            }
            Body::GoalUpdated(told) => {
                let (plan, goal) = (told.plan.clone(), Box::new(told.goal.clone()));
                vec![Self::Goal {
                    writer,
                    plan,
                    goal,
                    at,
                }]
            }
            Body::ActivityUpdated(told) => {
                let (plan, activity) = (told.plan.clone(), Box::new(told.activity.clone()));
                vec![Self::Activity {
                    writer,
                    plan,
                    activity,
                    at,
                }]
            }
            Body::FundingLine(told) => {
                vec![Self::Funding {
                    writer,
                    line: Box::new(told.line.clone()),
                    at,
                }]
            }
            _ => Vec::new(),
        }
    }

    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Told { at, .. }
            | Self::Goal { at, .. }
            | Self::Activity { at, .. }
            | Self::Funding { at, .. }
            | Self::Joined { at, .. }
            | Self::Left { at, .. }
            | Self::LeadSet { at, .. }
            | Self::Agreed { at, .. }
            | Self::FamilyAgreed { at }
            | Self::Moved { at, .. } => *at,
        }
    }

    /// Who wrote it, when a programme did.
    #[must_use]
    pub fn writer(&self) -> Option<&Writer> {
        match self {
            Self::Told { writer, .. }
            | Self::Goal { writer, .. }
            | Self::Activity { writer, .. }
            | Self::Funding { writer, .. }
            | Self::Joined { writer, .. } => Some(writer),
            _ => None,
        }
    }
}

/// What a non-owner wrote: a message to the owner's system, no change of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The owner.
    pub to: OrganizationId,
    /// Who proposes.
    pub from: OrganizationId,
    /// What.
    pub object: PlanObject,
    /// When.
    pub at: Timestamp,
}

/// What a fact did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Something in the overlay changed.
    pub changed: bool,
    /// A new version began: the goal set, the lead or a participating system changed.
    pub new_version: bool,
    /// What has to go to owners.
    pub proposals: Vec<Proposal>,
}

/// Why a fact does not fit an overlay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanRefused {
    /// The status table does not have the move.
    #[error("no move of the plan from {from} to {to}")]
    NotListed {
        /// The present status.
        from: PlanStatus,
        /// The status asked for.
        to: PlanStatus,
    },
    /// The plan is over.
    #[error("the plan is over: {from}")]
    Over {
        /// The present status.
        from: PlanStatus,
    },
    /// Not everybody has agreed.
    #[error("not every participating programme and the family have agreed")]
    NotAgreed,
    /// The system does not take part.
    #[error("the system does not take part in the plan")]
    NotParticipating,
}
