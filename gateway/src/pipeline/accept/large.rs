//! Large inputs are accepted by their blobs and one small commit; `work` brings them into the store.

use std::sync::Arc;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Outcome;
use uuid::Uuid;

use super::survey::{Survey, Surveyed, Waiting};
use super::{AcceptError, Accepted, Acceptor, Intake, Source, duplicate, outcome_of, text_of};
use crate::blob::Written;
use crate::pipeline::files::Files;
use crate::state::held::HeldDoc;
use crate::state::large::{LargeDoc, LargeStage};
use crate::store::{BlobPart, InputRow, InputState, Settled, StoreError, Tx};

impl Acceptor {
    /// Accepts an input by its blobs. When this returns, they are on the disk and the store knows of them.
    pub(super) async fn accept_large(
        &self,
        files: &Files,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        source: Source,
    ) -> Result<Accepted, AcceptError> {
        let format = reader.format();
        let content_hash = hash_of(source.clone(), format).await?;
        let (system, name) = (&context.system, context.input_name.as_str());
        let mut tx = self.store.snapshot().await?;
        if let Some(row) = tx.same_input(system, name, &content_hash).await?
            && !is_given_up(&mut tx, &row).await?
        {
            return Ok(duplicate(&row, format));
        }
        drop(tx);
        let waiting = Waiting(Arc::default());
        let survey = Survey {
            reader,
            context: context.clone(),
            source,
            labeller: self.labeller.clone(),
            folder: files.folder().clone(),
            is_given_up: Arc::clone(&waiting.0),
        };
        let read = tokio::task::spawn_blocking(move || {
            let surveyed = survey.read()?;
            let copied = survey.copy(&surveyed.read.cuts)?;
            Ok::<_, AcceptError>((surveyed, copied))
        });
        let (surveyed, copied) = read
            .await
            .map_err(|_| AcceptError::Reader(format.name()))??;
        if copied.content_hash != content_hash {
            return Err(AcceptError::Changed);
        }
        let mut intake = Intake::new(&self.store, system, name, context.received_at);
        (intake.format, intake.content_hash) = (format.name().to_owned(), content_hash);
        intake.refresh = Some(self.refresh);
        let original = copied.original;
        let accepted = intake.finish_large(format, surveyed, original).await?;
        files.changed(&self.store).await?;
        Ok(accepted)
    }

    /// What is answered while an earlier large input of the system is on its way: a repeat is one, and everything else
    /// waits.
    pub(super) async fn while_in_work(
        &self,
        format: Format,
        context: &ReadContext,
        source: Source,
    ) -> Result<Accepted, AcceptError> {
        let content_hash = hash_of(source, format).await?;
        let mut tx = self.store.snapshot().await?;
        let (system, name) = (&context.system, &context.input_name);
        let same = tx.same_input(system, name, &content_hash).await?;
        match same {
            Some(row) if !is_given_up(&mut tx, &row).await? => Ok(duplicate(&row, format)),
            _ => Err(AcceptError::Busy(system.clone())),
        }
    }

    /// Lets a held large input go on after all; `None` when it is no large one. Its findings were kept, so that nothing
    /// has to be read again.
    ///
    /// # Errors
    /// When the store fails; [`AcceptError::NotHeld`] when it is not held any more.
    pub async fn release_large(&self, held: &HeldDoc) -> Result<Option<Accepted>, AcceptError> {
        let key = held.input.to_string();
        let mut tx = self.store.begin().await?;
        let Some(mut doc) = tx.get::<LargeDoc>(&key).await? else {
            return Ok(None);
        };
        if tx.get::<HeldDoc>(&key).await?.is_none() {
            return Err(AcceptError::NotHeld);
        }
        tx.remove::<HeldDoc>(&key).await?;
        doc.is_released = true;
        doc.enter(LargeStage::Staging);
        let report = text_of(&doc.report)?;
        let settled = Settled {
            state: InputState::Staging,
            outcome: doc.report.outcome.code(),
            report: &report,
        };
        tx.settle_input(doc.input, settled).await?;
        tx.put(&doc, doc.received_at).await?;
        tx.commit().await?;
        if let Some(files) = &self.files {
            files.changed(&self.store).await?;
        }
        Ok(Some(Accepted {
            input: doc.input,
            report: doc.report,
            is_duplicate: false,
        }))
    }
}

async fn hash_of(source: Source, format: Format) -> Result<[u8; 32], AcceptError> {
    let hash = tokio::task::spawn_blocking(move || source.hash()).await;
    Ok(hash.map_err(|_| AcceptError::Reader(format.name()))??)
}

/// Whether nothing has come or will come of an input that stands in the store: its blob is gone, or an older program was stopped
/// while it staged it. Then the same may be sent again.
async fn is_given_up(tx: &mut Tx, row: &InputRow) -> Result<bool, StoreError> {
    let doc = tx.get::<LargeDoc>(&row.id.to_string()).await?;
    if row.state == InputState::Parked.code() {
        let again = doc.and_then(|doc| doc.again);
        return Ok(!again.is_some_and(|again| again.took_effect));
    }
    let is_staging = row.state == InputState::Staging.code();
    Ok(is_staging && doc.is_none())
}

impl Intake {
    /// The same input, if it was taken before and something came or will come of it. What is left of one that was given
    /// up is removed.
    pub(super) async fn taken_before(&self, tx: &mut Tx) -> Result<Option<InputRow>, StoreError> {
        let same = tx.same_input(&self.system, &self.name, &self.content_hash);
        let Some(row) = same.await? else {
            return Ok(None);
        };
        if !is_given_up(tx, &row).await? {
            return Ok(Some(row));
        }
        tx.discard_staged(row.id).await?;
        tx.remove::<LargeDoc>(&row.id.to_string()).await?;
        // Their files, if there are any, are nobody's then and go at the next start.
        let _files: Vec<Uuid> = tx.remove_blobs(row.id).await?;
        tx.forget_input(row.id).await?;
        Ok(None)
    }

    async fn finish_large(
        mut self,
        format: Format,
        surveyed: Surveyed,
        mut original: Written,
    ) -> Result<Accepted, AcceptError> {
        let Surveyed {
            read,
            mut findings,
            people,
        } = surveyed;
        self.people = people;
        let told = read.report.clone();
        let mut report = read.report;
        let is_rejected = report.outcome == Outcome::Rejected;
        let mut tx = self.store.begin().await?;
        if let Some(row) = self.taken_before(&mut tx).await? {
            return Ok(duplicate(&row, format));
        }
        let is_held = !is_rejected && self.is_held(&mut tx, &mut report, &read.coverage).await?;
        let text = text_of(&report)?;
        let settled = outcome_of(&report, &text, is_held, InputState::Staging);
        // The original is in its blob.
        self.add_input(&mut tx, &[], settled).await?;
        tx.add_blob(self.id, BlobPart::Original, &original, self.at)
            .await?;
        if !is_rejected {
            tx.add_blob(self.id, BlobPart::Findings, &findings, self.at)
                .await?;
            let doc = LargeDoc {
                input: self.id,
                system: self.system.clone(),
                name: self.name.clone(),
                received_at: self.at,
                coverage: read.coverage,
                report: told,
                is_released: false,
                stage: if is_held {
                    LargeStage::Held
                } else {
                    LargeStage::Staging
                },
                bytes: findings.bytes,
                reached: 0,
                records: 0,
                position: 0,
                problem: None,
                again: None,
            };
            tx.put(&doc, self.at).await?;
            findings.keep();
        }
        // From here on the store may know of them, also when the commit says that it failed; else the next start
        // removes them.
        original.keep();
        tx.commit().await?;
        Ok(Accepted {
            input: self.id,
            report,
            is_duplicate: false,
        })
    }
}
