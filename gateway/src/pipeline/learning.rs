//! The match model follows the records: it is learnt anew when there are half as many again. Links that were made stay;
//! what waits for a steward is judged anew by the new model (see [`super::rejudging`]).
//!
//! It is learnt from a snapshot of the store, by a task of its own: meanwhile the index answers, records come in, and
//! whatever is decided is decided by the model in use.

use std::sync::Arc;

use tandem_matching::{EngineError, Learnt, Rulings};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::match_model::UNKNOWN;
use super::matcher::{Read, Reading};
use super::names;
use crate::state::match_model::MatchModelDoc;
use crate::store::StoreError;

/// Documents that are read at once: others of the same thread wait for no more.
const PAGE: u32 = 250;

/// Runs until cancelled: learns whenever the records have outgrown the model.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut changed = core.changed.subscribe();
    loop {
        let kept = tokio::select! {
            // What was begun is begun anew at the next start.
            () = stop.cancelled() => return,
            kept = Box::pin(keep_up(&core)) => kept,
        };
        if let Err(error) = kept {
            tracing::error!(%error, "the match model could not be kept; the one in use stays");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            woken = changed.changed() => if woken.is_err() { return },
        }
    }
}

/// Learns the model anew if the records have outgrown it.
///
/// # Errors
/// When the store fails; the model in use then stays.
pub async fn keep_up(core: &Core) -> Result<(), StoreError> {
    let is_due = core.loaded.config.linking.learn && core.matcher.lock().await.is_outgrown();
    if is_due {
        learn_anew(core).await?;
    }
    Ok(())
}

/// Learns the model anew and links by it from then on.
///
/// # Errors
/// When the store fails; the model in use then stays.
pub async fn learn_anew(core: &Core) -> Result<(), StoreError> {
    core.matcher.lock().await.begin_learning();
    core.wake();
    let learnt = match learn(core).await {
        Ok(learnt) => adopt(core, &learnt).await,
        Err(Unlearnt::Store(error)) => Err(error),
        Err(why) => {
            tracing::warn!(%why, "no match model was learnt; the one in use stays");
            Ok(())
        }
    };
    core.matcher.lock().await.end_learning();
    core.wake();
    learnt
}

/// Why nothing was learnt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unlearnt {
    /// The records show too little.
    #[error("{0}")]
    TooLittle(String),
    /// The store holds a record twice, or too many.
    #[error(transparent)]
    Records(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the records of the store show. Nobody's index is needed for it, or held.
///
/// # Errors
/// When they show too little, or the store fails.
pub async fn learn(core: &Core) -> Result<Learnt, Unlearnt> {
    let mut tx = core.store.snapshot().await?;
    let names = names::taught(&mut tx).await?;
    let taught = names.iter().map(|(a, b)| (a.as_str(), b.as_str()));
    let mut batch = core.engine.clone().knowing(taught).batch();
    let mut rulings = Rulings::new();
    let mut reading = Reading::new(&mut tx, PAGE);
    while let Some(page) = reading.next().await? {
        for read in page {
            match read {
                Read::Record(record) => batch.push(&record)?,
                Read::Ruling(a, b, ruling) => rulings.set(&(&a).into(), &(&b).into(), ruling),
            }
        }
    }
    drop(tx);
    let work = tokio::task::spawn_blocking(move || batch.learn(&rulings));
    let learnt = work.await.map_err(|error| error.to_string());
    learnt
        .and_then(|learnt| learnt.map_err(|error| error.to_string()))
        .map_err(Unlearnt::TooLittle)
}

/// Keeps what was learnt and links by it from now on.
async fn adopt(core: &Core, learnt: &Learnt) -> Result<(), StoreError> {
    let now = core.clock.now();
    let model = MatchModelDoc::new(learnt, core.engine.settings(), now).map_err(|_| UNKNOWN)?;
    let mut tx = core.store.begin().await?;
    tx.put(&model, now).await?;
    let records = format!("learnt from {} records", model.records);
    let gateway = core.gateway.as_str();
    tx.audit(now, gateway, "match.model", &model.version, &records)
        .await?;
    tx.commit().await?;
    // Nobody who writes sees one model at the beginning of a transaction and another at its end.
    let _writer = core.store.begin().await?;
    core.matcher.lock().await.adopt(&model)?;
    tracing::info!(
        version = model.version,
        records = model.records,
        link_bits = learnt.settings.thresholds.link_bits,
        expected_false_match_rate = model.false_match_rate.expected,
        "a match model was learnt"
    );
    Ok(())
}
