//! Rules that came into force reach what was told, asked for or withheld before: each person is looked at once more, a part of them
//! in each transaction.
//!
//! Protocol: whoever puts rules in force calls [`begin`] in the same transaction. From then on everything is decided by them,
//! also what waits in the lanes, so that nothing leaves that they close. What follows for the past is done here: holders of
//! what may be told no longer are told to stop, referrals without a basis are cancelled, what was withheld and may now be told is
//! told. A gateway that is killed in between leaves to the next what it has not done.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tandem_mappings::model::id::RecordKey;
use tokio_util::sync::CancellationToken;

use super::consents::{self, Narrowing};
use super::core::Core;
use super::{family, stuck};
use crate::state::reconsidering::ReconsideringDoc;
use crate::state::record::RecordDoc;
use crate::store::{Document as _, Found, StoreError, Tx};

/// Records that are read at once.
const PAGE: u32 = 64;
/// People who are looked at, and messages that are decided again for them, in one transaction: others wait to write meanwhile.
const MOST: usize = 20;
/// After how long it is begun anew for those for whom it failed.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// After how long it goes on when the store fails, or counts other rules than are known here.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// Rules come into force in this transaction: everybody is looked at after it.
///
/// # Errors
/// When the store fails.
pub async fn begin(tx: &mut Tx, rules: &str, now: Timestamp) -> Result<(), StoreError> {
    let earlier = tx.get::<ReconsideringDoc>(ReconsideringDoc::NAME).await?;
    let since = earlier.map_or(now, |earlier| earlier.since);
    tx.put(&ReconsideringDoc::new(rules.to_owned(), since), now)
        .await
}

/// Looks until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut ahead = BTreeSet::new();
    while !stop.is_cancelled() {
        let next = Box::pin(part(&core, &mut ahead)).await;
        let next = next.unwrap_or_else(|error| {
            tracing::error!(%error, "what was told cannot be decided again by the rules in force; it is tried again soon");
            ahead.clear();
            Next::After(SOON)
        });
        let sleep = async {
            match next {
                Next::AtOnce => {}
                Next::After(time) => {
                    let now = core.clock.now();
                    core.clock
                        .sleep_until(now.checked_add(time).unwrap_or(now))
                        .await;
                }
                Next::Never => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = core.rules.notified() => {}
            () = sleep => {}
        }
    }
}

/// When it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    AtOnce,
    After(SignedDuration),
    /// When rules come into force.
    Never,
}

/// Looks at the next people. `ahead` are the records that come later and whose people were looked at with an earlier record of theirs.
///
/// # Errors
/// When the store fails; then nothing of it was done, and `ahead` says too much.
async fn part(core: &Core, ahead: &mut BTreeSet<RecordKey>) -> Result<Next, StoreError> {
    let now = core.clock.now();
    let mut tx = core.begin_behind().await?;
    let document = tx.get::<ReconsideringDoc>(ReconsideringDoc::NAME).await?;
    let Some(mut document) = document else {
        return Ok(Next::Never);
    };
    if document.rules != core.judge.bundle().hash() {
        return Ok(Next::After(SOON));
    }
    if document.reached.is_none() {
        ahead.clear();
    }
    let (found, _) = tx.page_each::<RecordDoc>(&document.after()?, PAGE).await?;
    let next = if found.is_empty() {
        finish(core, &mut tx, document, now).await?
    } else {
        let mut room = MOST;
        for one in found {
            if room == 0 {
                break;
            }
            document.reach(&one.place);
            let looked = Box::pin(look_at(core, &mut tx, one, ahead, now));
            match looked.await? {
                Some(count) => room = room.saturating_sub(count),
                None => document.failed = document.failed.saturating_add(1),
            }
        }
        tx.put(&document, now).await?;
        Next::AtOnce
    };
    tx.commit().await?;
    // The lanes for which messages were written have heard it.
    core.wake_all_but_lanes();
    Ok(next)
}

/// Everybody was looked at. It is begun anew when that failed for somebody.
async fn finish(
    core: &Core,
    tx: &mut Tx,
    document: ReconsideringDoc,
    now: Timestamp,
) -> Result<Next, StoreError> {
    let (rules, failed) = (&document.rules, document.failed);
    if failed == 0 {
        tx.remove::<ReconsideringDoc>(&document.key()).await?;
        let gateway = core.gateway.as_str();
        tx.audit(now, gateway, "policy.reached-all", rules, "")
            .await?;
        tracing::info!(%rules, "what was told before was decided again by the rules in force");
        return Ok(Next::Never);
    }
    tracing::error!(%rules, failed, "what was told of some people cannot be decided again by the rules in force; it is begun anew in an hour");
    let anew = ReconsideringDoc::new(document.rules, document.since);
    tx.put(&anew, now).await?;
    Ok(Next::After(AGAIN))
}

/// Looks at the person of a record, unless that was done with another record. Returns how much was done; `None` when it failed, and then
/// nothing of it stands.
async fn look_at(
    core: &Core,
    tx: &mut Tx,
    found: Found<RecordDoc>,
    ahead: &mut BTreeSet<RecordKey>,
    now: Timestamp,
) -> Result<Option<usize>, StoreError> {
    if let Ok(record) = &found.document
        && ahead.remove(&record.key)
    {
        return Ok(Some(0));
    }
    let mark = tx.mark().await?;
    let done = match found.document {
        Ok(record) => Box::pin(decide_again(core, tx, &record, now)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok((records, looked_at)) => {
            tx.pass(mark).await?;
            ahead.extend(records);
            Ok(Some(1 + looked_at))
        }
        Err(error) if stuck::is_its_own(&error) => {
            tx.back_to(mark).await?;
            tracing::error!(place = %found.place, %error, "what was told of a person cannot be decided again by the rules in force");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Decides again what was told, asked for or withheld of a record's person. Returns the person's other records, and how many messages
/// were decided again at once; the rest of many is gone on with like after a revocation.
async fn decide_again(
    core: &Core,
    tx: &mut Tx,
    record: &RecordDoc,
    now: Timestamp,
) -> Result<(Vec<RecordKey>, usize), StoreError> {
    let records = family::records_of(tx, record.person_id).await?;
    let mut covers: Vec<RecordKey> = records.into_iter().map(|one| one.key).collect();
    let why = Narrowing::Expired;
    let recalls = consents::narrowed(core, tx, &covers, why, now).await?;
    consents::widened(core, tx, &covers, now).await?;
    covers.retain(|key| *key != record.key);
    Ok((covers, recalls.looked_at))
}
