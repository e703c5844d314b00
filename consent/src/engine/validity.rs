//! Until when a permit may be relied on.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::directive::{Effect, Moment};
use tandem_mappings::registry::{AgreementKind, Term};

use super::answer::Answer;
use super::evaluate::Evaluator;
use super::refusal::concerns;
use super::scene::Scene;
use crate::GATEWAY;
use crate::directive::{Reach, View};
use crate::request::Item;

/// The earliest end of what the permits of an item rest on: consents, agreements, teams, the rules
/// themselves, and the start of a refusal or revocation that is already on file.
pub(super) fn valid_until<'a>(
    scene: &Scene<'a>,
    evaluator: &Evaluator<'a, '_>,
    index: usize,
    item: &Item,
    answers: &[Answer<'a>],
) -> Option<Timestamp> {
    let zone = &scene.bundle.zone;
    let last_day = |day: Date| Moment::Day(day).end(zone);
    let first_day = |day: Date| Moment::Day(day).start(zone);
    let mut ends = Vec::new();
    for answer in answers {
        let view = answer.consent.and_then(|at| scene.views.get(at));
        ends.extend(view.map(|view| view.expires));
        if let Some(regime) = scene.bundle.regimes.get(answer.regime) {
            ends.extend(regime.next_change(scene.today).and_then(first_day));
        }
        let by_team = view.is_some_and(|view| view.reach == Some(Reach::Team));
        if by_team {
            ends.extend(recipient_teams(scene, view).filter_map(last_day));
        }
        let teams = scene.shared_teams(item);
        if !teams.is_empty() && evaluator.rests_on_teams(answer, index) {
            let teams = teams.into_iter();
            let trained = scene.request.requester.training_valid_to;
            ends.extend(
                teams
                    .filter_map(|(_, end)| end)
                    .chain(trained)
                    .filter_map(last_day),
            );
        }
        ends.extend(
            view.and_then(|view| end_of_data(view, item))
                .and_then(last_day),
        );
    }
    ends.extend(
        agreements(scene, item)
            .filter_map(|term| term.end)
            .filter_map(last_day),
    );
    ends.extend(refusals_ahead(scene, item));
    let has_refusal = scene.views.iter().any(|view| view.effect == Effect::Deny);
    if has_refusal || answers.iter().any(|answer| answer.consent.is_some()) {
        ends.extend(revocations_ahead(scene, item));
    }
    if has_refusal {
        // A permission may be what keeps a refusal from closing the item.
        for view in scene
            .views
            .iter()
            .filter(|view| concerns(scene, view, item))
        {
            ends.push(view.expires);
            let teams = recipient_teams(scene, Some(view));
            ends.extend(teams.chain(end_of_data(view, item)).filter_map(last_day));
        }
    }
    ends.into_iter()
        .filter(|end| *end > scene.now && *end < Timestamp::MAX)
        .min()
}

/// The starts of refusals that are on file already, and the first days of the data of which they speak: an item that goes
/// on may come to be of them.
fn refusals_ahead(scene: &Scene<'_>, item: &Item) -> impl Iterator<Item = Timestamp> {
    let zone = &scene.bundle.zone;
    let refusals = scene
        .views
        .iter()
        .filter(|view| view.effect == Effect::Deny && view.is_active);
    refusals.flat_map(move |view| {
        let start = concerns(scene, view, item).then_some(view.valid_from);
        let data = view.directive.data_period.and_then(|period| period.start);
        let data = data.filter(|day| goes_on(item) && *day > scene.today);
        start
            .into_iter()
            .chain(data.and_then(|day| Moment::Day(day).start(zone)))
    })
}

/// When revocations that are on file already take effect for the recipient and the item's category.
fn revocations_ahead(scene: &Scene<'_>, item: &Item) -> impl Iterator<Item = Timestamp> {
    let category = scene.category(item);
    let recipient = scene.request.recipient.organization.as_str();
    scene.views.iter().filter_map(move |view| {
        let revocation = view.directive.revocation.as_ref()?;
        let categories = if revocation.categories.is_empty() {
            &view.directive.categories
        } else {
            &revocation.categories
        };
        let for_recipient =
            revocation.recipients.is_empty() || revocation.recipients.contains(recipient);
        let bears = for_recipient && categories.contains(&category?);
        revocation
            .received_at
            .start(&scene.bundle.zone)
            .filter(|_| bears)
    })
}

/// The last day of the period from which a consent lets data come, when the item still goes on.
fn end_of_data(view: &View<'_>, item: &Item) -> Option<Date> {
    view.directive.data_period?.end.filter(|_| goes_on(item))
}

fn goes_on(item: &Item) -> bool {
    item.authored.is_none_or(|authored| authored.end.is_none())
}

/// The last days of the recipient's membership in the teams that a directive names.
fn recipient_teams<'a>(scene: &Scene<'a>, view: Option<&View<'a>>) -> impl Iterator<Item = Date> {
    let named = view.map(|view| &view.directive.recipients.team);
    let teams = scene.recipient().into_iter().flat_map(|one| &one.teams);
    let today = scene.today;
    teams
        .filter(move |team| {
            team.term().holds_on(today)
                && named.is_some_and(|named| named.contains(team.id.as_str()))
        })
        .filter_map(|team| team.to)
}

/// The agreements without which the recipient, or for intake the source, would get nothing.
fn agreements(scene: &Scene<'_>, item: &Item) -> impl Iterator<Item = Term> {
    let intake = scene.request.recipient.organization.as_str() == GATEWAY;
    let party = if intake {
        scene.source(item)
    } else {
        scene.recipient()
    };
    let kinds: &[AgreementKind] = if intake {
        &[AgreementKind::Dsa, AgreementKind::Baa, AgreementKind::Qsoa]
    } else {
        &[AgreementKind::Dsa]
    };
    let today = scene.today;
    kinds
        .iter()
        .filter_map(move |kind| party?.gateway_term(*kind, today))
}
