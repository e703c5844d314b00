//! Five-step service coordination with a family: assessment, plan, linking, monitoring, disengaged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::comanagement::EndReason;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::meeting::MeetingType;
use tandem_mappings::model::plan::ActivityKind;
use tandem_mappings::model::step::{CoordinationStep, CrisisKind, Intensity, Step};

use Step::{Assessment, Disengaged, Linking, Monitoring, Plan};

/// Every allowed move between steps, the loops among them: revise the plan, replace a service, begin a
/// new episode. Leaving is open at every step, since a family may go.
pub const STEP_TRANSITIONS: &[(Step, Step)] = &[
    (Assessment, Plan),
    (Plan, Linking),
    (Linking, Monitoring),
    (Monitoring, Plan),
    (Monitoring, Linking),
    (Monitoring, Disengaged),
    (Assessment, Disengaged),
    (Plan, Disengaged),
    (Linking, Disengaged),
    (Disengaged, Assessment),
];

/// What has been recorded in an episode; each step is done when its own part is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recorded {
    /// Domains rated with the family.
    pub domains_rated: u32,
    /// Goals and services written with the family, incl. when and how to disengage.
    pub plan_agreed: bool,
    /// Planned services.
    pub services_planned: u32,
    /// Planned services with a referral or a documented self-connection.
    pub services_linked: u32,
    /// A service was received.
    pub service_received: bool,
    /// The family was asked whether it helped.
    pub helpfulness_asked: bool,
    /// The plan was reviewed at least once.
    pub plan_reviewed: bool,
    /// Transition plan: anticipated needs and where to turn.
    pub transition_plan: bool,
}

impl Recorded {
    /// Whether a step's own work is done.
    #[must_use]
    pub fn is_done(&self, step: Step, end_reason: Option<EndReason>) -> bool {
        match step {
            Assessment => self.domains_rated > 0,
            Plan => self.plan_agreed,
            Linking => self.services_planned > 0 && self.services_linked >= self.services_planned,
            Monitoring => self.service_received && self.helpfulness_asked && self.plan_reviewed,
            Disengaged => self.transition_plan && end_reason.is_some(),
        }
    }
}

/// Why a step cannot be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepRefused {
    /// The table does not have the move.
    #[error("no move from step {} to {to}", .from.map_or("nothing", Step::code))]
    NotListed {
        /// The present step.
        from: Option<Step>,
        /// The step asked for.
        to: Step,
    },
    /// Disengaging needs a reason.
    #[error("disengaging needs a reason")]
    NoReason,
}

/// Coordination with one family, folded from its facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coordination {
    step: Option<Step>,
    entered_at: Option<Timestamp>,
    intensity: Option<Intensity>,
    crisis: Vec<CrisisKind>,
    end_reason: Option<EndReason>,
    recorded: Recorded,
    episodes: u32,
}

/// One fact about coordination with one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StepFact {
    /// Something was recorded; parts only add up within an episode.
    Recorded(Recorded),
    /// A step is entered.
    Entered {
        /// Which.
        step: Step,
        /// Why the episode ends, for `disengaged`.
        end_reason: Option<EndReason>,
        /// When.
        at: Timestamp,
    },
    /// Intensity and crisis kinds are set.
    IntensitySet {
        /// As the lead sees it; a crisis or a high risk makes it intensive anyway.
        intensity: Intensity,
        /// Crisis kinds present.
        crisis: Vec<CrisisKind>,
        /// High risk of substance use or domestic violence.
        high_risk: bool,
    },
}

impl Coordination {
    /// The present step.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        self.step
    }

    /// When it was entered.
    #[must_use]
    pub fn entered_at(&self) -> Option<Timestamp> {
        self.entered_at
    }

    /// How intensive coordination is.
    #[must_use]
    pub fn intensity(&self) -> Intensity {
        self.intensity.unwrap_or(Intensity::Standard)
    }

    /// Crisis kinds present.
    #[must_use]
    pub fn crisis(&self) -> &[CrisisKind] {
        &self.crisis
    }

    /// Why the last episode ended.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.end_reason
    }

    /// What has been recorded in this episode.
    #[must_use]
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Number of the episode, from 1.
    #[must_use]
    pub fn episode(&self) -> u32 {
        self.episodes
    }

    /// Whether the crisis timers apply.
    #[must_use]
    pub fn has_crisis_timers(&self) -> bool {
        self.intensity() == Intensity::Intensive
    }

    /// Whether the episode ended as planned: with a transition plan and for a good reason.
    #[must_use]
    pub fn ended_as_planned(&self) -> bool {
        self.step == Some(Disengaged)
            && self.recorded.transition_plan
            && matches!(
                self.end_reason,
                Some(EndReason::GoalsMet | EndReason::PlannedTransition)
            )
    }

    /// Folds one fact; answers which step was left before its work was done, for a flag. Whether a
    /// family goes on is the lead's decision, not the gateway's.
    ///
    /// # Errors
    /// [`StepRefused`] when the step cannot be entered; nothing changes then.
    pub fn apply(&mut self, fact: &StepFact) -> Result<Option<Step>, StepRefused> {
        match fact {
            StepFact::Recorded(recorded) => self.recorded.add(recorded),
            StepFact::Entered {
                step,
                end_reason,
                at,
            } => {
                return self.enter(*step, *end_reason, *at);
            }
            StepFact::IntensitySet {
                intensity,
                crisis,
                high_risk,
            } => {
                let is_crisis = *high_risk || !crisis.is_empty();
                self.intensity = Some(if is_crisis {
                    Intensity::Intensive
                } else {
                    *intensity
                });
                self.crisis.clone_from(crisis);
            }
        }
        Ok(None)
    }

    fn enter(
        &mut self,
        to: Step,
        end_reason: Option<EndReason>,
        at: Timestamp,
    ) -> Result<Option<Step>, StepRefused> {
        let from = self.step;
        if from == Some(to) {
            return Ok(None);
        }
        let is_listed = match from {
            None => to == Assessment,
            Some(from) => STEP_TRANSITIONS.contains(&(from, to)),
        };
        if !is_listed {
            return Err(StepRefused::NotListed { from, to });
        }
        if to == Disengaged && end_reason.is_none() {
            return Err(StepRefused::NoReason);
        }
        // Loops back do not ask whether the step they leave is done.
        let goes_on = from.is_some_and(|from| {
            matches!(
                (from, to),
                (Assessment, Plan) | (Plan, Linking) | (Linking, Monitoring) | (_, Disengaged)
            )
        });
        let left_undone = from.filter(|&from| goes_on && !self.recorded.is_done(from, None));
        if to == Assessment {
            self.recorded = Recorded::default();
            self.end_reason = None;
            self.episodes += 1;
        }
        if to == Disengaged {
            self.end_reason = end_reason;
        }
        (self.step, self.entered_at) = (Some(to), Some(at));
        Ok(left_undone)
    }
}

impl StepFact {
    /// The facts that an event of the catalogue tells about the coordination of its family. A review with the family
    /// present is where it is asked whether services help.
    #[must_use]
    pub fn of(event: &Event) -> Vec<Self> {
        let at = event.told.occurred_at;
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let recorded = match &event.told.body {
            Body::AssessmentRecorded(assessment) => {
                let rated = assessment
                    .ratings
                    .iter()
                    .filter(|rating| rating.level.is_some());
                Recorded {
                    domains_rated: count(rated.count()),
                    ..Recorded::default()
                }
            }
            Body::PlanAgreed(plan) => {
                let services = plan.activities.iter().filter(|activity| {
                    matches!(
                        activity.kind,
                        ActivityKind::Service | ActivityKind::Treatment
                    )
                });
                Recorded {
                    plan_agreed: true,
                    services_planned: count(services.count()),
                    ..Recorded::default()
                }
            }
            Body::ReferralRequested(_) => Recorded {
                services_linked: 1,
                ..Recorded::default()
            },
            Body::ServiceDelivered(_) => Recorded {
                service_received: true,
                ..Recorded::default()
            },
            Body::MeetingHeld(meeting) if meeting.meeting_type == MeetingType::Review => Recorded {
                plan_reviewed: true,
                helpfulness_asked: meeting.family_present == Some(true),
                ..Recorded::default()
            },
            Body::CoordinationStep(told) | Body::CoordinationIntensity(told) => {
                return step_facts(told, at);
            }
            _ => return Vec::new(),
        };
        vec![Self::Recorded(recorded)]
    }
}

fn step_facts(told: &CoordinationStep, at: Timestamp) -> Vec<StepFact> {
    let mut facts = Vec::new();
    if told
        .transition_plan
        .as_ref()
        .is_some_and(|text| !text.trim().is_empty())
    {
        let recorded = Recorded {
            transition_plan: true,
            ..Recorded::default()
        };
        facts.push(StepFact::Recorded(recorded));
    }
    if told.intensity.is_some() || !told.crisis.is_empty() {
        facts.push(StepFact::IntensitySet {
            intensity: told.intensity.unwrap_or(Intensity::Standard),
            crisis: told.crisis.clone(),
            high_risk: false,
        });
    }
    if let Some(step) = told.step {
        facts.push(StepFact::Entered {
            step,
            end_reason: told.end_reason,
            at,
        });
    }
    facts
}

impl Recorded {
    fn add(&mut self, more: &Self) {
        self.domains_rated = self.domains_rated.saturating_add(more.domains_rated);
        self.services_planned = self.services_planned.saturating_add(more.services_planned);
        self.services_linked = self.services_linked.saturating_add(more.services_linked);
        self.plan_agreed |= more.plan_agreed;
        self.service_received |= more.service_received;
        self.helpfulness_asked |= more.helpfulness_asked;
        self.plan_reviewed |= more.plan_reviewed;
        self.transition_plan |= more.transition_plan;
    }
}
