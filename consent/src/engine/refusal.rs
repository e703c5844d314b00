//! Whether a refusal of the client closes an item.

use tandem_mappings::model::directive::Effect;

use super::answer::Answer;
use super::scene::Scene;
use crate::bundle::RuleKind;
use crate::directive::{Reach, ReachContext, View, wins_over};
use crate::request::{Action, Item};

/// The refusal that closes an item, by its place among the views.
///
/// What law requires cannot be refused, and a more specific permission stands.
pub(super) fn refused(scene: &Scene<'_>, item: &Item, answers: &[Answer<'_>]) -> Option<usize> {
    if matches!(scene.request.action, Action::Notify | Action::ReadAudit) {
        return None;
    }
    let required = answers
        .iter()
        .flat_map(|answer| &answer.cited)
        .any(|cited| {
            cited
                .rule()
                .is_some_and(|rule| rule.kind == RuleKind::Require)
        });
    if required {
        return None;
    }
    let counts = |view: &&View<'_>, effect| {
        view.effect == effect
            && view.is_active
            && !view.is_revoked
            && view.is_running(scene.now)
            && concerns(scene, view, item)
    };
    let permits: Vec<_> = scene
        .views
        .iter()
        .filter(|view| counts(view, Effect::Permit))
        .collect();
    let zone = &scene.bundle.zone;
    scene.views.iter().position(|deny| {
        counts(&deny, Effect::Deny) && !permits.iter().any(|permit| wins_over(permit, deny, zone))
    })
}

/// Whether a directive speaks of an item. An empty part of a refusal means everything, an empty
/// part of a permission nothing.
pub(super) fn concerns(scene: &Scene<'_>, view: &View<'_>, item: &Item) -> bool {
    let directive = view.directive;
    let open = view.effect == Effect::Deny;
    let category = scene.category(item);
    let by_category = match category {
        Some(category) => {
            let taken_back = view.revoked_categories.contains(&category);
            let listed = if open {
                &directive.categories
            } else {
                &view.categories
            };
            (listed.contains(&category) && !taken_back) || (open && listed.is_empty())
        }
        None => open,
    };
    let purpose = scene.request.purpose.value();
    let by_purpose = purpose.is_some_and(|one| directive.purposes.contains(&one))
        || (open && directive.purposes.is_empty());
    let by_recipient = view.reach.is_some() || (open && directive.recipients.is_empty());
    let by_source = source_is_meant(scene, view, item) || (open && directive.disclosers.is_empty());
    let by_matter = scene.matter(item).is_of(directive, view.effect);
    by_category && by_purpose && by_recipient && by_source && by_matter
}

fn source_is_meant(scene: &Scene<'_>, view: &View<'_>, item: &Item) -> bool {
    let context = ReachContext {
        facts: scene.facts,
        organization: &item.source_organization,
        individual: None,
        today: scene.today,
    };
    Reach::of(&view.directive.disclosers, view.effect, context).is_some()
}
