//! Everything about a request that the steps of a decision share.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Directive;

use super::cover::{Cover, cover};
use crate::bundle::Bundle;
use crate::directive::{Matter, ReachContext, View, ViewContext, apply_revocations};
use crate::facts::{Facts, OrganizationRecord};
use crate::request::{Item, Request};

/// The request with its facts, its day and its directives.
pub(super) struct Scene<'a> {
    pub(super) request: &'a Request,
    pub(super) facts: &'a Facts,
    /// The directives as they were handed in.
    pub(super) directives: &'a [Directive],
    pub(super) bundle: &'a Bundle,
    pub(super) now: Timestamp,
    /// The day in the jurisdiction's zone.
    pub(super) today: Date,
    /// The person's age in whole years.
    pub(super) age: Option<i64>,
    /// The person's directives, in the order of id and version.
    pub(super) views: Vec<View<'a>>,
    /// The regimes that may be asked about any of the items.
    pub(super) regimes: BTreeSet<&'a str>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        request: &'a Request,
        facts: &'a Facts,
        directives: &'a [Directive],
        bundle: &'a Bundle,
    ) -> Self {
        let now = request.as_of;
        let today = bundle.zone.to_datetime(now).date();
        let context = ViewContext {
            bundle,
            parties: ReachContext {
                facts,
                organization: &request.recipient.organization,
                individual: None,
                today,
            },
            zone: &bundle.zone,
            today,
        };
        let mut views: Vec<_> = directives
            .iter()
            .filter(|directive| directive.subject == request.subject.id)
            .map(|directive| View::new(directive, request, &context))
            .collect();
        // The order of the input must not show in the answer.
        views.sort_by(|a, b| {
            let key = |view: &View<'_>| (view.directive.id.clone(), view.directive.version);
            key(a).cmp(&key(b)).then_with(|| {
                let text = |view: &View<'_>| crate::canonical::canonical_json(view.directive);
                text(a).cmp(&text(b))
            })
        });
        apply_revocations(
            &mut views,
            request.recipient.organization.as_str(),
            now,
            &bundle.zone,
        );
        let age = request
            .subject
            .birth_date
            .and_then(|born| age_on(born, today));
        let mut scene = Self {
            request,
            facts,
            directives,
            bundle,
            now,
            today,
            age,
            views,
            regimes: BTreeSet::new(),
        };
        scene.regimes = scene.asked();
        scene
    }

    fn asked(&self) -> BTreeSet<&'a str> {
        let coverage = &self.bundle.coverage;
        let mut asked: BTreeSet<&str> = coverage.lifting.iter().map(String::as_str).collect();
        asked.insert(&coverage.minors);
        for item in &self.request.items {
            if let Cover::Regimes(regimes) = cover(self, item) {
                asked.extend(regimes);
            }
        }
        asked
    }

    /// What is known about the recipient.
    pub(super) fn recipient(&self) -> Option<&'a OrganizationRecord> {
        self.facts
            .organization(&self.request.recipient.organization)
    }

    /// What is known about the source of an item.
    pub(super) fn source(&self, item: &Item) -> Option<&'a OrganizationRecord> {
        self.facts.organization(&item.source_organization)
    }

    /// The category of an item: its own, else the default of its source. `None` when unknown.
    pub(super) fn category(&self, item: &Item) -> Option<Category> {
        match &item.category {
            Some(category) => category.value(),
            None => self.source(item).and_then(|source| source.default_category),
        }
    }

    /// What is known about an item beside itself.
    pub(super) fn matter<'b>(&'b self, item: &'b Item) -> Matter<'b> {
        Matter {
            item,
            category: self.category(item),
            facts: self.facts,
            recipient: self.request.recipient.organization.as_str(),
            now: self.now,
            today: self.today,
            zone: &self.bundle.zone,
        }
    }

    /// The category's name for the answer.
    pub(super) fn category_name(&self, item: &Item) -> String {
        match (&item.category, self.category(item)) {
            (Some(category), _) => category.as_str().to_owned(),
            (None, Some(category)) => category.as_str().to_owned(),
            (None, None) => "UNKNOWN".to_owned(),
        }
    }

    /// The last day on which a team of the kind is common to source and recipient, `None` within
    /// for an open end.
    pub(super) fn shared_teams(&self, item: &Item) -> Vec<(&'a str, Option<Date>)> {
        let requester = &self.request.requester;
        let untrained = requester
            .training_valid_to
            .is_some_and(|last| last < self.today);
        let (Some(source), Some(recipient)) = (self.source(item), self.recipient()) else {
            return Vec::new();
        };
        if untrained {
            return Vec::new();
        }
        let acts_in = |team: &str| {
            requester
                .teams
                .as_ref()
                .is_none_or(|own| own.contains(team))
        };
        let mut shared = Vec::new();
        for own in recipient
            .teams
            .iter()
            .filter(|own| own.term().holds_on(self.today))
        {
            let other = source.teams.iter().find(|other| {
                other.id == own.id && other.kind == own.kind && other.term().holds_on(self.today)
            });
            if let Some(other) = other.filter(|_| acts_in(own.id.as_str())) {
                let end = match (own.to, other.to) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                shared.push((own.kind.as_str(), end));
            }
        }
        shared.sort_unstable();
        shared
    }

    /// A flag that no rule knows: it may mean something that narrows.
    pub(super) fn unknown_flag(&self) -> Option<&'a str> {
        let known = &self.bundle.coverage.subject_flags;
        self.request
            .subject
            .flags
            .iter()
            .find(|flag| !known.contains(*flag))
            .map(String::as_str)
    }

    /// Whether the person's own signature is enough: an adult who is not said to have less than own
    /// capacity. Without a birth date a person counts as an adult unless the capacity says `minor`;
    /// nobody signs before the day of birth.
    pub(super) fn signs_alone(&self) -> bool {
        let subject = &self.request.subject;
        let by_age = match (subject.birth_date, self.age) {
            (Some(_), age) => age.is_some_and(|age| age >= 18),
            (None, _) => subject.capacity.as_deref() != Some("minor"),
        };
        let capacity = subject.capacity.as_deref().unwrap_or("self");
        by_age && matches!(capacity, "self" | "minor")
    }
}

/// Whole years between birth and a day; nobody has an age before birth.
fn age_on(born: Date, today: Date) -> Option<i64> {
    let years = i64::from(today.year()) - i64::from(born.year());
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    let age = if had_birthday { years } else { years - 1 };
    (age >= 0).then_some(age)
}
