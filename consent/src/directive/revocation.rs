//! What a revocation takes back: every overlapping permission for the same recipient and category,
//! not one row.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{DirectiveState, Effect, Moment, Revocation};

use super::view::View;

/// A revocation as it bears on the recipient of a request.
struct TakenBack {
    index: usize,
    whole: bool,
    categories: BTreeSet<Category>,
    received_at: Timestamp,
}

/// Marks each view with what was taken back from the recipient by the given instant. Of several
/// versions of one directive only the last one permits.
pub(crate) fn apply(views: &mut [View<'_>], recipient: &str, now: Timestamp, zone: &TimeZone) {
    let taken: Vec<TakenBack> = views
        .iter()
        .enumerate()
        .filter(|(_, view)| view.directive.effect == Effect::Permit)
        .flat_map(|(index, view)| taken_back(index, view, recipient, now, zone))
        .collect();
    for (index, view) in views.iter_mut().enumerate() {
        for revocation in &taken {
            let own = revocation.index == index;
            // A permission given after the revocation is a new decision of the person.
            let earlier = view.given_at(zone) <= revocation.received_at;
            if own || (view.effect == Effect::Permit && earlier) {
                view.revoked_categories.extend(&revocation.categories);
            }
            view.is_revoked |= own && revocation.whole;
        }
    }
    drop_old_versions(views);
    for view in views.iter_mut().filter(|view| view.effect == Effect::Deny) {
        // A refusal that was itself taken back closes nothing any more.
        let gone = view
            .directive
            .revocations()
            .any(|one| one.is_whole() && received(one.received_at, zone) <= now);
        view.is_revoked |= gone;
    }
}

/// A day without a time counts from its start: a revocation is effective on receipt.
pub(super) fn received(moment: Moment, zone: &TimeZone) -> Timestamp {
    moment.start(zone).unwrap_or(Timestamp::MIN)
}

/// What the revocations of one directive take back from the recipient. Those that name sources are asked of each item.
fn taken_back(
    index: usize,
    view: &View<'_>,
    recipient: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<TakenBack> {
    let directive = view.directive;
    let state_says_so = directive.standing() == DirectiveState::Revoked;
    if state_says_so && directive.revocation.is_none() {
        // Without a date the safe reading is that it came in just now.
        return vec![TakenBack {
            index,
            whole: true,
            categories: reached_categories(view),
            received_at: now,
        }];
    }
    let bears = |revocation: &&Revocation| {
        let for_recipient =
            revocation.recipients.is_empty() || revocation.recipients.contains(recipient);
        let came = received(revocation.received_at, zone) <= now;
        state_says_so || (came && for_recipient && revocation.disclosers.is_empty())
    };
    let revocations = directive.revocations().filter(bears);
    revocations
        .map(|revocation| TakenBack {
            index,
            whole: state_says_so || revocation.is_whole(),
            categories: if revocation.categories.is_empty() {
                reached_categories(view)
            } else {
                revocation.categories.clone()
            },
            received_at: received(revocation.received_at, zone),
        })
        .collect()
}

/// The categories of a directive, when it means the recipient at all.
fn reached_categories(view: &View<'_>) -> BTreeSet<Category> {
    view.reach
        .map(|_| view.directive.categories.clone())
        .unwrap_or_default()
}

fn drop_old_versions(views: &mut [View<'_>]) {
    let versions: Vec<_> = views
        .iter()
        .map(|view| (&view.directive.id, view.directive.version))
        .collect();
    for view in views
        .iter_mut()
        .filter(|view| view.effect == Effect::Permit)
    {
        let newer = |(id, version): &(_, u32)| {
            *id == &view.directive.id && *version > view.directive.version
        };
        if versions.iter().any(newer) {
            view.is_active = false;
        }
    }
}
