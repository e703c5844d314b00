//! How long an answer stays the same, word for word.

use jiff::Timestamp;
use tandem_mappings::model::directive::{Directive, Moment};

use super::scene::Scene;
use crate::bundle::Bundle;
use crate::facts::Facts;
use crate::request::Request;

/// The first instant after `request.as_of` from which the same question may have another answer, a permit or a deny or another
/// wording: the next midnight of the jurisdiction, since everything that is dated holds for whole days, or the next instant
/// that a directive names. `None` when it may be another at once.
///
/// Not the end of a permit, [`crate::Decision::valid_until`], which may lie long after it.
#[must_use]
pub fn steady_until(
    request: &Request,
    facts: &Facts,
    directives: &[Directive],
    bundle: &Bundle,
) -> Option<Timestamp> {
    if request.emergency.is_some() {
        return None;
    }
    let scene = Scene::new(request, facts, directives, bundle);
    let zone = &bundle.zone;
    let named = scene.views.iter().flat_map(|view| {
        let directive = view.directive;
        let revoked = directive.revocation.as_ref().map(|one| one.received_at);
        let stated = [directive.captured_at, directive.verified_at, revoked];
        let stated = stated.into_iter().flatten();
        let stated = stated.filter_map(|moment| moment.start(zone));
        stated.chain([view.valid_from, view.expires])
    });
    let midnight = Moment::Day(scene.today).end(zone)?;
    named
        .filter(|instant| *instant > scene.now)
        .chain([midnight])
        .min()
}
