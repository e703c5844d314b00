//! What would turn a deny into a permit.

use std::collections::BTreeSet;

use tandem_mappings::model::directive::Effect;
use tandem_mappings::registry::AgreementKind;

use cedar_policy::Context;

use super::answer::Answer;
use super::cedar::{self, CedarError, Stage};
use super::evaluate::Evaluator;
use super::scene::Scene;
use crate::GATEWAY;
use crate::bundle::Regime;
use crate::decision::{Missing, Needs, Verdict};
use crate::directive::View;
use crate::request::Item;

/// The kinds of teams on which rules rest.
pub(super) const TEAM_KINDS: [&str; 4] = [
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
    let Ok(question) = Question::new(scene, evaluator, index, item) else {
        return Vec::new();
    };
    let denied = answers
        .iter()
        .filter(|answer| answer.verdict == Verdict::Deny);
    denied
        .filter_map(|answer| {
            let (needs, elements) = question.answer(answer.regime)?;
            Some(Missing {
                item: item.id.clone(),
                regime: answer.regime.to_owned(),
                needs,
                elements: elements.into_iter().collect(),
            })
        })
        .collect()
}

/// What is missing for one item, asked of one regime after the other.
struct Question<'a, 's> {
    scene: &'s Scene<'a>,
    evaluator: &'s Evaluator<'a, 's>,
    index: usize,
    item: &'s Item,
    /// The situation with a directive that holds everything.
    consented: Context,
}

type Needed = (Needs, BTreeSet<String>);

impl<'a, 's> Question<'a, 's> {
    fn new(
        scene: &'s Scene<'a>,
        evaluator: &'s Evaluator<'a, 's>,
        index: usize,
        item: &'s Item,
    ) -> Result<Self, CedarError> {
        let ideal = cedar::ideal_directive(scene, item)?;
        let consented = cedar::context(scene, Some(ideal), None)?;
        Ok(Self {
            scene,
            evaluator,
            index,
            item,
            consented,
        })
    }

    fn answer(&self, regime: &'a str) -> Option<Needed> {
        let rules = self.scene.bundle.regimes.get(regime)?;
        let stage = self.evaluator.stage();
        if self
            .evaluator
            .would_permit(stage, rules, self.index, &self.consented)
        {
            return Some((
                Needs::Consent,
                consent_elements(self.scene, self.item, regime),
            ));
        }
        let recipient = self.scene.request.recipient.organization.as_str();
        let day = self.scene.today;
        let record = self.scene.recipient();
        let has_agreement = recipient == GATEWAY
            || record.is_some_and(|one| one.gateway_term(AgreementKind::Dsa, day).is_some());
        if !has_agreement && self.scene.bundle.coverage.always.contains(regime) {
            return Some((Needs::Agreement, BTreeSet::from([recipient.to_owned()])));
        }
        self.team_kinds(rules)
    }

    fn team_kinds(&self, rules: &Regime) -> Option<Needed> {
        // Most regimes know no team, and one question with all kinds spares the single ones.
        let by_team = rules.on(self.scene.today)?;
        by_team.about_teams(self.scene.request.action.as_str())?;
        if !self.opens_on(self.evaluator.all_teams()?, rules) {
            return None;
        }
        let opens = |kind: &&&str| {
            Stage::new(self.scene, Some(&[**kind])).is_ok_and(|stage| self.opens_on(&stage, rules))
        };
        let kinds = TEAM_KINDS
            .iter()
            .filter(opens)
            .map(|kind| (*kind).to_owned());
        Some((Needs::TeamMembership, kinds.collect()))
    }

    fn opens_on(&self, stage: &Stage, rules: &Regime) -> bool {
        let evaluator = self.evaluator;
        evaluator.would_permit(stage, rules, self.index, evaluator.plain())
            || evaluator.would_permit(stage, rules, self.index, &self.consented)
    }
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
