//! A large input is read once more in steps: it is noted at once that it will be, and later inputs of its system wait; whoever works
//! on replays reads its blob to the end; then it comes into the store like one that has just come.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::{Coverage, FormatReader};
use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::id::SystemId;
use uuid::Uuid;

use super::admit::Takes;
use super::replay::{Fate, Replay};
use super::survey::{Survey, Surveyed, Waiting};
use super::{AcceptError, Acceptor, Intake, Source, outcome_of, text_of};
use crate::blob::Written;
use crate::state::large::{Again, LargeDoc, LargeStage};
use crate::store::{BlobPart, BlobRow, InputRow, InputState, StoreError, Tx};

/// What came of reading a large input once more.
#[derive(Debug)]
pub struct ReadAgain {
    surveyed: Surveyed,
    /// The original anew, when more of it must not be kept by now.
    original: Option<Written>,
}

impl Acceptor {
    /// Notes that a large input is to be read once more.
    ///
    /// # Errors
    /// When the store fails, or another large input of the system is on its way; then nothing has changed.
    pub async fn replay_large(
        &self,
        (system, name): (&SystemId, &str),
        row: &InputRow,
        original: &BlobRow,
        (replay, now): (Replay, Timestamp),
    ) -> Result<(), AcceptError> {
        let _turn = self.releases.lock().await;
        self.refuse_while_in_work(system).await?;
        let again = Again {
            replay: replay.id,
            came_at: replay.came_at,
            took_effect: replay.took_effect,
            only_new: false,
        };
        let report: Option<Report> = row
            .report
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let report = report.ok_or(StoreError::Shape { kind: "report" })?;
        let mut tx = self.store.begin().await?;
        tx.add_to_replay(replay.id, row.id.0, None).await?;
        if !tx
            .move_input(row.id, was(&again), InputState::Staging)
            .await?
        {
            // Another replay has it.
            return Ok(tx.commit().await?);
        }
        let doc = LargeDoc {
            input: row.id,
            system: system.clone(),
            name: name.to_owned(),
            received_at: now,
            // Known when it was read.
            coverage: Coverage::Partial,
            report,
            is_released: false,
            stage: LargeStage::Reading,
            bytes: original.bytes,
            reached: 0,
            records: 0,
            position: 0,
            problem: None,
            again: Some(again),
        };
        tx.put(&doc, now).await?;
        tx.commit().await?;
        if let Some(files) = &self.files {
            files.changed(&self.store).await?;
        }
        Ok(())
    }

    /// Reads a large input once more to its end. Nothing is changed.
    ///
    /// # Errors
    /// When its blob or the reader fails, or what was found can't be kept.
    pub async fn read_again(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        original: BlobRow,
    ) -> Result<ReadAgain, AcceptError> {
        let format = reader.format();
        let files = self.files.as_ref();
        let folder = files.ok_or(AcceptError::Reader(format.name()))?.folder();
        let waiting = Waiting(Arc::default());
        let survey = Survey {
            reader,
            context,
            source: Source::Blob(folder.clone(), original),
            labeller: self.labeller.clone(),
            folder: folder.clone(),
            is_given_up: Arc::clone(&waiting.0),
        };
        let read = tokio::task::spawn_blocking(move || {
            let surveyed = survey.read()?;
            let cuts = &surveyed.read.cuts;
            let copied = (!cuts.is_empty()).then(|| survey.copy(cuts)).transpose()?;
            Ok(ReadAgain {
                surveyed,
                original: copied.map(|copied| copied.original),
            })
        });
        read.await.map_err(|_| AcceptError::Reader(format.name()))?
    }

    /// Takes what was read: it comes into the store in steps like any large input, or the input stands as it stood.
    ///
    /// # Errors
    /// When the store fails; then nothing has changed, or nobody knows whether.
    pub async fn take_again(&self, doc: LargeDoc, read: ReadAgain) -> Result<(), AcceptError> {
        let mut tx = self.store.begin().await?;
        if !is_to_be_read(&mut tx, &doc).await? {
            return Ok(());
        }
        let gone = Box::pin(self.take(&mut tx, doc, read)).await?;
        tx.commit().await?;
        if let Some(files) = &self.files {
            files.remove(&gone);
            files.changed(&self.store).await?;
        }
        Ok(())
    }

    /// Returns the blobs that nobody needs any more.
    async fn take(
        &self,
        tx: &mut Tx,
        mut doc: LargeDoc,
        read: ReadAgain,
    ) -> Result<Vec<Uuid>, StoreError> {
        let ReadAgain {
            surveyed:
                Surveyed {
                    read,
                    people,
                    mut findings,
                },
            original,
        } = read;
        let Some(mut again) = doc.again.take() else {
            return Ok(Vec::new());
        };
        let replay = Replay {
            id: again.replay,
            came_at: again.came_at,
            took_effect: again.took_effect,
        };
        let mut intake = Intake::new(&self.store, &doc.system, &doc.name, doc.received_at);
        (intake.id, intake.people) = (doc.input, people);
        intake.format.clone_from(&read.report.format);
        intake.refresh = Some(self.refresh);
        let is_rejected = read.report.outcome == Outcome::Rejected;
        let fate = replay.fate(&intake, tx, &read.coverage, is_rejected);
        match fate.await? {
            Fate::LeftAlone(why) => {
                stands_as_it_stood(tx, &doc, &again, why).await?;
                return Ok(Vec::new());
            }
            Fate::Takes(takes) => again.only_new = takes == Takes::NeverTold,
        }
        doc.report = read.report.clone();
        let mut report = read.report;
        let is_held = !is_rejected && intake.is_held(tx, &mut report, &read.coverage).await?;
        let text = text_of(&report)?;
        let settled = outcome_of(&report, &text, is_held, InputState::Staging);
        tx.settle_input(doc.input, settled).await?;
        let mut gone = Vec::new();
        if let Some(mut original) = original {
            let before = tx.blob(doc.input, BlobPart::Original).await?;
            if let Some(before) = before {
                tx.remove_blob(before.id).await?;
                gone.push(before.id);
            }
            tx.add_blob(doc.input, BlobPart::Original, &original, doc.received_at)
                .await?;
            original.keep();
        }
        if is_rejected {
            tx.remove::<LargeDoc>(&doc.input.to_string()).await?;
            return Ok(gone);
        }
        tx.add_blob(doc.input, BlobPart::Findings, &findings, doc.received_at)
            .await?;
        (doc.coverage, doc.bytes, doc.again) = (read.coverage, findings.bytes, Some(again));
        doc.enter(if is_held {
            LargeStage::Held
        } else {
            LargeStage::Staging
        });
        tx.put(&doc, doc.received_at).await?;
        findings.keep();
        Ok(gone)
    }

    /// Lets an input that was to be read once more stand as it stood, since it can't be read.
    ///
    /// # Errors
    /// When the store fails; then nothing has changed, or nobody knows whether.
    pub async fn leave_as_it_was(&self, doc: &LargeDoc, why: &str) -> Result<(), AcceptError> {
        let mut tx = self.store.begin().await?;
        if let Some(again) = &doc.again
            && is_to_be_read(&mut tx, doc).await?
        {
            stands_as_it_stood(&mut tx, doc, again, Some(why)).await?;
            tx.commit().await?;
        }
        if let Some(files) = &self.files {
            files.changed(&self.store).await?;
        }
        Ok(())
    }
}

/// Whether an input still waits to be read once more.
async fn is_to_be_read(tx: &mut Tx, doc: &LargeDoc) -> Result<bool, StoreError> {
    let there = tx.get::<LargeDoc>(&doc.input.to_string()).await?;
    Ok(there.is_some_and(|there| there.stage == LargeStage::Reading && there.again == doc.again))
}

/// The state in which an input stood before.
const fn was(again: &Again) -> InputState {
    if again.took_effect {
        InputState::Published
    } else {
        InputState::Rejected
    }
}

async fn stands_as_it_stood(
    tx: &mut Tx,
    doc: &LargeDoc,
    again: &Again,
    why: Option<&str>,
) -> Result<(), StoreError> {
    tx.move_input(doc.input, InputState::Staging, was(again))
        .await?;
    tx.remove::<LargeDoc>(&doc.input.to_string()).await?;
    if let Some(why) = why {
        tx.skip_in_replay(again.replay, doc.input.0, why).await?;
    }
    Ok(())
}
