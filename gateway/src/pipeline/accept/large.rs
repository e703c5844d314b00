//! Large inputs are accepted by their blobs and one small commit; `work` brings them into the store.

use std::sync::Arc;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Outcome;

use super::before::{Before, duplicate};
use super::survey::{Survey, Surveyed, Waiting};
use super::{AcceptError, Accepted, Acceptor, Intake, Sent, Source, outcome_of, text_of};
use crate::blob::Written;
use crate::pipeline::files::Files;
use crate::state::held::HeldDoc;
use crate::state::large::{LargeDoc, LargeStage};
use crate::store::{BlobPart, InputState, Settled};

impl Acceptor {
    /// Accepts an input by its blobs. When this returns, they are on the disk and the store knows of them.
    pub(super) async fn accept_large(
        &self,
        files: &Files,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        source: Source,
        sent: Option<Sent>,
    ) -> Result<Accepted, AcceptError> {
        let format = reader.format();
        let source_hash = hash_of(source.clone(), format).await?;
        let sent = sent.unwrap_or(Sent::file(source_hash));
        if let Some(before) = self.came_before(format, &context, &sent).await? {
            return Ok(before);
        }
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
            let mut surveyed = survey.read()?;
            let copied = match survey.copy(&surveyed.read.cuts) {
                Err(AcceptError::NotCopyable(damage)) => {
                    damage.reject(&mut surveyed.read.report);
                    survey.copy_nothing()?
                }
                copied => copied?,
            };
            Ok::<_, AcceptError>((surveyed, copied))
        });
        let (mut surveyed, copied) = read
            .await
            .map_err(|_| AcceptError::Reader(format.name()))??;
        if copied.content_hash != source_hash {
            return Err(AcceptError::Changed);
        }
        let mut intake = Intake::sent(&self.store, &context, format, &sent);
        intake.refresh = Some(self.refresh);
        surveyed.read.report.format.clone_from(&intake.format);
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
        sent: Option<Sent>,
    ) -> Result<Accepted, AcceptError> {
        let sent = match sent {
            Some(sent) => sent,
            None => Sent::file(hash_of(source, format).await?),
        };
        let before = self.came_before(format, context, &sent).await?;
        before.ok_or_else(|| AcceptError::Busy(context.system.clone()))
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

/// Whether an input is large: longer than a small one may be, or a zip that says that it unpacks to more.
pub(super) async fn is_large(
    files: &Files,
    source: &Source,
    format: Format,
) -> Result<bool, AcceptError> {
    let most = files.large_over();
    if source.length()? > most {
        return Ok(true);
    }
    if source.is_plain() {
        return Ok(false);
    }
    let source = source.clone();
    let unpacked = tokio::task::spawn_blocking(move || source.unpacked()).await;
    Ok(unpacked.map_err(|_| AcceptError::Reader(format.name()))?? > most)
}

impl Intake {
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
        match self.before(&mut tx).await? {
            Before::Same(row) => return Ok(duplicate(&row, format)),
            Before::Other => return Err(AcceptError::NameTaken),
            Before::Nothing | Before::GivenUp(_) => {}
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
