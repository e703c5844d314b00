//! One run through the kinds: page by page of what is past its term, each page decided and disposed of in a transaction of
//! its own. A run that is killed begins anew; what it has disposed of by then is not found again.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::dispose;
use super::held::Held;
use super::people;
use super::relied::Relied;
use super::weigh::{Scales, Verdict, shelf};
use crate::config::RowKind;
use crate::figures;
use crate::pipeline::core::Core;
use crate::state::retention::{KindCounts, LastRunDoc, RunDoc};
use crate::store::{Aged, StoreError};

/// Rows that are looked at, and at most disposed of, at a time: others wait to write meanwhile.
const PAGE: u32 = 200;

/// Carries a run out. Returns whether it came to its end: a gateway that stops leaves the rest to the next.
///
/// # Errors
/// When the store fails.
pub(super) async fn carry_out(
    core: &Core,
    mut run: RunDoc,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    if core.store.is_shared() && !run.is_dry {
        people::forget(core, core.clock.now()).await?;
    }
    // Before people go: what let their records in goes with the next run, as a dry one has counted.
    let letting_in = relied(core, RowKind::Decisions).await?;
    for kind in RowKind::ALL {
        let relied = match kind {
            RowKind::Decisions => &letting_in,
            _ => &relied(core, kind).await?,
        };
        if !of_kind(core, &mut run, kind, relied, stop).await? {
            return Ok(false);
        }
    }
    end(core, run).await?;
    Ok(true)
}

/// What of a kind is relied on among the rows whose term is over.
async fn relied(core: &Core, kind: RowKind) -> Result<Relied, StoreError> {
    let term = core.loaded.config.retention.term(kind);
    match term.cutoff(core.clock.now(), &core.loaded.zone) {
        Some(cutoff) => Relied::of(core, kind, cutoff).await,
        None => Ok(Relied::default()),
    }
}

/// Looks through the rows of a kind. Returns whether it came to their end.
async fn of_kind(
    core: &Core,
    run: &mut RunDoc,
    kind: RowKind,
    relied: &Relied,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    let before = run.counts.get(&kind).map_or(0, |counts| counts.disposed);
    let mut counts = KindCounts {
        disposed: before,
        ..KindCounts::default()
    };
    let now = core.clock.now();
    let term = core.loaded.config.retention.term(kind);
    if let Some(cutoff) = term.cutoff(now, &core.loaded.zone) {
        let scales = Scales {
            kind,
            cutoff,
            relied,
        };
        let mut after = None;
        loop {
            if stop.is_cancelled() {
                return Ok(false);
            }
            let (rows, free) = page(core, &scales, after.take(), &mut counts).await?;
            let Some(last) = rows.into_iter().next_back() else {
                break;
            };
            after = Some(last);
            if !run.is_dry && !free.is_empty() {
                batch(core, run, &scales, &free, &mut counts, now).await?;
            }
        }
    }
    let mut tx = core.store.snapshot().await?;
    (counts.rows, counts.oldest) = tx.standing(shelf(kind)).await?;
    run.counts.insert(kind, counts);
    Ok(true)
}

/// A page of rows past their term, and those of them that go.
async fn page(
    core: &Core,
    scales: &Scales<'_>,
    after: Option<Aged>,
    counts: &mut KindCounts,
) -> Result<(Vec<Aged>, Vec<Aged>), StoreError> {
    let mut tx = core.store.snapshot().await?;
    let held = Held::load(core, &mut tx).await?;
    let rows = tx
        .past(shelf(scales.kind), scales.cutoff, after, PAGE)
        .await?;
    let mut free = Vec::new();
    for row in &rows {
        match scales.weigh(&mut tx, &held, row).await? {
            Verdict::Free => free.push(row.clone()),
            Verdict::Held => counts.held += 1,
            Verdict::Needed(by) => *counts.needed.entry(by.to_owned()).or_default() += 1,
            Verdict::Gone => {}
        }
    }
    counts.due += free.len() as u64;
    Ok((rows, free))
}

/// Disposes of rows, each weighed again in the transaction in which it goes.
async fn batch(
    core: &Core,
    run: &mut RunDoc,
    scales: &Scales<'_>,
    rows: &[Aged],
    counts: &mut KindCounts,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = core.begin().await?;
    let held = Held::load(core, &mut tx).await?;
    let mut free = Vec::new();
    for row in rows {
        if scales.weigh(&mut tx, &held, row).await? == Verdict::Free {
            free.push(row.clone());
        }
    }
    if free.is_empty() {
        return Ok(());
    }
    let by = run.by.clone();
    let (count, blobs) = dispose::all(core, &mut tx, scales.kind, &free, &by, now).await?;
    counts.due = counts.due.saturating_sub(count);
    counts.disposed += count;
    run.counts.insert(scales.kind, counts.clone());
    tx.put(run, now).await?;
    tx.commit().await?;
    core.files.remove(&blobs);
    figures::disposed(scales.kind, count);
    Ok(())
}

async fn end(core: &Core, mut run: RunDoc) -> Result<(), StoreError> {
    let now = core.clock.now();
    let is_own = run.by == core.gateway.as_str();
    let mut tx = core.store.begin().await?;
    let last = tx.get::<LastRunDoc>(LastRunDoc::KEY).await?;
    let waits_since = last.and_then(|last| last.waits_since);
    let document = LastRunDoc {
        at: now,
        counts: run.counts.clone(),
        // The word of a person who let a run dispose of what it found.
        waits_since: waits_since.filter(|_| is_own || run.is_dry),
    };
    if is_own || !run.is_dry {
        tx.put(&document, now).await?;
    }
    if is_own {
        tx.remove::<RunDoc>(&run.id.to_string()).await?;
    } else {
        run.ended_at = Some(now);
        tx.put(&run, now).await?;
    }
    let action = if run.is_dry {
        "retention.look"
    } else {
        "retention.run"
    };
    let mut detail = Vec::new();
    for (kind, counts) in &run.counts {
        let needed: u64 = counts.needed.values().sum();
        let KindCounts {
            due,
            held,
            disposed,
            ..
        } = counts;
        if due + held + disposed + needed > 0 {
            let kind = kind.code();
            detail.push(format!(
                "{kind}: disposed={disposed} due={due} held={held} needed={needed}"
            ));
        }
    }
    let object = run.id.to_string();
    tx.audit(now, &run.by, action, &object, &detail.join("; "))
        .await?;
    tx.commit().await?;
    core.wake();
    Ok(())
}
