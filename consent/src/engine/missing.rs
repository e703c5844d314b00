//! What would turn a deny into a permit.

use std::collections::BTreeSet;

use tandem_mappings::model::directive::Effect;
use tandem_mappings::registry::AgreementKind;

use super::cedar::{self, Stage};
use super::evaluate::{Answer, Evaluator};
use super::scene::Scene;
use crate::GATEWAY;
use crate::decision::{Missing, Needs, Verdict};
use crate::directive::View;
use crate::request::Item;

/// The kinds of teams on which rules rest.
const TEAM_KINDS: [&str; 4] = [
    "MDT_CFT",
    "MDT_CHILDREN_SERVICES",
    "MDT_CHILD_ABUSE",
    "MDT_HOMELESS",
];

/// Finds, for each regime that denied an item, whether consent, an agreement or a team would open
/// it, by asking the regime again as if it were there.
pub(super) fn missing<'a>(
    scene: &Scene<'a>,
    evaluator: &Evaluator<'a, '_>,
    index: usize,
    item: &Item,
    answers: &[Answer<'a>],
) -> Vec<Missing> {
    let denied = answers
        .iter()
        .filter(|answer| answer.verdict == Verdict::Deny);
    denied
        .filter_map(|answer| {
            let (needs, elements) = of_regime(scene, evaluator, index, item, answer)?;
            Some(Missing {
                item: item.id.clone(),
                regime: answer.regime.to_owned(),
                needs,
                elements: elements.into_iter().collect(),
            })
        })
        .collect()
}

type Needed = (Needs, BTreeSet<String>);

fn of_regime<'a>(
    scene: &Scene<'a>,
    evaluator: &Evaluator<'a, '_>,
    index: usize,
    item: &Item,
    answer: &Answer<'a>,
) -> Option<Needed> {
    let regime = scene.bundle.regimes.get(answer.regime)?;
    let ideal = cedar::ideal_directive(scene, item).ok()?;
    let consented = cedar::context(scene, Some(ideal), None).ok()?;
    if evaluator.would_permit(evaluator.stage(), regime, index, &consented) {
        return Some((Needs::Consent, consent_elements(scene, item, answer.regime)));
    }
    let recipient = scene.request.recipient.organization.as_str();
    let has_agreement = recipient == GATEWAY
        || scene
            .recipient()
            .is_some_and(|one| one.gateway_term(AgreementKind::Dsa, scene.today).is_some());
    if !has_agreement && scene.bundle.coverage.always.contains(answer.regime) {
        return Some((Needs::Agreement, BTreeSet::from([recipient.to_owned()])));
    }
    team_kinds(scene, evaluator, index, regime, &consented)
}

fn team_kinds<'a>(
    scene: &Scene<'a>,
    evaluator: &Evaluator<'a, '_>,
    index: usize,
    regime: &crate::bundle::Regime,
    consented: &cedar_policy::Context,
) -> Option<Needed> {
    let opens = |kind: &&str| {
        Stage::new(scene, Some(&[kind])).is_ok_and(|stage| {
            evaluator.would_permit(&stage, regime, index, evaluator.plain())
                || evaluator.would_permit(&stage, regime, index, consented)
        })
    };
    // Most regimes know no team: one question with all kinds spares the single ones.
    let any = Stage::new(scene, Some(&TEAM_KINDS)).ok()?;
    let opened = evaluator.would_permit(&any, regime, index, evaluator.plain())
        || evaluator.would_permit(&any, regime, index, consented);
    if !opened {
        return None;
    }
    let kinds = TEAM_KINDS
        .iter()
        .filter(|kind| opens(kind))
        .map(|kind| (*kind).to_owned());
    Some((Needs::TeamMembership, kinds.collect()))
}

/// The elements that the person's best permission lacks; all that the regime asks for when there
/// is none.
fn consent_elements(scene: &Scene<'_>, item: &Item, regime: &str) -> BTreeSet<String> {
    let permits = scene
        .views
        .iter()
        .filter(|view| view.effect == Effect::Permit);
    permits
        .map(|view| lacking(scene, item, regime, view))
        .min_by_key(BTreeSet::len)
        .unwrap_or_else(|| {
            let asked = scene.bundle.elements.of(regime);
            asked.map(|element| element.as_str().to_owned()).collect()
        })
}

fn lacking(scene: &Scene<'_>, item: &Item, regime: &str, view: &View<'_>) -> BTreeSet<String> {
    let category = scene.category(item);
    let purpose = scene.request.purpose.value();
    let opened = category.is_some_and(|category| view.categories.contains(&category));
    let listed = category.is_some_and(|category| view.directive.categories.contains(&category));
    let taken_back = category.is_some_and(|category| view.revoked_categories.contains(&category));
    let faults = [
        ("state", !view.is_active),
        ("revocation", view.is_revoked || taken_back),
        ("valid_from", view.valid_from > scene.now),
        ("expiry", view.expires <= scene.now),
        ("categories", !listed),
        ("sensitive_opt_ins", listed && !opened),
        ("recipients", view.reach.is_none()),
        (
            "purposes",
            !purpose.is_some_and(|one| view.directive.purposes.contains(&one)),
        ),
        (
            "disclosers",
            !view.disclosers.contains(item.source_organization.as_str()),
        ),
    ];
    let asked = scene.bundle.elements.of(regime);
    let mut names: BTreeSet<String> = asked
        .filter(|element| view.lacking.contains(element))
        .map(|element| element.as_str().to_owned())
        .collect();
    names.extend(
        faults
            .iter()
            .filter(|(_, is_so)| *is_so)
            .map(|(name, _)| (*name).to_owned()),
    );
    if names.is_empty() {
        // Everything named is there, so what the law still asks is of the signer or the document.
        names.insert("signer_or_form".to_owned());
    }
    names
}
