//! Putting the answers of the regimes together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_mappings::model::directive::Directive;

use super::cover::{Cover, cover};
use super::duties::Duties;
use super::evaluate::{Answer, Cited, Evaluator};
use super::explain::explain;
use super::missing::missing;
use super::refusal::refused;
use super::scene::Scene;
use super::validity::valid_until;
use crate::bundle::{Bundle, DefaultRule, Regime};
use crate::canonical::{canonical_json, sha256};
use crate::decision::{
    Decision, Evidence, ItemDecision, LocalInstant, Missing, Outcome, RegimeDecision, Verdict,
};
use crate::facts::Facts;
use crate::request::{Item, Request};

/// The regime that holds the rules of the exchange itself.
const GATEWAY_REGIME: &str = "gateway";

/// The regime of what endangers a person.
const SAFETY_REGIME: &str = "safety";

/// Decides a request. Pure: the time is `request.as_of`, and equal inputs give equal bytes.
///
/// Directives about other persons are ignored. Whatever cannot be evaluated is denied.
#[must_use]
pub fn decide(
    request: &Request,
    facts: &Facts,
    directives: &[Directive],
    bundle: &Bundle,
) -> Decision {
    let scene = Scene::new(request, facts, directives, bundle);
    let mut draft = Draft::default();
    let evaluator = Evaluator::new(&scene);
    for (index, item) in request.items.iter().enumerate() {
        let answers = match &evaluator {
            Ok(evaluator) if accepted(&scene) => draft.item(&scene, evaluator, index, item),
            _ => exchange_denies(bundle),
        };
        draft
            .items
            .push((item_decision(&scene, item, &answers), answers));
    }
    draft.finish(&scene)
}

/// Whether the request can be decided at all: for this jurisdiction, by this bundle, and without
/// a flag that no rule knows.
fn accepted(scene: &Scene<'_>) -> bool {
    let (request, bundle) = (scene.request, scene.bundle);
    let here = bundle
        .jurisdiction()
        .is_none_or(|own| own == request.jurisdiction.as_str());
    let current = request
        .policy_version
        .as_ref()
        .is_none_or(|asked| *asked == bundle.hash);
    here && current && scene.unknown_flag().is_none()
}

#[derive(Default)]
struct Draft<'a> {
    items: Vec<(ItemDecision, Vec<Answer<'a>>)>,
    duties: Duties,
    missing: Vec<Missing>,
    ends: Vec<Timestamp>,
    evaluated: BTreeSet<&'a str>,
    needs_human: bool,
}

impl<'a> Draft<'a> {
    /// The answers about one item, in the order of the specification: bars, safety, every
    /// regime, the client's refusals.
    fn item(
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
        if regimes.contains(SAFETY_REGIME) {
            let safety = BTreeSet::from([SAFETY_REGIME]);
            let answers = self.ask(scene, evaluator, index, &safety, &[]);
            if answers.iter().any(|answer| answer.verdict == Verdict::Deny) {
                return answers;
            }
        }
        let candidates = evaluator.candidates(index, item);
        let mut answers = self.ask(scene, evaluator, index, &regimes, &candidates);
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
            self.ends.extend(valid_until(scene, item, &answers));
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
        if !answers.iter().any(|answer| answer.by_default) {
            return;
        }
        let lifting = scene
            .bundle
            .coverage
            .lifting
            .iter()
            .map(String::as_str)
            .collect();
        let lifting = self.ask(scene, evaluator, index, &lifting, candidates);
        for lifter in lifting
            .iter()
            .filter(|lifter| lifter.verdict == Verdict::Permit)
        {
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

    fn finish(self, scene: &Scene<'_>) -> Decision {
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
        let explanation = explain(scene, outcome, &self.items);
        let (obligations, refrains) = self.duties.finish();
        let zone = &scene.bundle.zone;
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
            valid_until: self
                .ends
                .into_iter()
                .min()
                .map(|end| LocalInstant::new(end, zone)),
            missing,
            explanation,
            evidence: Evidence {
                facts: facts_hash(scene),
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
fn exchange_denies(bundle: &Bundle) -> Vec<Answer<'_>> {
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

fn item_decision(scene: &Scene<'_>, item: &Item, answers: &[Answer<'_>]) -> ItemDecision {
    let permits = !answers.is_empty()
        && answers
            .iter()
            .all(|answer| answer.verdict == Verdict::Permit);
    let consent = |at: usize| {
        scene
            .views
            .get(at)
            .map(|view| view.directive.id.to_string())
    };
    ItemDecision {
        id: item.id.clone(),
        outcome: if permits {
            Verdict::Permit
        } else {
            Verdict::Deny
        },
        category: scene.category_name(item),
        regimes: answers
            .iter()
            .map(|answer| RegimeDecision {
                regime: answer.regime.to_owned(),
                outcome: answer.verdict,
                rules: answer
                    .cited
                    .iter()
                    .map(|cited| cited.id().to_owned())
                    .collect(),
                citations: answer
                    .cited
                    .iter()
                    .map(|cited| cited.citation().to_owned())
                    .collect(),
                consent: answer.consent.and_then(consent),
                basis: answer.basis.clone(),
            })
            .collect(),
    }
}

/// The hash of what was relied on: the organisations of the request and the person's directives.
fn facts_hash(scene: &Scene<'_>) -> String {
    let request = scene.request;
    let sources = request.items.iter().flat_map(|item| {
        let chain = item.consent_chain.iter().map(|link| &link.organization);
        chain.chain([&item.source_organization])
    });
    let organizations: BTreeMap<_, _> = sources
        .chain([
            &request.recipient.organization,
            &request.requester.organization,
        ])
        .map(|id| (id.as_str(), scene.facts.digest(id)))
        .collect();
    let directives: Vec<_> = scene.views.iter().map(|view| view.directive).collect();
    let relied = serde_json::json!({ "organizations": organizations, "directives": directives });
    sha256(canonical_json(&relied).as_bytes())
}
