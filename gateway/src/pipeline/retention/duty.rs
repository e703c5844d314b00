//! Who disposes: one gateway at a time, once a day by the clock, and whenever a privacy officer asks.
//!
//! A clock that jumps ahead would make everything due at once. So after more than a month without a look (a new version, a
//! gateway that stood still, a clock that was set) the daily run only counts, and goes on doing so until a privacy officer
//! has let a run dispose of what is due.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::run;
use crate::config::Disposal;
use crate::pipeline::core::Core;
use crate::state::retention::{Counts, LastRunDoc, RunDoc};
use crate::store::{StoreError, Tx};

/// Time between two runs.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// After so long without a run the next one needs a person's word.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(31 * 24);
/// After so long a run that failed is begun anew.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// How often to look for what was asked for at another gateway.
const POLL: Duration = Duration::from_secs(5);

/// Disposes until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    loop {
        let next = look(&core, &stop).await.unwrap_or_else(|error| {
            tracing::error!(%error, "what is past its term cannot be disposed of");
            let now = core.clock.now();
            now.checked_add(AGAIN).unwrap_or(now)
        });
        let elsewhere = async {
            if core.store.is_shared() {
                tokio::time::sleep(POLL).await;
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.retention.notified() => {}
            () = core.clock.sleep_until(next) => {}
            () = elsewhere => {}
        }
    }
}

/// Asks for a run. It is carried out by the gateway that has the duty.
///
/// # Errors
/// When the store fails.
pub async fn ask(core: &Core, by: &str, is_dry: bool) -> Result<RunDoc, StoreError> {
    let now = core.clock.now();
    let run = RunDoc {
        id: Uuid::now_v7(),
        by: by.to_owned(),
        is_dry,
        asked_at: now,
        ended_at: None,
        counts: Counts::new(),
    };
    let mut tx = core.store.begin().await?;
    tx.put(&run, now).await?;
    let detail = if is_dry { "dry" } else { "confirmed" };
    tx.audit(now, by, "retention.ask", &run.id.to_string(), detail)
        .await?;
    tx.commit().await?;
    core.retention.notify_one();
    core.wake();
    Ok(run)
}

/// Carries out what was asked for and what is due. Returns when the next daily run is.
async fn look(core: &Core, stop: &CancellationToken) -> Result<Timestamp, StoreError> {
    loop {
        if let Some(run) = asked(core).await? {
            if !run::carry_out(core, run, stop).await? {
                return Ok(core.clock.now());
            }
            continue;
        }
        let (next, last) = next(core).await?;
        if core.clock.now() < next {
            return Ok(next);
        }
        begin_daily(core, last).await?;
    }
}

/// The run that was asked for first and has not ended.
async fn asked(core: &Core) -> Result<Option<RunDoc>, StoreError> {
    let mut tx = core.store.snapshot().await?;
    let open = tx.find::<RunDoc>(RunDoc::STANDING, RunDoc::ASKED).await?;
    Ok(open.into_iter().min_by_key(|run| run.id))
}

/// When the next daily run is due. A last one in the future was made by a clock that was set since.
async fn next(core: &Core) -> Result<(Timestamp, Option<LastRunDoc>), StoreError> {
    let now = core.clock.now();
    let mut tx = core.store.snapshot().await?;
    let last = tx.get::<LastRunDoc>(LastRunDoc::KEY).await?;
    let since = since(&mut tx, last.as_ref()).await?.unwrap_or(now);
    let next = since.checked_add(EVERY).unwrap_or(now);
    Ok((if since > now { now } else { next }, last))
}

/// The last run; before the first, the first entry of the log.
async fn since(tx: &mut Tx, last: Option<&LastRunDoc>) -> Result<Option<Timestamp>, StoreError> {
    match last {
        Some(last) => Ok(Some(last.at)),
        None => Ok(tx.audit_entry(1).await?.map(|entry| entry.at)),
    }
}

/// Writes down that the daily run begins, so that it is finished whatever happens.
async fn begin_daily(core: &Core, last: Option<LastRunDoc>) -> Result<(), StoreError> {
    let (now, gateway) = (core.clock.now(), core.gateway.as_str());
    let mut tx = core.store.begin().await?;
    let since = since(&mut tx, last.as_ref()).await?.unwrap_or(now);
    let mut waits = last.as_ref().and_then(|last| last.waits_since);
    let is_daily = core.loaded.config.retention.dispose == Disposal::Daily;
    let is_unusual = now.duration_since(since).abs() > LONGEST_PAUSE;
    if is_daily && waits.is_none() && is_unusual {
        waits = Some(now);
        let document = LastRunDoc {
            at: since,
            counts: last.map(|last| last.counts).unwrap_or_default(),
            waits_since: waits,
        };
        tx.put(&document, now).await?;
        tx.audit(now, gateway, "retention.wait", "", "").await?;
        tracing::warn!(
            last = %since,
            "the last look at what is past its term was long ago: nothing is disposed of until \
             `tandem retention run --confirm`"
        );
    }
    let run = RunDoc {
        id: Uuid::now_v7(),
        by: gateway.to_owned(),
        is_dry: !is_daily || waits.is_some(),
        asked_at: now,
        ended_at: None,
        counts: Counts::new(),
    };
    tx.put(&run, now).await?;
    tx.commit().await
}
