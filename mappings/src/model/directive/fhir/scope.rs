//! What one provision, or one provision within another, is about.

use std::collections::BTreeSet;

use crate::model::category::Category;
use crate::model::directive::{DataPeriod, General, Moment, Parties};
use crate::model::purpose::Purpose;

/// The criteria of a provision; one that is not stated is `None`, and bounds nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scope {
    pub(super) categories: Option<BTreeSet<Category>>,
    /// Labels of which the data must carry one.
    pub(super) labels: Option<BTreeSet<String>>,
    pub(super) recipients: Option<Parties>,
    pub(super) disclosers: Option<Parties>,
    pub(super) authors: Option<Parties>,
    pub(super) purposes: Option<BTreeSet<Purpose>>,
    pub(super) data_period: Option<DataPeriod>,
    pub(super) start: Option<Moment>,
    pub(super) end: Option<Moment>,
    /// The parts that were not stated and of which the words say no more than that nothing is left out.
    pub(super) general: BTreeSet<General>,
}

impl Scope {
    /// The scope of an exception within the rule to which it is one: both must fit.
    ///
    /// # Errors
    /// Names the criterion of which nothing is left, or of which it cannot be said what is left.
    pub(super) fn within(&self, outer: &Self) -> Result<Self, &'static str> {
        let mut general = outer.general.clone();
        for (part, is_stated) in [
            (General::Categories, self.categories.is_some()),
            (General::Disclosers, self.disclosers.is_some()),
            (General::Purposes, self.purposes.is_some()),
        ] {
            if is_stated {
                general.remove(&part);
            }
        }
        Ok(Self {
            categories: both(&self.categories, &outer.categories)
                .ok_or("securityLabel or class")?,
            labels: one_of(&self.labels, &outer.labels).ok_or("securityLabel")?,
            recipients: parties(&self.recipients, &outer.recipients).ok_or("actor (IRCP)")?,
            disclosers: parties(&self.disclosers, &outer.disclosers).ok_or("actor (CST)")?,
            authors: parties(&self.authors, &outer.authors).ok_or("data (authoredby)")?,
            purposes: both(&self.purposes, &outer.purposes).ok_or("purpose")?,
            data_period: period(self.data_period, outer.data_period).ok_or("dataPeriod")?,
            start: later(self.start, outer.start).ok_or("period")?,
            end: earlier(self.end, outer.end).ok_or("period")?,
            general,
        })
    }

    /// The scope with what a permission must name and does not: everything, said in general words. The day is that of the
    /// consent: who joined the exchange later is not meant, since the person could not know of it.
    pub(super) fn said_in_general(mut self, day: Option<jiff::civil::Date>) -> Self {
        if self.categories.is_none() {
            self.categories = Some(Category::ALL.into_iter().collect());
            self.general.insert(General::Categories);
        }
        if self.purposes.is_none() {
            self.purposes = Some(Purpose::ALL.into_iter().collect());
            self.general.insert(General::Purposes);
        }
        if self.disclosers.is_none() && day.is_some() {
            self.disclosers = Some(Parties {
                all_participants_at_date: day,
                ..Parties::default()
            });
            self.general.insert(General::Disclosers);
        }
        self
    }

    /// The scope as a refusal within it meets it: the kinds of its purposes as well, since a permission of treatment may
    /// be meant to cover its coordination. Not emergencies, of which it did not speak: they override what a person has
    /// restricted (45 CFR 164.522(a)(1)(iii)).
    pub(super) fn as_refused(&self) -> Self {
        let is_emergency =
            |kind: &Purpose| matches!(kind, Purpose::EmergencyTreatment | Purpose::BreakTheGlass);
        let purposes = self.purposes.as_ref().map(|stated| {
            let kinds = stated.iter().flat_map(|purpose| purpose.kinds());
            kinds
                .filter(|kind| stated.contains(kind) || !is_emergency(kind))
                .collect()
        });
        Self {
            purposes,
            ..self.clone()
        }
    }

    /// Whether nothing but the time tells two scopes apart.
    pub(super) fn is_as_wide_as(&self, other: &Self) -> bool {
        let matter = |scope: &Self| Self {
            start: None,
            end: None,
            general: BTreeSet::new(),
            ..scope.clone()
        };
        matter(self) == matter(other)
    }

    /// Whether everything in this scope is in the other one, as far as that can be said; time is left out.
    pub(super) fn lies_within(&self, other: &Self) -> bool {
        self.within(other)
            .is_ok_and(|common| common.is_as_wide_as(self))
    }

    /// Whether the other scope counts whenever this one does.
    pub(super) fn is_no_longer_than(&self, other: &Self) -> bool {
        later(self.start, other.start) == Some(self.start)
            && earlier(self.end, other.end) == Some(self.end)
    }
}

/// The elements of two criteria that fit both; `None` when nothing can.
fn both<T: Ord + Clone>(
    inner: &Option<BTreeSet<T>>,
    outer: &Option<BTreeSet<T>>,
) -> Option<Option<BTreeSet<T>>> {
    match (inner, outer) {
        (Some(inner), Some(outer)) => {
            let common: BTreeSet<T> = inner.intersection(outer).cloned().collect();
            (!common.is_empty()).then_some(Some(common))
        }
        (one, other) => Some(one.clone().or_else(|| other.clone())),
    }
}

/// Data may carry several labels, so that two lists of labels are no list of common ones.
fn one_of(
    inner: &Option<BTreeSet<String>>,
    outer: &Option<BTreeSet<String>>,
) -> Option<Option<BTreeSet<String>>> {
    match (inner, outer) {
        (Some(inner), Some(outer)) if inner != outer => None,
        (one, other) => Some(one.clone().or_else(|| other.clone())),
    }
}

fn parties(inner: &Option<Parties>, outer: &Option<Parties>) -> Option<Option<Parties>> {
    match (inner, outer) {
        (Some(inner), Some(outer)) if inner == outer => Some(Some(inner.clone())),
        (Some(inner), Some(outer)) => {
            // Of parties that are not listed by name it is not known whom they have in common.
            let by_name = |parties: &Parties| *parties == Parties::named(parties.named.clone());
            if outer.all_participants_at_date.is_some() {
                return Some(Some(inner.clone()));
            }
            if !by_name(inner) || !by_name(outer) {
                return None;
            }
            let common = inner.named.intersection(&outer.named).cloned();
            let common = Parties::named(common);
            (!common.is_empty()).then_some(Some(common))
        }
        (one, other) => Some(one.clone().or_else(|| other.clone())),
    }
}

fn period(inner: Option<DataPeriod>, outer: Option<DataPeriod>) -> Option<Option<DataPeriod>> {
    let (Some(one), Some(other)) = (inner, outer) else {
        return Some(inner.or(outer));
    };
    let common = DataPeriod {
        start: one.start.max(other.start),
        end: [one.end, other.end].into_iter().flatten().min(),
    };
    let is_empty = matches!((common.start, common.end), (Some(start), Some(end)) if end < start);
    (!is_empty).then_some(Some(common))
}

/// The later of two beginnings; a day and an instant can be compared only in some zone.
fn later(one: Option<Moment>, other: Option<Moment>) -> Option<Option<Moment>> {
    match (one, other) {
        (Some(one), Some(other)) => one
            .compare(other)
            .map(|order| Some(if order.is_lt() { other } else { one })),
        _ => Some(one.or(other)),
    }
}

fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Option<Moment>> {
    match (one, other) {
        (Some(one), Some(other)) => one
            .compare(other)
            .map(|order| Some(if order.is_gt() { other } else { one })),
        _ => Some(one.or(other)),
    }
}
