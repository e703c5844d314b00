//! What the events say, gathered for measuring.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::assessment::Assessment;
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{
    LinkId, PlanId, RecordKey, ReferralId, SourceCaseId, SourcePersonId, SystemId,
};
use tandem_mappings::model::involvement::Involvement;
use tandem_mappings::model::plan::{PlanContent, PlanStatus};
use tandem_mappings::model::referral::ReferralRequest;

use crate::referral::{Readiness, Referral, ReferralFact, Rules, Sides};

/// What the gateway knows about an event beyond the event.
pub trait Resolver {
    /// The referral that a `referral.*` or `service.delivered` event is about.
    fn referral(&self, event: &Event) -> Option<ReferralId>;
    /// The systems on the sides of a referral.
    fn sides(&self, referral: ReferralId) -> Option<Sides>;
    /// The organisations that refer and that are asked, for strata.
    fn organizations(&self, referral: ReferralId) -> Option<(String, String)>;
    /// What a `delivery.*` event means for a referral, when its message carried one.
    fn delivery(&self, event: &Event) -> Option<(ReferralId, ReferralFact)>;
}

/// A referral with its facts in order.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferralFacts {
    /// The person first named.
    pub person: Option<RecordKey>,
    /// What for.
    pub domain: Domain,
    /// The organisation that refers.
    pub source: String,
    /// The organisation that is asked.
    pub target: String,
    /// The facts in order.
    pub facts: Vec<ReferralFact>,
}

impl ReferralFacts {
    /// The referral as it stood at an instant. Refused facts are skipped, as they were then.
    #[must_use]
    pub fn at(&self, rules: &Rules, instant: Timestamp) -> Referral {
        let mut referral = Referral::default();
        for fact in self.facts.iter().filter(|fact| fact.at() <= instant) {
            // A refused fact leaves the state as it was: nothing to do.
            let _refused = referral.apply(rules, fact);
        }
        referral
    }
}

/// A dated involvement of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

impl Span {
    /// Whether the span touches a period. An unknown first day is taken as before, an unknown last
    /// day as after.
    pub(super) fn touches(&self, period: crate::period::Period) -> bool {
        self.from.is_none_or(|from| from <= period.end())
            && self.to.is_none_or(|to| to >= period.start())
    }
}

/// A doubtful pair: when it came up and when it was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    pub systems: Option<(SystemId, SystemId)>,
    pub created: Option<Timestamp>,
    pub decided: Option<Timestamp>,
}

/// Everything the measures need.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub(super) received: BTreeMap<RecordKey, Timestamp>,
    pub(super) received_count: Vec<(SystemId, Timestamp)>,
    pub(super) births: BTreeMap<RecordKey, PartialDate>,
    pub(super) involved: BTreeMap<(SystemId, SourceCaseId), BTreeMap<SourcePersonId, Span>>,
    pub(super) cases: BTreeSet<(SystemId, SourceCaseId)>,
    pub(super) candidates: BTreeMap<LinkId, Candidate>,
    pub(super) households: BTreeMap<(SystemId, String), BTreeSet<RecordKey>>,
    pub(super) services: Vec<(RecordKey, Date)>,
    pub(super) plans: BTreeMap<(SystemId, PlanId), (BTreeSet<RecordKey>, Span)>,
    pub(super) referrals: BTreeMap<ReferralId, ReferralFacts>,
    pub(super) assessments: Vec<(SystemId, Assessment)>,
    pub(super) position: u64,
}

/// How the facts of an event are read: the resolver and the zone's days.
#[derive(Debug)]
pub struct Known<'a, R> {
    /// What the gateway knows.
    pub resolver: &'a R,
    /// The jurisdiction's calendar.
    pub calendar: &'a crate::calendar::Calendar,
}

impl Facts {
    /// Reads events in the order in which they were accepted.
    pub fn collect<'e, R: Resolver>(
        events: impl IntoIterator<Item = &'e Event>,
        known: &Known<'_, R>,
    ) -> Self {
        let mut facts = Self::default();
        for event in events {
            facts.read(event, known);
        }
        facts
    }

    /// Reads the next event. What is kept grows with people, cases and referrals, not with the events.
    pub fn read<R: Resolver>(&mut self, event: &Event, known: &Known<'_, R>) {
        self.position += 1;
        self.take(event, known);
    }

    /// How many events were read.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The referrals with their facts.
    #[must_use]
    pub fn referrals(&self) -> &BTreeMap<ReferralId, ReferralFacts> {
        &self.referrals
    }

    fn take<R: Resolver>(&mut self, event: &Event, known: &Known<'_, R>) {
        let system = &event.system;
        let record = |person: &SourcePersonId| key(system, person);
        let day = known.calendar.day(event.told.occurred_at);
        match &event.told.body {
            Body::RecordReceived(received) => {
                self.received_count
                    .push((system.clone(), event.recorded_at));
                if let Some(person) = &event.told.source_person_id {
                    self.received
                        .entry(record(person))
                        .or_insert(event.recorded_at);
                    if let Some(birth) = received.person.birth {
                        self.births.insert(record(person), birth.date);
                    }
                }
            }
            Body::LinkCandidate(told) => {
                let candidate = self.candidates.entry(told.link).or_default();
                candidate.created.get_or_insert(event.told.occurred_at);
                candidate.systems = Some((told.a.system.clone(), told.b.system.clone()));
            }
            Body::LinkDecided(told) => {
                let candidate = self.candidates.entry(told.link).or_default();
                candidate.decided.get_or_insert(event.told.occurred_at);
            }
            Body::EnrollmentActive(told) => self.involve(system, told, Some(day), None),
            Body::CaseOpened(told) => {
                self.cases.insert((system.clone(), told.case.clone()));
                self.involve(system, told, Some(day), None);
            }
            Body::EnrollmentEnded(told) | Body::CaseClosed(told) => {
                self.involve(system, told, None, Some(day));
            }
            Body::HouseholdMembership(told) => {
                let household = told
                    .household
                    .as_ref()
                    .or(event.told.source_household_id.as_ref());
                if let Some(household) = household {
                    let household = (system.clone(), household.to_string());
                    self.households
                        .entry(household)
                        .or_default()
                        .insert(record(&told.person));
                }
            }
            Body::ServiceDelivered(told) => self.services.push((record(&told.person), told.date)),
            Body::PlanActive(plan) | Body::PlanUpdate(plan) | Body::PlanEnded(plan) => {
                self.plan(system, plan, day);
            }
            Body::AssessmentRecorded(told) => {
                self.assessments.push((system.clone(), (**told).clone()));
            }
            Body::ReferralDrafted(request) | Body::ReferralRequested(request) => {
                self.open_referral(event, request, known.resolver);
                self.referral(event, known.resolver);
            }
            body if body.event_type().starts_with("referral.") => {
                self.referral(event, known.resolver);
            }
            body if body.event_type().starts_with("delivery.") => {
                if let Some((id, fact)) = known.resolver.delivery(event)
                    && let Some(referral) = self.referrals.get_mut(&id)
                {
                    referral.facts.push(fact);
                }
            }
            _ => {}
        }
    }

    fn involve(
        &mut self,
        system: &SystemId,
        told: &Involvement,
        started: Option<Date>,
        ended: Option<Date>,
    ) {
        let case = self
            .involved
            .entry((system.clone(), told.case.clone()))
            .or_default();
        // An ending that names nobody ends the involvement of everybody in the case.
        let people: Vec<_> = match (told.people.is_empty(), ended) {
            (true, Some(_)) => case.keys().cloned().collect(),
            _ => told.people.clone(),
        };
        for person in people {
            let span = case.entry(person).or_insert(Span {
                from: None,
                to: None,
            });
            span.from = told
                .from
                .and_then(|from| from.full())
                .or(span.from)
                .or(started);
            span.to = told.to.and_then(|to| to.full()).or(ended);
        }
    }

    fn plan(&mut self, system: &SystemId, plan: &PlanContent, day: Date) {
        let (subjects, span) = self
            .plans
            .entry((system.clone(), plan.plan.clone()))
            .or_insert((
                BTreeSet::new(),
                Span {
                    from: None,
                    to: None,
                },
            ));
        subjects.extend(plan.subjects.iter().map(|person| key(system, person)));
        let is_running = matches!(plan.status, PlanStatus::Active | PlanStatus::UnderReview);
        if is_running {
            span.from = span.from.or(plan.from).or(Some(day));
        } else if span.from.is_some() && span.to.is_none() {
            span.to = Some(plan.to.unwrap_or(day));
        }
    }

    fn open_referral<R: Resolver>(
        &mut self,
        event: &Event,
        request: &ReferralRequest,
        resolver: &R,
    ) {
        let Some(id) = resolver.referral(event) else {
            return;
        };
        let (source, target) = resolver.organizations(id).unwrap_or_default();
        let person = request
            .subjects
            .first()
            .map(|person| key(&event.system, person));
        self.referrals.entry(id).or_insert_with(|| ReferralFacts {
            person,
            domain: request.domain,
            source,
            target,
            facts: Vec::new(),
        });
    }

    fn referral<R: Resolver>(&mut self, event: &Event, resolver: &R) {
        let Some(id) = resolver.referral(event) else {
            return;
        };
        let (Some(referral), Some(sides)) = (self.referrals.get_mut(&id), resolver.sides(id))
        else {
            return;
        };
        // What stands in the record as a request was judged when it came.
        if let Some(fact) = ReferralFact::of(event, &sides, Readiness::complete()) {
            referral.facts.push(fact);
        }
    }
}

fn key(system: &SystemId, person: &SourcePersonId) -> RecordKey {
    RecordKey {
        system: system.clone(),
        person: person.clone(),
    }
}
