//! Putting the answers of the regimes together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tandem_mappings::model::directive::{Directive, Moment};

use super::answer::Answer;
use super::draft::{Draft, exchange_denies};
use super::evaluate::Evaluator;
use super::scene::Scene;
use crate::bundle::Bundle;
use crate::canonical::{canonical_json, sha256};
use crate::decision::{Decision, ItemDecision, RegimeDecision, Verdict};
use crate::directive::birthday;
use crate::facts::Facts;
use crate::request::{Item, Request, have_own_ids};

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
    let draft = weigh(&scene);
    let end = end(&scene, &draft);
    let facts = facts_hash(&scene);
    draft.finish(&scene, facts, end)
}

/// Until when what a draft opens may be relied on: until what it rests on ends, a birthday closes it, or what it rests on
/// from a birthday on ends.
fn end(scene: &Scene<'_>, draft: &Draft<'_>) -> Option<Timestamp> {
    let now = draft.permits();
    if !now.contains(&true) {
        return None;
    }
    let mut end = draft.end_of(&now);
    for birthday in birthdays(scene) {
        if end.is_some_and(|end| end <= birthday) {
            break;
        }
        let request = Request {
            as_of: birthday,
            ..scene.request.clone()
        };
        let then = Scene::new(&request, scene.facts, scene.directives, scene.bundle);
        let later = weigh(&then);
        let closes = now
            .iter()
            .zip(later.permits())
            .any(|(now, later)| *now && !later);
        if closes {
            return Some(birthday);
        }
        end = end.into_iter().chain(later.end_of(&now)).min();
    }
    end
}

/// The answers about every item.
fn weigh<'a>(scene: &Scene<'a>) -> Draft<'a> {
    let mut draft = Draft::default();
    let evaluator = Evaluator::new(scene);
    for (index, item) in scene.request.items.iter().enumerate() {
        let answers = match &evaluator {
            Ok(evaluator) if accepted(scene) => draft.item(scene, evaluator, index, item),
            _ => exchange_denies(scene.bundle),
        };
        draft
            .items
            .push((item_decision(scene, item, &answers), answers));
    }
    draft
}

/// The birthdays to come from which some rule answers differently, the first one first.
fn birthdays(scene: &Scene<'_>) -> impl Iterator<Item = Timestamp> {
    let born = scene.request.subject.birth_date;
    let ages = scene.bundle.ages.iter();
    ages.filter_map(move |age| birthday(born?, *age))
        .filter_map(|day| Moment::Day(day).start(&scene.bundle.zone))
        .filter(|start| *start > scene.now)
}

/// Whether the request can be decided at all: for this jurisdiction, by this bundle, with items
/// that can be told apart, and without a flag that no rule knows.
fn accepted(scene: &Scene<'_>) -> bool {
    let (request, bundle) = (scene.request, scene.bundle);
    let here = bundle
        .jurisdiction()
        .is_none_or(|own| own == request.jurisdiction.as_str());
    let current = request
        .policy_version
        .as_ref()
        .is_none_or(|asked| *asked == bundle.hash);
    here && current && have_own_ids(&request.items) && scene.unknown_flag().is_none()
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
    let organizations: BTreeMap<_, _> = scene
        .request
        .organizations()
        .into_iter()
        .map(|id| (id.as_str(), scene.facts.digest(id)))
        .collect();
    let directives: Vec<_> = scene.views.iter().map(|view| view.directive).collect();
    let relied = serde_json::json!({ "organizations": organizations, "directives": directives });
    sha256(canonical_json(&relied).as_bytes())
}
