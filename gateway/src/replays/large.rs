//! The duty that reads large files once more whose replay was asked for: one gateway at a time, one file after another.

use std::time::Duration;

use tandem_adapter_port::format::Format;
use tokio_util::sync::CancellationToken;

use super::inputs::{Before, Obstacle, Reading, is_of_the_input, reader_of};
use crate::intake::Intake;
use crate::pipeline::accept::AcceptError;
use crate::state::large::{LargeDoc, LargeStage};
use crate::store::BlobPart;

/// How often to look for what another gateway noted, and again after an error.
const POLL: Duration = Duration::from_secs(1);

/// Reads until cancelled.
pub async fn run(intake: Intake, stop: CancellationToken) {
    let core = &intake.core;
    while !stop.is_cancelled() {
        let read = tokio::select! {
            () = stop.cancelled() => return,
            read = Box::pin(read_all(&intake)) => read,
        };
        let has_failed = read
            .inspect_err(|error| tracing::error!(%error, "large files cannot be read once more"))
            .is_err();
        let pause = async {
            if has_failed || core.store.is_shared() {
                tokio::time::sleep(POLL).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = core.files.to_be_read() => {}
            () = pause => {}
        }
    }
}

/// Reads every file of which that was noted.
async fn read_all(intake: &Intake) -> Result<(), AcceptError> {
    let docs: Vec<LargeDoc> = intake.core.store.snapshot().await?.all().await?;
    for doc in docs {
        if doc.stage == LargeStage::Reading {
            read(intake, doc).await?;
        }
    }
    Ok(())
}

async fn read(intake: &Intake, doc: LargeDoc) -> Result<(), AcceptError> {
    let (input, system) = (doc.input, doc.system.clone());
    let Some(obstacle) = tried(intake, &doc).await? else {
        tracing::info!(%input, %system, "a large file was read once more");
        return Ok(());
    };
    tracing::error!(%input, %system, reason = obstacle.code(), "a large file cannot be read once more; it stands as it stood");
    intake
        .acceptor
        .leave_as_it_was(&doc, obstacle.code())
        .await?;
    intake.core.wake();
    Ok(())
}

/// Reads a file. Returns why that cannot be done.
async fn tried(intake: &Intake, doc: &LargeDoc) -> Result<Option<Obstacle>, AcceptError> {
    let Some(again) = &doc.again else {
        return Ok(Some(Obstacle::NoReader));
    };
    let core = &intake.core;
    let mut tx = core.store.snapshot().await?;
    let original = tx.blob(doc.input, BlobPart::Original).await?;
    drop(tx);
    let Some(original) = original else {
        return Ok(Some(Obstacle::Disposed));
    };
    let format: Option<Format> = doc.report.format.parse().ok();
    let Reading { reader, context } =
        match reader_of(intake, &doc.system, format, (&doc.name, again.came_at))? {
            Ok(reading) => reading,
            Err(obstacle) => return Ok(Some(obstacle)),
        };
    let acceptor = &intake.acceptor;
    let read = match acceptor.read_again(reader, context, original).await {
        Ok(read) => read,
        Err(error) if is_of_the_input(&error) => return Ok(Some(Obstacle::Unreadable)),
        Err(error) => return Err(error),
    };
    Before::Events.goes(core, &doc.system).await?;
    acceptor.take_again(doc.clone(), read).await?;
    core.wake();
    Ok(None)
}
