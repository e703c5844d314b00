//! The way of one pair: comparison, score, judgement. Batch and index both go it.

use std::cmp::Ordering;

use crate::compare::Comparer;
use crate::decide::{Judgement, Note, judge};
use crate::doubts::Doubt;
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::result::Pair;
use crate::ruling::{Ruling, Rulings};
use crate::score::{Evidence, Scorer};

/// Compares, scores and judges pairs of one population.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matcher<'a> {
    population: &'a Population,
    comparer: Comparer<'a>,
    scorer: Scorer<'a>,
    rulings: &'a Rulings,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(population: &'a Population, model: &'a Model, rulings: &'a Rulings) -> Self {
        Self {
            population,
            comparer: Comparer::new(population, model),
            scorer: Scorer::new(model, population.len()),
            rulings,
        }
    }

    /// Evidence and judgement of a pair.
    pub(crate) fn judge(&self, a: Slot, b: Slot) -> Option<(Evidence, Judgement)> {
        let (one, other) = (self.population.person(a)?, self.population.person(b)?);
        let evidence = self.comparer.compare(one, other);
        Some((evidence, judge(&self.scorer, &evidence, self.ruling(a, b))))
    }

    fn ruling(&self, a: Slot, b: Slot) -> Option<Ruling> {
        if self.rulings.is_empty() {
            return None;
        }
        let digest = |slot| self.population.digest(slot);
        self.rulings.get(digest(a), digest(b))
    }

    /// The pair with everything that was found.
    pub(crate) fn pair(&self, a: Slot, b: Slot) -> Option<Pair> {
        let (evidence, judgement) = self.judge(a, b)?;
        Some(Pair {
            a,
            b,
            bits: judgement.bits,
            decision: judgement.decision,
            notes: judgement.notes,
            evidence,
            is_open: judgement.is_open,
            is_refused: false,
            is_bridge: false,
            false_match_rate: 0.0,
        })
    }

    /// Adds the records that stewards have decided about, whether they share a block or not.
    pub(crate) fn add_ruled(&self, slot: Slot, partners: &mut Vec<Slot>) {
        if self.rulings.is_empty() {
            return;
        }
        let digests = self.rulings.partners(self.population.digest(slot));
        let ruled = digests.filter_map(|digest| self.population.slot_of(digest));
        partners.extend(ruled.filter(|other| *other > slot));
        partners.sort_unstable();
        partners.dedup();
    }

    /// Whether two records may not be in one cluster.
    /// Two of one system may not either when they score below `duplicates`, if that is given.
    pub(crate) fn refuses(&self, a: Slot, b: Slot, duplicates: Option<f64>) -> bool {
        self.doubt(a, b)
            .is_some_and(|doubt| doubt.refuses(self.veto_bits(), duplicates))
    }

    /// The score below which two records are in no cluster together.
    pub(crate) fn veto_bits(&self) -> f64 {
        self.scorer.model.settings.cluster.veto_bits
    }

    /// What speaks against two records being in one cluster; nothing once a steward has joined one of them with another.
    pub(crate) fn doubt(&self, a: Slot, b: Slot) -> Option<Doubt> {
        let Some((evidence, judgement)) = self.judge(a, b) else {
            return Some(Doubt::ABSENT);
        };
        let is_confirmed = || self.is_confirmed(a) || self.is_confirmed(b);
        (judgement.is_forbidden || !is_confirmed()).then_some(Doubt {
            bits: judgement.bits,
            is_forbidden: judgement.is_forbidden,
            is_same_system: evidence.pattern.is_same_system(),
        })
    }

    /// Whether a steward has confirmed that the record belongs to another: then it may look unlike
    /// the rest of its cluster.
    fn is_confirmed(&self, slot: Slot) -> bool {
        if self.rulings.is_empty() {
            return false;
        }
        let digest = self.population.digest(slot);
        self.rulings
            .partners(digest)
            .any(|other| self.rulings.get(digest, other) == Some(Ruling::Confirmed))
    }

    /// The order in which two links are joined: stewards' pairs first, then by score; equal scores by
    /// key, so that the order of the input does not matter.
    pub(crate) fn order(&self, one: &Pair, other: &Pair) -> Ordering {
        let is_confirmed = |pair: &Pair| pair.notes.contains(Note::StewardConfirmed);
        let keys = |pair: &Pair| {
            let (a, b) = (
                self.population.digest(pair.a),
                self.population.digest(pair.b),
            );
            (a.min(b), a.max(b))
        };
        is_confirmed(other)
            .cmp(&is_confirmed(one))
            .then_with(|| other.bits.total_cmp(&one.bits))
            .then_with(|| keys(one).cmp(&keys(other)))
    }
}
