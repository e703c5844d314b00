//! A decision in the making: the answers about each item, and what they add up to.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::answer::{Answer, Cited};
use super::cover::{Cover, cover};
use super::duties::Duties;
use super::evaluate::Evaluator;
use super::explain::explain;
use super::missing::missing;
use super::refusal::refused;
use super::scene::Scene;
use super::validity::valid_until;
use crate::bundle::{Bundle, DefaultRule, Regime};
use crate::decision::{Decision, Evidence, ItemDecision, LocalInstant, Missing, Outcome, Verdict};
use crate::request::Item;

/// The regime that holds the rules of the exchange itself.
const GATEWAY_REGIME: &str = "gateway";

/// The regime of what endangers a person.
const SAFETY_REGIME: &str = "safety";

/// What is collected while the items are decided.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub(super) items: Vec<(ItemDecision, Vec<Answer<'a>>)>,
    duties: Duties,
    missing: Vec<Missing>,
    /// When the permit of an item, by its place in the request, ends.
    ends: Vec<(usize, Timestamp)>,
    evaluated: BTreeSet<&'a str>,
    needs_human: bool,
}

impl<'a> Draft<'a> {
    /// The answers about one item, in the order of the specification: bars, safety, every
    /// regime, the client's refusals.
    pub(super) fn item(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        item: &Item,
    ) -> Vec<Answer<'a>> {
        let regimes = match cover(scene, item) {
            Cover::Barred(regimes) => {
                return self
                    .ask(scene, evaluator, index, &regimes, &[])
                    .into_iter()
                    .map(barred)
                    .collect();
            }
            Cover::Unknown => return exchange_denies(scene.bundle),
            Cover::Regimes(regimes) => regimes,
        };
        let (safety, regimes): (BTreeSet<_>, BTreeSet<_>) = regimes
            .into_iter()
            .partition(|regime| *regime == SAFETY_REGIME);
        let mut answers = self.ask(scene, evaluator, index, &safety, &[]);
        if answers.iter().any(|answer| answer.verdict == Verdict::Deny) {
            return answers;
        }
        let candidates = evaluator.candidates(index, item);
        answers.extend(self.ask(scene, evaluator, index, &regimes, &candidates));
        answers.sort_by_key(|answer| answer.regime);
        self.lift(scene, evaluator, index, &candidates, &mut answers);
        self.needs_human |= !answers
            .iter()
            .any(|answer| answer.verdict == Verdict::Deny && !answer.needs_human)
            && answers.iter().any(|answer| answer.needs_human);
        if let Some(refusal) = refused(scene, item, &answers) {
            refuse(scene, refusal, &mut answers);
            return answers;
        }
        if answers
            .iter()
            .all(|answer| answer.verdict == Verdict::Permit)
        {
            self.duties.collect(scene, evaluator, index, &answers);
            let end = valid_until(scene, evaluator, index, item, &answers);
            self.ends.extend(end.map(|end| (index, end)));
        } else {
            self.missing
                .extend(missing(scene, evaluator, index, item, &answers));
        }
        answers
    }

    fn ask(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        regimes: &BTreeSet<&'a str>,
        candidates: &[usize],
    ) -> Vec<Answer<'a>> {
        let found = |name: &&'a str| scene.bundle.regimes.get(*name);
        self.evaluated.extend(regimes);
        regimes
            .iter()
            .filter_map(found)
            .map(|regime: &'a Regime| evaluator.answer(regime, index, candidates))
            .collect()
    }

    /// A rule that lifts the secrecy of other state regimes opens those that merely have no basis;
    /// it never opens what a rule forbids, nor federal law.
    fn lift(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        candidates: &[usize],
        answers: &mut [Answer<'a>],
    ) {
        for lifter in self.lifters(scene, evaluator, index, candidates, answers) {
            for answer in answers.iter_mut().filter(|answer| answer.by_default) {
                let lifts = |cited: &&Cited<'a>| {
                    cited
                        .rule()
                        .is_some_and(|rule| rule.lifts.contains(answer.regime))
                };
                let cited: Vec<_> = lifter.cited.iter().filter(lifts).copied().collect();
                if !cited.is_empty() {
                    let regime = answer.regime;
                    *answer = Answer {
                        regime,
                        cited,
                        ..lifter.clone()
                    };
                }
            }
        }
    }

    /// The permits of the regimes that could lift one of those without a basis. One that covers the item has been asked.
    fn lifters(
        &mut self,
        scene: &Scene<'a>,
        evaluator: &Evaluator<'a, '_>,
        index: usize,
        candidates: &[usize],
        answers: &[Answer<'a>],
    ) -> Vec<Answer<'a>> {
        let could_lift = |name: &&str| {
            let rules = scene.bundle.regimes.get(*name).map(|regime| &regime.rules);
            let mut lifted = rules
                .into_iter()
                .flat_map(|rules| rules.values().flat_map(|rule| &rule.lifts));
            lifted.any(|lifted| {
                answers
                    .iter()
                    .any(|answer| answer.by_default && answer.regime == lifted)
            })
        };
        let lifting = scene.bundle.coverage.lifting.iter().map(String::as_str);
        let lifting: BTreeSet<&str> = lifting.filter(could_lift).collect();
        let asked = |answer: &&Answer<'a>| lifting.contains(answer.regime);
        let mut lifters: Vec<Answer<'a>> = answers.iter().filter(asked).cloned().collect();
        let may_lift = |name: &&&str| {
            let regime = scene.bundle.regimes.get(**name);
            regime.is_some_and(|regime| evaluator.may_lift(regime, index, candidates))
        };
        let not_asked = lifting
            .iter()
            .filter(|name| lifters.iter().all(|lifter| lifter.regime != **name))
            .filter(may_lift)
            .copied()
            .collect();
        lifters.extend(self.ask(scene, evaluator, index, &not_asked, candidates));
        lifters.retain(|lifter| lifter.verdict == Verdict::Permit);
        lifters.sort_by_key(|lifter| lifter.regime);
        lifters
    }

    /// Which of the items are permitted.
    pub(super) fn permits(&self) -> Vec<bool> {
        let items = self.items.iter();
        items
            .map(|(item, _)| item.outcome == Verdict::Permit)
            .collect()
    }

    /// The earliest end of the permits of some items.
    pub(super) fn end_of(&self, items: &[bool]) -> Option<Timestamp> {
        let ends = self.ends.iter();
        ends.filter(|(index, _)| items.get(*index).is_some_and(|one| *one))
            .map(|(_, end)| *end)
            .min()
    }

    /// The answer, which may be relied on until `end`.
    pub(super) fn finish(
        self,
        scene: &Scene<'_>,
        facts: String,
        end: Option<Timestamp>,
    ) -> Decision {
        let permitted = self
            .items
            .iter()
            .filter(|(item, _)| item.outcome == Verdict::Permit)
            .count();
        let unknown_flag = scene.unknown_flag().is_some();
        let outcome = if self.items.is_empty() {
            Outcome::NotApplicable
        } else if permitted == self.items.len() {
            Outcome::Permit
        } else if permitted > 0 {
            Outcome::PermitWithRedaction
        } else if self.needs_human || unknown_flag {
            Outcome::NeedsHuman
        } else {
            Outcome::Deny
        };
        let zone = &scene.bundle.zone;
        let valid_until = end.map(|end| LocalInstant::new(end, zone));
        let explanation = explain(scene, outcome, &self.items);
        let (obligations, refrains) = self.duties.finish();
        let mut missing = self.missing;
        missing.sort_unstable();
        let size = |name: &&str| {
            let regime = scene.bundle.regimes.get(*name);
            regime
                .and_then(|regime| regime.on(scene.today))
                .map_or(0, |rules| rules.size)
        };
        Decision {
            outcome,
            bundle: scene.bundle.hash.clone(),
            items: self.items.into_iter().map(|(item, _)| item).collect(),
            obligations,
            refrains,
            valid_until,
            missing,
            explanation,
            evidence: Evidence {
                facts,
                rules_evaluated: self.evaluated.iter().map(size).sum(),
            },
        }
    }
}

/// A barred item stays closed even if its rule set were to say otherwise.
fn barred(answer: Answer<'_>) -> Answer<'_> {
    Answer {
        verdict: Verdict::Deny,
        needs_human: false,
        consent: None,
        basis: None,
        ..answer
    }
}

/// The deny of the exchange itself, when no law can be asked.
pub(super) fn exchange_denies(bundle: &Bundle) -> Vec<Answer<'_>> {
    let regime = bundle.regimes.get(GATEWAY_REGIME);
    let default = regime.and_then(|regime| regime.default_rule(None));
    vec![gateway_deny(default, None, None)]
}

fn gateway_deny<'a>(
    cited: Option<&'a DefaultRule>,
    consent: Option<usize>,
    basis: Option<&str>,
) -> Answer<'a> {
    Answer {
        regime: GATEWAY_REGIME,
        verdict: Verdict::Deny,
        needs_human: false,
        by_default: false,
        cited: cited.map(Cited::Default).into_iter().collect(),
        consent,
        basis: basis.map(str::to_owned),
    }
}

/// Puts the client's refusal in the place of what the exchange itself said.
fn refuse<'a>(scene: &Scene<'a>, refusal: usize, answers: &mut Vec<Answer<'a>>) {
    let regime = scene.bundle.regimes.get(GATEWAY_REGIME);
    let cited = regime.and_then(|regime| regime.refusal.as_ref());
    answers.retain(|answer| answer.regime != GATEWAY_REGIME);
    answers.push(gateway_deny(cited, Some(refusal), Some("CLIENT_REFUSAL")));
    answers.sort_by_key(|answer| answer.regime);
}
