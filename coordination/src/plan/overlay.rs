//! The overlay of one family, folded from its facts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{ActivityId, GoalId, OrganizationId, PlanId, RecordKey, SystemId};
use tandem_mappings::model::plan::{Activity, FundingLine, Goal, PlanContent, PlanStatus};

use super::stored::StoredOverlay;
use super::{
    Effects, OwnedActivity, OwnedGoal, PLAN_TRANSITIONS, PlanFact, PlanObject, PlanRefused,
    Proposal, SourcePlan, Writer, is_live_goal, plan_is_over,
};

/// Who agreed to which version, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The version.
    pub version: u32,
    /// When.
    pub at: Timestamp,
}

/// What a version of the overlay held when the next one began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanVersion {
    /// Number, from 1.
    pub version: u32,
    /// Until when it was the current one.
    pub until: Timestamp,
    /// The lead.
    pub lead: Option<OrganizationId>,
    /// The participating systems.
    pub systems: Vec<SystemId>,
    /// The goals.
    pub goals: Vec<OwnedGoal>,
    /// The activities.
    pub activities: Vec<OwnedActivity>,
    /// The funding lines.
    pub fundings: Vec<FundingLine>,
}

/// A participating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Participant {
    pub organization: OrganizationId,
    pub last_heard: Timestamp,
    agreement: Option<Agreement>,
}

/// An overlay as its facts have made it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "StoredOverlay", into = "StoredOverlay")]
pub struct Overlay {
    pub(super) status: Option<PlanStatus>,
    pub(super) version: u32,
    pub(super) lead: Option<OrganizationId>,
    pub(super) family_agreement: Option<Agreement>,
    pub(super) participants: BTreeMap<SystemId, Participant>,
    pub(super) sources: BTreeMap<(OrganizationId, PlanId), SourcePlan>,
    pub(super) goals: BTreeMap<(OrganizationId, GoalId), OwnedGoal>,
    pub(super) activities: BTreeMap<(OrganizationId, ActivityId), OwnedActivity>,
    pub(super) fundings: Vec<FundingLine>,
    pub(super) history: Vec<PlanVersion>,
}

impl Overlay {
    /// The status; `None` before the first fact.
    #[must_use]
    pub fn status(&self) -> Option<PlanStatus> {
        self.status
    }

    /// The current version, from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The lead.
    #[must_use]
    pub fn lead(&self) -> Option<&OrganizationId> {
        self.lead.as_ref()
    }

    /// The participating systems.
    pub fn systems(&self) -> impl Iterator<Item = &SystemId> {
        self.participants.keys()
    }

    /// The programmes' own plans.
    pub fn sources(&self) -> impl Iterator<Item = &SourcePlan> {
        self.sources.values()
    }

    /// The goals.
    pub fn goals(&self) -> impl Iterator<Item = &OwnedGoal> {
        self.goals.values()
    }

    /// The activities.
    pub fn activities(&self) -> impl Iterator<Item = &OwnedActivity> {
        self.activities.values()
    }

    /// The funding lines; each names one payer.
    #[must_use]
    pub fn fundings(&self) -> &[FundingLine] {
        &self.fundings
    }

    /// Earlier versions, oldest first.
    #[must_use]
    pub fn history(&self) -> &[PlanVersion] {
        &self.history
    }

    /// Whether every participating programme and the family agreed.
    #[must_use]
    pub fn is_agreed_by_all(&self) -> bool {
        let all = self
            .participants
            .values()
            .all(|one| one.agreement.is_some());
        !self.participants.is_empty() && all && self.family_agreement.is_some()
    }

    /// Folds one fact into the overlay.
    ///
    /// # Errors
    /// [`PlanRefused`] when the fact does not fit; the overlay stays as it was.
    pub fn apply(&mut self, fact: &PlanFact) -> Result<Effects, PlanRefused> {
        if let Some(from) = self.status.filter(|&status| plan_is_over(status)) {
            return match fact {
                PlanFact::Moved { to, .. } if *to == from => Ok(Effects::default()),
                _ => Err(PlanRefused::Over { from }),
            };
        }
        let mut next = self.clone();
        let mut effects = Effects::default();
        next.status.get_or_insert(PlanStatus::Proposed);
        if let Some(writer) = fact.writer() {
            next.hear(writer, fact.at());
        }
        next.take(fact, &mut effects)?;
        next.agree_when_all_did();
        effects.new_version = next.shape() != self.shape();
        effects.changed = next.without_hearing() != self.without_hearing();
        if effects.new_version {
            if self.version > 0 {
                next.history.push(self.as_version(fact.at()));
            }
            next.version = self.version + 1;
        }
        *self = next;
        Ok(effects)
    }

    fn take(&mut self, fact: &PlanFact, effects: &mut Effects) -> Result<(), PlanRefused> {
        match fact {
            PlanFact::Told { writer, plan, at } => self.told(writer, plan, *at, effects),
            PlanFact::Goal {
                writer,
                plan,
                goal,
                at,
            } => {
                self.goal(writer, plan, goal, *at, effects);
            }
            PlanFact::Activity {
                writer,
                plan,
                activity,
                at,
            } => {
                self.activity(writer, (plan, None), activity, *at, effects);
            }
            PlanFact::Funding { writer, line, at } => self.funding(writer, line, *at, effects),
            PlanFact::Joined { .. } => {}
            PlanFact::Left { system, .. } => {
                self.participants
                    .remove(system)
                    .ok_or(PlanRefused::NotParticipating)?;
            }
            PlanFact::LeadSet { lead, .. } => self.lead = Some(lead.clone()),
            PlanFact::Agreed { system, at } => {
                let agreement = Agreement {
                    version: self.version.max(1),
                    at: *at,
                };
                let one = self
                    .participants
                    .get_mut(system)
                    .ok_or(PlanRefused::NotParticipating)?;
                one.agreement.get_or_insert(agreement);
            }
            PlanFact::FamilyAgreed { at } => {
                let agreement = Agreement {
                    version: self.version.max(1),
                    at: *at,
                };
                self.family_agreement.get_or_insert(agreement);
            }
            PlanFact::Moved { to, .. } => self.move_to(*to)?,
        }
        Ok(())
    }

    fn move_to(&mut self, to: PlanStatus) -> Result<(), PlanRefused> {
        let from = self.status.unwrap_or(PlanStatus::Proposed);
        if from == to {
            return Ok(());
        }
        if !PLAN_TRANSITIONS.contains(&(from, to)) {
            return Err(PlanRefused::NotListed { from, to });
        }
        if to == PlanStatus::Agreed && !self.is_agreed_by_all() {
            return Err(PlanRefused::NotAgreed);
        }
        self.status = Some(to);
        Ok(())
    }

    fn agree_when_all_did(&mut self) {
        if self.status == Some(PlanStatus::Proposed) && self.is_agreed_by_all() {
            self.status = Some(PlanStatus::Agreed);
        }
    }

    fn hear(&mut self, writer: &Writer, at: Timestamp) {
        let organization = writer.organization.clone();
        let new = Participant {
            organization,
            last_heard: at,
            agreement: None,
        };
        let one = self
            .participants
            .entry(writer.system.clone())
            .or_insert(new);
        one.last_heard = one.last_heard.max(at);
    }

    fn told(&mut self, writer: &Writer, plan: &PlanContent, at: Timestamp, effects: &mut Effects) {
        if self.plan_owner(writer, &plan.plan) == writer.organization {
            let key = (writer.organization.clone(), plan.plan.clone());
            let known = self.sources.get(&key).and_then(|known| known.to);
            let source = SourcePlan {
                owner: writer.organization.clone(),
                system: writer.system.clone(),
                id: plan.plan.clone(),
                plan_type: plan.plan_type,
                to: plan.to.or(known),
                last_seen: at,
            };
            self.sources.insert(key, source);
        }
        for goal in &plan.goals {
            self.goal(writer, &plan.plan, goal, at, effects);
        }
        let subject = plan.subjects.first().map(|person| RecordKey {
            system: writer.system.clone(),
            person: person.clone(),
        });
        for activity in &plan.activities {
            self.activity(
                writer,
                (&plan.plan, subject.as_ref()),
                activity,
                at,
                effects,
            );
        }
        for line in &plan.fundings {
            self.funding(writer, line, at, effects);
        }
    }

    /// A plan belongs to the writer unless it is known as exactly one other programme's.
    fn plan_owner(&self, writer: &Writer, plan: &PlanId) -> OrganizationId {
        let mut owners = self
            .sources
            .keys()
            .filter(|(_, id)| id == plan)
            .map(|(owner, _)| owner);
        let owns = self
            .sources
            .contains_key(&(writer.organization.clone(), plan.clone()));
        match (owns, owners.next(), owners.next()) {
            (false, Some(owner), None) => owner.clone(),
            _ => writer.organization.clone(),
        }
    }

    fn goal(
        &mut self,
        writer: &Writer,
        plan: &PlanId,
        goal: &Goal,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let owner = goal
            .owner
            .clone()
            .unwrap_or_else(|| self.plan_owner(writer, plan));
        if owner != writer.organization {
            effects.propose(writer, owner, PlanObject::Goal(goal.clone()), at);
            return;
        }
        let key = (owner.clone(), goal.id.clone());
        self.goals.insert(
            key,
            OwnedGoal {
                owner,
                plan: plan.clone(),
                goal: goal.clone(),
            },
        );
    }

    fn activity(
        &mut self,
        writer: &Writer,
        (plan, subject): (&PlanId, Option<&RecordKey>),
        activity: &Activity,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let owner = self.plan_owner(writer, plan);
        if owner != writer.organization {
            effects.propose(writer, owner, PlanObject::Activity(activity.clone()), at);
            return;
        }
        let key = (owner.clone(), activity.id.clone());
        let named = activity.person.as_ref().map(|person| RecordKey {
            system: writer.system.clone(),
            person: person.clone(),
        });
        let known = self
            .activities
            .get(&key)
            .and_then(|known| known.person.clone());
        let person = named.or_else(|| subject.cloned()).or(known);
        let (plan, activity) = (plan.clone(), activity.clone());
        self.activities.insert(
            key,
            OwnedActivity {
                owner,
                plan,
                person,
                activity,
            },
        );
    }

    /// A line is one programme's, for one category from one day on; told again, it is replaced.
    fn funding(
        &mut self,
        writer: &Writer,
        line: &FundingLine,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if line.payer != writer.organization {
            let object = PlanObject::Funding(line.clone());
            effects.propose(writer, line.payer.clone(), object, at);
            return;
        }
        let same = |known: &&mut FundingLine| {
            known.payer == line.payer && known.category == line.category && known.from == line.from
        };
        match self.fundings.iter_mut().find(same) {
            Some(known) => known.clone_from(line),
            None => self.fundings.push(line.clone()),
        }
    }

    /// What makes a version: participating systems, lead and the set of live goals.
    fn shape(
        &self,
    ) -> (
        Vec<&SystemId>,
        Option<&OrganizationId>,
        Vec<&(OrganizationId, GoalId)>,
    ) {
        let live = self
            .goals
            .iter()
            .filter(|(_, owned)| is_live_goal(&owned.goal));
        let goals = live.map(|(key, _)| key).collect();
        (
            self.participants.keys().collect(),
            self.lead.as_ref(),
            goals,
        )
    }

    /// The overlay without the times at which programmes were heard, which change with every word.
    fn without_hearing(&self) -> Self {
        let mut still = self.clone();
        for one in still.participants.values_mut() {
            one.last_heard = Timestamp::MIN;
        }
        for source in still.sources.values_mut() {
            source.last_seen = Timestamp::MIN;
        }
        still
    }

    fn as_version(&self, until: Timestamp) -> PlanVersion {
        PlanVersion {
            version: self.version,
            until,
            lead: self.lead.clone(),
            systems: self.participants.keys().cloned().collect(),
            goals: self.goals.values().cloned().collect(),
            activities: self.activities.values().cloned().collect(),
            fundings: self.fundings.clone(),
        }
    }
}

impl Effects {
    fn propose(&mut self, writer: &Writer, to: OrganizationId, object: PlanObject, at: Timestamp) {
        let from = writer.organization.clone();
        self.proposals.push(Proposal {
            to,
            from,
            object,
            at,
        });
    }
}
