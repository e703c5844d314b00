//! What time does to consents. One that was signed for a later day begins to count; one that comes near its end is announced
//! 60, 30 and 7 days before, to the privacy officer and in the systems that rely on it. Consents end by themselves: on
//! their last day, when the event comes that ends them, or on the eighteenth birthday of a child for whom somebody else
//! signed. Every decision sees the end at once; what follows from it is looked after here, without waiting for the next
//! attempt: episodes that rested on it pause, referrals are cancelled, holders of copies are told to stop. There is no
//! grace (specs consent 8).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tandem_mappings::model::directive::{DirectiveState, Effect};
use tandem_mappings::model::event::Body;

use super::consents::{self, Narrowing};
use super::core::Core;
use super::{family, reminders, stuck};
use crate::state::directive::{Because, DirectiveDoc};
use crate::state::stuck::StuckDoc;
use crate::store::{Document, Due, Place, StoreError, Tx};

/// Days before its end on which the end of a consent is announced (specs consent 8).
const REMINDERS: [u16; 3] = [60, 30, 7];
/// Consents that are looked at in one transaction.
const PAGE: u32 = 200;
/// Consents for which something is done, and messages that are decided again for them, in one transaction: others wait to write
/// meanwhile.
const MOST: usize = 20;

/// What time does to a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// It begins to count.
    Start,
    /// Its end is so many days away.
    Reminder(u16),
    /// It ends.
    End(DirectiveState),
}

/// The rules by which it is known when each consent must be looked at next.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LookedByDoc {
    /// Hash of the bundle.
    bundle: String,
}

impl Document for LookedByDoc {
    const KIND: &'static str = "consent-looked-by";

    fn key(&self) -> String {
        "rules".to_owned()
    }
}

/// Looks after every consent that has begun to count, comes near its end or has ended since the last look, and at those
/// that were written since. Returns when the next one is due.
///
/// # Errors
/// When the store fails.
pub async fn look(core: &Core) -> Result<Option<Timestamp>, StoreError> {
    let now = core.clock.now();
    by_these_rules(core, now).await?;
    let mut has_come = false;
    loop {
        let mut tx = core.store.begin().await?;
        let aside = tx.all::<StuckDoc>().await?;
        let aside: BTreeMap<_, _> = aside.iter().map(|one| (one.place.as_str(), one)).collect();
        let due = tx.due_documents::<DirectiveDoc>(now, PAGE).await?;
        if due.is_empty() {
            let next = tx.next_document_due::<DirectiveDoc>().await?;
            if has_come {
                core.wake();
            }
            return Ok(next);
        }
        let mut came = 0;
        for found in due {
            let before = aside.get(found.place.to_string().as_str()).copied();
            came += look_after(core, &mut tx, found, before, now).await?;
            if came >= MOST {
                break;
            }
        }
        tx.commit().await?;
        has_come |= came > 0;
    }
}

/// Looks after one consent, or sets it aside when that fails: others wait for it no longer. Returns how much was done.
async fn look_after(
    core: &Core,
    tx: &mut Tx,
    found: Due<DirectiveDoc>,
    before: Option<&StuckDoc>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mark = tx.mark().await?;
    let id = found.document.as_ref().ok();
    let id = id.map(|document| document.directive.id.to_string());
    let writes_indexes = found.is_old || before.is_some();
    let done = match found.document {
        Ok(document) => look_at(core, tx, (&found.place, document), writes_indexes, now).await,
        Err(error) => Err(error),
    };
    match (done, before) {
        (Ok(came), None) => {
            tx.pass(mark).await?;
            Ok(came)
        }
        (Ok(came), Some(before)) => {
            tx.pass(mark).await?;
            stuck::freed(core, tx, before, now).await?;
            Ok(came)
        }
        (Err(error), _) if stuck::is_its_own(&error) => {
            tx.back_to(mark).await?;
            stuck::set_aside(core, tx, &found.place, id, &error, now).await?;
            Ok(1)
        }
        (Err(error), _) => Err(error),
    }
}

/// By other rules consents may end at other times: then all must be looked at again.
async fn by_these_rules(core: &Core, now: Timestamp) -> Result<(), StoreError> {
    let by = LookedByDoc {
        bundle: core.judge.bundle().hash().to_owned(),
    };
    let mut tx = core.store.snapshot().await?;
    let last = tx.get::<LookedByDoc>(&by.key()).await?;
    drop(tx);
    if last.is_none_or(|last| last.bundle != by.bundle) {
        let mut tx = core.store.begin().await?;
        tx.look_at_all::<DirectiveDoc>().await?;
        tx.put(&by, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Does what is due for one consent, or notes when something will be. Returns how much was done.
async fn look_at(
    core: &Core,
    tx: &mut Tx,
    (place, document): (&Place, DirectiveDoc),
    writes_indexes: bool,
    now: Timestamp,
) -> Result<usize, StoreError> {
    if writes_indexes {
        tx.write_indexes(&document).await?;
    }
    match next_of(core, tx, &document).await? {
        // What is written by this is looked at again.
        Some((at, what)) if at <= now => {
            let looked_at = comes(core, tx, document, what, now).await?;
            Ok(1 + looked_at)
        }
        next => {
            let next = next.map(|(at, _)| at);
            tx.look_at::<DirectiveDoc>(place, next).await?;
            Ok(0)
        }
    }
}

/// What time does to a consent next, and when. An end comes before everything that would be due at the same time.
async fn next_of(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
) -> Result<Option<(Timestamp, What)>, StoreError> {
    let directive = &document.directive;
    let Some((at, state)) = end(core, tx, document).await? else {
        return Ok(start(core, document));
    };
    let mut all = vec![(at, What::End(state))];
    all.extend(start(core, document));
    if directive.says() == Some(Effect::Permit) && state == DirectiveState::Expired {
        all.extend(reminder(document, at, core.clock.now()));
    }
    let now = core.clock.now();
    if at <= now {
        return Ok(all.into_iter().next());
    }
    Ok(all.into_iter().min_by_key(|(at, _)| *at))
}

fn start(core: &Core, document: &DirectiveDoc) -> Option<(Timestamp, What)> {
    let begins = document
        .directive
        .valid_from
        .filter(|_| document.waits_for_start && document.directive.says().is_some())?;
    let bundle = core.judge.bundle();
    Some((begins.start(bundle.zone())?, What::Start))
}

/// The next reminder: the latest that is due, else the first that will be.
fn reminder(document: &DirectiveDoc, end: Timestamp, now: Timestamp) -> Option<(Timestamp, What)> {
    let open = REMINDERS
        .into_iter()
        .filter(|days| document.reminded.is_none_or(|last| *days < last));
    let at = |days: u16| {
        let before = SignedDuration::from_hours(i64::from(days) * 24);
        end.checked_sub(before)
            .ok()
            .map(|at| (at, What::Reminder(days)))
    };
    let all: Vec<_> = open.filter_map(at).collect();
    let latest = all.iter().rev().find(|(at, _)| *at <= now);
    latest.or_else(|| all.first()).copied()
}

/// What time has brought for a consent. Returns how many messages were decided again for it.
async fn comes(
    core: &Core,
    tx: &mut Tx,
    mut document: DirectiveDoc,
    what: What,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let id = document.directive.id.as_str().to_owned();
    let gateway = core.gateway.as_str();
    match what {
        What::End(state) => return close(core, tx, document, state, now).await,
        What::Start => {
            document.waits_for_start = false;
            tx.put(&document, now).await?;
            tx.audit(now, gateway, "consent.start", &id, "").await?;
            let why = Narrowing::Revoked;
            let recalls = consents::follow(core, tx, None, &document, why, now).await?;
            return Ok(recalls.looked_at);
        }
        What::Reminder(days) => {
            document.reminded = Some(days);
            document.directive.state = Some(DirectiveState::Expiring);
            tx.put(&document, now).await?;
            let told = reminders::tell(core, tx, &document, days, now).await?;
            let mut detail = format!("{days} days");
            for system in told {
                detail = format!("{detail} {system}");
            }
            tx.audit(now, gateway, "consent.reminder", &id, &detail)
                .await?;
        }
    }
    Ok(0)
}

/// When a directive that counts, or may come to count, ends, and as what it then stands.
async fn end(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
) -> Result<Option<(Timestamp, DirectiveState)>, StoreError> {
    let directive = &document.directive;
    if !directive.standing().is_open() {
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

/// Records the end, and does what follows from it. Returns how many messages were decided again.
///
/// # Errors
/// When the store fails.
pub(super) async fn close(
    core: &Core,
    tx: &mut Tx,
    mut document: DirectiveDoc,
    state: DirectiveState,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let before = document.directive.says();
    document.directive.state = Some(state);
    let is_held = state == DirectiveState::Suspended;
    document.because = is_held.then_some(Because::CameOfAge);
    tx.put(&document, now).await?;
    let (action, body): (_, fn(Box<_>) -> Body) = if is_held {
        ("consent.suspend", Body::ConsentSuspended)
    } else {
        ("consent.expire", Body::ConsentExpired)
    };
    let (gateway, id) = (core.gateway.as_str(), document.directive.id.as_str());
    tx.audit(now, gateway, action, id, "").await?;
    consents::told(core, tx, &document, BTreeSet::new(), body, now).await?;
    let recalls = consents::follow(core, tx, before, &document, Narrowing::Expired, now).await?;
    Ok(recalls.looked_at)
}
