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

/// The earliest end of what the permits of an item rest on: consents, agreements, teams, the
/// person's age, the rules themselves, and the start of a refusal that is already on file.
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
        if evaluator.rests_on_teams(answer, index) {
            let teams = scene.shared_teams(item).into_iter();
            let trained = scene.request.requester.training_valid_to;
            ends.extend(
                teams
                    .filter_map(|(_, end)| end)
                    .chain(trained)
                    .filter_map(last_day),
            );
        }
        let by_age = answer
            .cited
            .iter()
            .any(|cited| cited.rule().is_some_and(|rule| rule.asks_for_age()));
        if by_age && scene.age.is_some_and(|age| age < 18) {
            ends.extend(scene.majority().and_then(first_day));
        }
    }
    ends.extend(
        agreements(scene, item)
            .filter_map(|term| term.end)
            .filter_map(last_day),
    );
    let refusals = scene.views.iter().filter(|view| {
        view.effect == Effect::Deny && view.is_active && view.valid_from > scene.now
    });
    ends.extend(
        refusals
            .filter(|view| concerns(scene, view, item))
            .map(|view| view.valid_from),
    );
    ends.into_iter()
        .filter(|end| *end > scene.now && *end < Timestamp::MAX)
        .min()
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
