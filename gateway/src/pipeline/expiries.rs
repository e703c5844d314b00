//! Consents that end by themselves: on their last day, when the event comes that ends them, or on the eighteenth birthday
//! of a child for whom somebody else signed. Every decision sees the end at once; what follows from it is looked after
//! here, without waiting for the next attempt: episodes that rested on it pause, referrals are cancelled, holders of
//! copies are told to stop. There is no grace (specs consent 8).

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_mappings::model::directive::{Directive, DirectiveState, Effect};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::DirectiveId;

use super::consents::{self, Narrowing};
use super::core::Core;
use super::family;
use crate::state::directive::DirectiveDoc;
use crate::store::{StoreError, Tx};

/// Looks after every consent that has ended since the last look. Returns when the next one ends.
///
/// # Errors
/// When the store fails.
pub async fn look(core: &Core) -> Result<Option<Timestamp>, StoreError> {
    let now = core.clock.now();
    let (due, next) = due(core, now).await?;
    let has_ended = !due.is_empty();
    for id in due {
        let mut tx = core.store.begin().await?;
        // Somebody may have revoked it since it was found.
        if let Some(document) = tx.get::<DirectiveDoc>(id.as_str()).await?
            && let Some((at, state)) = end(core, &mut tx, &document).await?
            && at <= now
        {
            close(core, &mut tx, document, state, now).await?;
        }
        tx.commit().await?;
    }
    if has_ended {
        core.wake();
    }
    Ok(next)
}

/// The consents that have ended, and when the next one does: found in a snapshot, so that nobody waits for the search.
async fn due(
    core: &Core,
    now: Timestamp,
) -> Result<(Vec<DirectiveId>, Option<Timestamp>), StoreError> {
    let mut tx = core.store.snapshot().await?;
    let (mut due, mut next) = (Vec::new(), None);
    for document in tx.all::<DirectiveDoc>().await? {
        match end(core, &mut tx, &document).await? {
            Some((at, _)) if at <= now => due.push(document.directive.id),
            Some((at, _)) => next = next.into_iter().chain([at]).min(),
            None => {}
        }
    }
    Ok((due, next))
}

/// When a directive that counts, or may come to count, ends, and as what it then stands.
async fn end(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
) -> Result<Option<(Timestamp, DirectiveState)>, StoreError> {
    let directive = &document.directive;
    if !is_open(directive.standing()) {
        return Ok(None);
    }
    let bundle = core.judge.bundle();
    let stated = tandem_consent::ends_at(directive, &bundle);
    let mut ends = vec![stated.map(|at| (at, DirectiveState::Expired))];
    if directive.standing() != DirectiveState::Suspended {
        let majority = majority(core, tx, document).await?;
        ends.push(majority.map(|at| (at, DirectiveState::Suspended)));
    }
    Ok(ends.into_iter().flatten().min_by_key(|(at, _)| *at))
}

const fn is_open(standing: DirectiveState) -> bool {
    use DirectiveState::{Active, Expiring, SignedUnverified, Suspended};
    matches!(standing, Active | Expiring | SignedUnverified | Suspended)
}

/// The day on which everybody for whom somebody else signed has come of age.
async fn majority(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
) -> Result<Option<Timestamp>, StoreError> {
    let mut days = BTreeSet::new();
    for key in &document.covers {
        let record = family::record(tx, &key.system, &key.person).await?;
        let birth = record.and_then(|record| record.person.birth);
        let Some(born) = birth.and_then(|birth| birth.date.full()) else {
            return Ok(None);
        };
        let bundle = core.judge.bundle();
        days.extend(tandem_consent::suspended_at(
            &document.directive,
            born,
            &bundle,
        ));
    }
    Ok(days.pop_last())
}

/// Records the end, and does what follows from it.
async fn close(
    core: &Core,
    tx: &mut Tx,
    mut document: DirectiveDoc,
    state: DirectiveState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let counted = counted(&document.directive);
    document.directive.state = Some(state);
    tx.put(&document, now).await?;
    let (action, body): (_, fn(Box<_>) -> Body) = match state {
        DirectiveState::Suspended => ("consent.suspend", Body::ConsentSuspended),
        _ => ("consent.expire", Body::ConsentExpired),
    };
    let (gateway, id) = (core.gateway.as_str(), document.directive.id.as_str());
    tx.audit(now, gateway, action, id, "").await?;
    consents::told(core, tx, &document, BTreeSet::new(), body, now).await?;
    match document.directive.effect {
        _ if !counted => {}
        Effect::Deny => Box::pin(consents::widened(core, tx, &document.covers, now)).await?,
        _ => {
            let covers = &document.covers;
            Box::pin(consents::narrowed(
                core,
                tx,
                covers,
                Narrowing::Expired,
                now,
            ))
            .await?;
        }
    }
    Ok(())
}

/// Whether anything can have rested on it: a permit that nobody has verified opens nothing, a refusal counts at once.
fn counted(directive: &Directive) -> bool {
    let in_force = matches!(
        directive.standing(),
        DirectiveState::Active | DirectiveState::Expiring
    );
    in_force || directive.effect == Effect::Deny
}
