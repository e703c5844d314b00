//! The duty that brings large files into the store: one gateway at a time, a step of each system's oldest file in turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tandem_mappings::model::id::{InputId, SystemId};
use tokio_util::sync::CancellationToken;

#[cfg(test)]
use super::Files;
use crate::pipeline::accept::{Step, Work, WorkError};
use crate::pipeline::core::Core;
use crate::state::large::{LargeDoc, LargeStage};
use crate::store::StoreError;

/// How often to look for what another gateway accepted, for room, and again after an error.
const POLL: Duration = Duration::from_secs(1);

/// Works until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut works = Works::default();
    loop {
        match revive(&core).await {
            Ok(()) => break,
            Err(error) => {
                tracing::error!(%error, "large files that were set aside cannot be looked at")
            }
        }
        if waits(&core, &stop, Some(POLL)).await {
            return;
        }
    }
    loop {
        let pause = match works.round(&core, &stop).await {
            Ok(Round::Went) if !stop.is_cancelled() => continue,
            Ok(Round::NoRoom) => Some(POLL),
            Ok(_) => core.store.is_shared().then_some(POLL),
            Err(error) => {
                tracing::error!(%error, "large files cannot be worked on");
                Some(POLL)
            }
        };
        if waits(&core, &stop, pause).await {
            return;
        }
    }
}

/// Waits until something changed, or for so long. Returns whether it is to stop.
async fn waits(core: &Core, stop: &CancellationToken, most: Option<Duration>) -> bool {
    let pause = async {
        match most {
            Some(most) => tokio::time::sleep(most).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop.cancelled() => true,
        () = core.files.changed.notified() => false,
        () = pause => false,
    }
}

fn work_of(core: &Core, doc: LargeDoc) -> Work {
    let refresh = core.loaded.config.refresh;
    Work::new(core.store.clone(), Arc::clone(&core.files), refresh, doc)
}

/// Lets go on what was set aside and can be used again: somebody may have brought the blobs back.
async fn revive(core: &Core) -> Result<(), WorkError> {
    let docs = core.store.snapshot().await?.all::<LargeDoc>().await?;
    for doc in docs.into_iter().filter(|doc| doc.problem.is_some()) {
        let input = doc.input;
        if work_of(core, doc).revive().await? {
            tracing::info!(%input, "a large file that was set aside goes on");
        }
    }
    core.files.changed(&core.store).await?;
    Ok(())
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// There may be more to do.
    Went,
    /// Too many events wait for their turn.
    NoRoom,
    /// Nothing is to be done.
    Rests,
}

/// What is worked on.
#[derive(Debug, Default)]
struct Works(BTreeMap<InputId, Work>);

impl Works {
    /// A step of the oldest file of each system.
    async fn round(&mut self, core: &Core, stop: &CancellationToken) -> Result<Round, StoreError> {
        let docs = core.store.snapshot().await?.all::<LargeDoc>().await?;
        let oldest = oldest(docs);
        self.0
            .retain(|input, _| oldest.iter().any(|doc| doc.input == *input));
        let (mut went, mut has_no_room) = (false, false);
        for doc in oldest {
            if stop.is_cancelled() {
                return Ok(Round::Rests);
            }
            if doc.stage == LargeStage::Reading {
                continue;
            }
            if doc.stage == LargeStage::Releasing && !core.has_room().await? {
                has_no_room = true;
                continue;
            }
            self.step(core, doc).await?;
            went = true;
        }
        Ok(match (went, has_no_room) {
            (true, _) => Round::Went,
            (_, true) => Round::NoRoom,
            _ => Round::Rests,
        })
    }

    async fn step(&mut self, core: &Core, doc: LargeDoc) -> Result<(), StoreError> {
        let (input, system) = (doc.input, doc.system.clone());
        let work = self.0.entry(input).or_insert_with(|| work_of(core, doc));
        let error = match work.step().await {
            Ok(Step::Went) => {
                if work.doc().stage == LargeStage::Releasing {
                    core.wake_processor();
                }
                return Ok(());
            }
            Ok(Step::Done | Step::Held) => {
                tracing::info!(%input, %system, "a large file has come into the store");
                self.0.remove(&input);
                core.files.changed(&core.store).await?;
                core.wake();
                return Ok(());
            }
            Err(error) => error,
        };
        // What the store says counts, and not what this work believes.
        let work = self.0.remove(&input);
        match error {
            WorkError::Store(error) => Err(error),
            WorkError::Overtaken => Ok(()),
            WorkError::Blob(error) => {
                tracing::error!(%input, %system, %error, "a large file is set aside");
                if let Some(mut work) = work
                    && let Err(WorkError::Store(error)) = work.park(&error, core.clock.now()).await
                {
                    return Err(error);
                }
                core.files.changed(&core.store).await?;
                core.wake();
                Ok(())
            }
            error => {
                tracing::error!(%input, %system, %error, "a step of a large file failed");
                Ok(())
            }
        }
    }
}

/// The oldest file in work of each system.
fn oldest(mut docs: Vec<LargeDoc>) -> Vec<LargeDoc> {
    docs.retain(LargeDoc::is_in_work);
    docs.sort_by_key(|doc| doc.input);
    let mut seen: Vec<SystemId> = Vec::new();
    docs.retain(|doc| {
        let is_first = !seen.contains(&doc.system);
        seen.push(doc.system.clone());
        is_first
    });
    docs
}

/// The work of one file after another, for tests: to the end, or until an error.
#[cfg(test)]
pub(crate) async fn work_off(
    files: &Arc<Files>,
    store: &crate::store::Store,
) -> Result<(), WorkError> {
    loop {
        let docs = store.snapshot().await?.all::<LargeDoc>().await?;
        let Some(doc) = oldest(docs).into_iter().next() else {
            files.changed(store).await?;
            return Ok(());
        };
        let refresh = crate::config::RefreshConfig::default();
        let mut work = Work::new(store.clone(), Arc::clone(files), refresh, doc);
        while work.step().await? == Step::Went {}
    }
}
