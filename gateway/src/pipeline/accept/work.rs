//! Brings an accepted large input from its blob into the store, in steps.
//!
//! Each step is one commit that holds what it wrote and how far it got, so that a gateway that is killed goes on from
//! there as if nothing had been; and each looks first whether the store still stands where the one before left it, so
//! that two gateways never do the same step. Events are staged, then take their ingest keys; one commit publishes them;
//! then they take their places in the queue, in their order.

use std::fs::File;
use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::deviation::{Place, Severity};
use tandem_adapter_port::report::{DeviationCount, Report};

use super::admit::Takes;
use super::findings::{self, Batch, Found};
use super::people::People;
use super::{Intake, text_of};
use crate::blob::{BlobError, BlobReader};
use crate::config::RefreshConfig;
use crate::pipeline::files::Files;
use crate::state::large::{LargeDoc, LargeStage};
use crate::state::partner::PartnerRowDoc;
use crate::store::{BlobPart, EventState, InputState, Settled, Store, StoreError, Tx};

/// Findings or events of one step: so long, and no longer, the writer is held.
const STEP: usize = 500;
/// Bytes of findings that are in memory at a time, save for one finding that is longer.
const STEP_BYTES: u64 = 4 << 20;

/// Why a large input does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The store failed; the step is repeated.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its blob is missing, or does not open.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Somebody else took the step.
    #[error("another took the same step")]
    Overtaken,
    /// Reading ended abnormally.
    #[error("reading the blob ended abnormally")]
    Abnormal,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to do.
    Went,
    /// All of it is in the store.
    Done,
    /// It waits for an operator.
    Held,
}

/// Work on one large input. After an error it is begun anew from what the store says.
#[derive(Debug)]
pub struct Work {
    store: Store,
    files: Arc<Files>,
    refresh: RefreshConfig,
    doc: LargeDoc,
    people: People,
    /// How far in the findings the people are known.
    known_to: u64,
    blob: Option<BlobReader<File>>,
    /// Findings or events of one step.
    most: usize,
}

impl Work {
    /// Work from where a document says.
    #[must_use]
    pub fn new(store: Store, files: Arc<Files>, refresh: RefreshConfig, doc: LargeDoc) -> Self {
        Self {
            store,
            files,
            refresh,
            doc,
            people: People::default(),
            known_to: 0,
            blob: None,
            most: STEP,
        }
    }

    /// The same in steps of another size.
    #[cfg(test)]
    pub(crate) fn in_steps_of(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// How far it is.
    #[must_use]
    pub const fn doc(&self) -> &LargeDoc {
        &self.doc
    }

    /// Takes the next step.
    ///
    /// # Errors
    /// When the store fails or the blob can't be read; then nothing of the step was done, or nobody knows whether.
    pub async fn step(&mut self) -> Result<Step, WorkError> {
        match self.doc.stage {
            // Who reads it once more is somebody else.
            LargeStage::Held | LargeStage::Reading => Ok(Step::Held),
            LargeStage::Staging => self.stage().await,
            LargeStage::Admitting => self.admit().await,
            LargeStage::Publishing => self.publish().await,
            LargeStage::Remembering => self.remember().await,
            LargeStage::Releasing => self.release().await,
        }
    }

    async fn stage(&mut self) -> Result<Step, WorkError> {
        let mut doc = self.doc.clone();
        self.learn(doc.reached).await?;
        let batch = self.batch(doc.reached).await?;
        self.note(&batch);
        let mut tx = self.begin().await?;
        let mut intake = intake(&self.store, &self.doc, People::default());
        let mut events = 0;
        for found in batch.found {
            if let Found::Event(event) = found {
                intake.append(&mut tx, *event, EventState::Staged).await?;
                events += 1;
            }
        }
        doc.records += events;
        doc.reached = batch.reached;
        let mut step = Step::Went;
        if doc.reached >= doc.bytes {
            intake.people = std::mem::take(&mut self.people);
            intake.refresh = Some(self.refresh).filter(|_| !doc.is_released);
            let mut report = doc.report.clone();
            // More may be known of the system than when the input came.
            let is_held = intake.is_held(&mut tx, &mut report, &doc.coverage).await?;
            self.people = intake.people;
            if is_held {
                tx.discard_staged(doc.input).await?;
                settle(&mut tx, &doc, InputState::Held, &report).await?;
                doc.enter(LargeStage::Held);
                doc.records = 0;
                step = Step::Held;
            } else {
                doc.enter(LargeStage::Admitting);
            }
        }
        self.end(tx, doc).await?;
        Ok(step)
    }

    /// Takes the ingest keys of staged events, and drops the repeats among them. Nothing can be rejected any more: keys
    /// that were taken for nothing would keep their events out for ever.
    async fn admit(&mut self) -> Result<Step, WorkError> {
        let mut doc = self.doc.clone();
        self.learn(doc.bytes).await?;
        let mut tx = self.begin().await?;
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let page = tx.staged_events(doc.input, doc.position, most).await?;
        let Some(last) = page.last().map(|last| last.position) else {
            doc.enter(LargeStage::Publishing);
            self.end(tx, doc).await?;
            return Ok(Step::Went);
        };
        let people = std::mem::take(&mut self.people);
        let intake = intake(&self.store, &self.doc, people);
        let takes = self.takes();
        for staged in page {
            let told = &staged.event.told;
            if !intake.admits(&mut tx, told, takes).await? {
                tx.drop_event(staged.position).await?;
            }
        }
        self.people = intake.people;
        doc.position = last;
        self.end(tx, doc).await?;
        Ok(Step::Went)
    }

    /// From this commit on the input counts, with what it withdraws.
    async fn publish(&mut self) -> Result<Step, WorkError> {
        let mut doc = self.doc.clone();
        self.learn(doc.bytes).await?;
        let mut tx = self.begin().await?;
        let people = std::mem::take(&mut self.people);
        let intake = intake(&self.store, &self.doc, people);
        let first = EventState::Staged;
        intake
            .withdraw_absent(&mut tx, &doc.coverage, first)
            .await?;
        settle(&mut tx, &doc, InputState::Published, &doc.report).await?;
        doc.enter(LargeStage::Remembering);
        self.end(tx, doc).await?;
        Ok(Step::Went)
    }

    async fn remember(&mut self) -> Result<Step, WorkError> {
        let mut doc = self.doc.clone();
        let batch = self.batch(doc.reached).await?;
        let rows = batch.found.into_iter().filter_map(|found| match found {
            Found::Row(row) if self.takes() == Takes::All => Some(row),
            Found::Row(_) | Found::Event(_) => None,
        });
        let mut tx = self.begin().await?;
        PartnerRowDoc::keep(&mut tx, &doc.system, rows.collect(), doc.received_at).await?;
        doc.reached = batch.reached;
        if doc.reached >= doc.bytes {
            doc.enter(LargeStage::Releasing);
        }
        self.end(tx, doc).await?;
        Ok(Step::Went)
    }

    async fn release(&mut self) -> Result<Step, WorkError> {
        let mut doc = self.doc.clone();
        let mut tx = self.begin().await?;
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let last = tx.publish_some(doc.input, doc.position, most).await?;
        if let Some(last) = last {
            doc.position = last;
            self.end(tx, doc).await?;
            return Ok(Step::Went);
        }
        let findings = tx.blob(doc.input, BlobPart::Findings).await?;
        if let Some(findings) = &findings {
            tx.remove_blob(findings.id).await?;
        }
        tx.remove::<LargeDoc>(&doc.input.to_string()).await?;
        tx.commit().await?;
        self.blob = None;
        let findings: Vec<_> = findings.into_iter().map(|blob| blob.id).collect();
        self.files.remove(&findings);
        Ok(Step::Done)
    }

    fn takes(&self) -> Takes {
        let again = self.doc.again.as_ref();
        if again.is_some_and(|again| again.only_new) {
            Takes::NeverTold
        } else {
            Takes::All
        }
    }

    /// A transaction in which the store stands where the last step left it.
    async fn begin(&self) -> Result<Tx, WorkError> {
        let mut tx = self.store.begin().await?;
        let key = self.doc.input.to_string();
        let there = tx.get::<LargeDoc>(&key).await?;
        let place = |doc: &LargeDoc| (doc.stage, doc.reached, doc.position, doc.problem.is_some());
        if there.as_ref().map(place) != Some(place(&self.doc)) {
            return Err(WorkError::Overtaken);
        }
        Ok(tx)
    }

    async fn end(&mut self, mut tx: Tx, doc: LargeDoc) -> Result<(), StoreError> {
        tx.put(&doc, doc.received_at).await?;
        tx.commit().await?;
        self.doc = doc;
        Ok(())
    }

    /// Findings from a place on.
    async fn batch(&mut self, from: u64) -> Result<Batch, WorkError> {
        let mut blob = match self.blob.take() {
            Some(blob) => blob,
            None => self.open().await?,
        };
        let (end, most) = (self.doc.bytes, self.most);
        let read = tokio::task::spawn_blocking(move || {
            let read = findings::read(&mut blob, from, end, most, STEP_BYTES);
            (read, blob)
        });
        let (read, blob) = read.await.map_err(|_| WorkError::Abnormal)?;
        self.blob = Some(blob);
        match read {
            Ok(batch) => Ok(batch),
            Err(error) => Err(self.unusable(error).await?.into()),
        }
    }

    async fn open(&self) -> Result<BlobReader<File>, WorkError> {
        let mut tx = self.store.snapshot().await?;
        let row = tx.blob(self.doc.input, BlobPart::Findings).await?;
        let row = row.ok_or(StoreError::Shape { kind: "blob" })?;
        let files = Arc::clone(&self.files);
        let opened = tokio::task::spawn_blocking(move || files.folder().read(row.id, &row.key));
        Ok(opened.await.map_err(|_| WorkError::Abnormal)??)
    }

    async fn unusable(&self, error: std::io::Error) -> Result<BlobError, StoreError> {
        let mut tx = self.store.snapshot().await?;
        let row = tx.blob(self.doc.input, BlobPart::Findings).await?;
        let folder = self.files.folder();
        let file = row.map_or_else(|| folder.path().to_owned(), |row| folder.file(row.id));
        Ok(BlobError { file, error })
    }

    fn note(&mut self, batch: &Batch) {
        for found in &batch.found {
            if let Found::Event(event) = found {
                self.people.note(event);
            }
        }
        self.known_to = self.known_to.max(batch.reached);
    }

    /// Learns of whom the findings up to a place tell, after a start in the middle.
    async fn learn(&mut self, to: u64) -> Result<(), WorkError> {
        while self.known_to < to {
            let batch = self.batch(self.known_to).await?;
            self.note(&batch);
        }
        Ok(())
    }

    /// Sets the input aside, since its blob can't be used. What it staged takes no effect; when the blob is back, a
    /// start of the gateway goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn park(&mut self, error: &BlobError, now: Timestamp) -> Result<(), WorkError> {
        let mut doc = self.doc.clone();
        let mut tx = self.begin().await?;
        doc.problem = Some(error.to_string());
        if !doc.stage.is_published() {
            let mut report = doc.report.clone();
            let problem = DeviationCount {
                severity: Severity::Error,
                code: "blob-unusable".to_owned(),
                count: 1,
                first: Place::file(doc.name.as_str()),
                expected: format!(
                    "{error}; bring the blob back and start the gateway, or have the file sent again"
                ),
            };
            report.deviations.insert(0, problem);
            settle(&mut tx, &doc, InputState::Parked, &report).await?;
        }
        let system = doc.system.as_str();
        let (input, reason) = (doc.input.to_string(), "blob-unusable");
        tx.audit(now, system, "input.parked", &input, reason)
            .await?;
        self.end(tx, doc).await?;
        Ok(())
    }

    /// Lets an input that was set aside go on, if its blob can be used again. Returns whether it goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revive(&mut self) -> Result<bool, WorkError> {
        match self.open().await {
            Ok(_) => {}
            Err(WorkError::Blob(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        let mut doc = self.doc.clone();
        let mut tx = self.begin().await?;
        doc.problem = None;
        if !doc.stage.is_published() {
            settle(&mut tx, &doc, InputState::Staging, &doc.report).await?;
        }
        self.end(tx, doc).await?;
        Ok(true)
    }
}

/// The input as its events are written and admitted.
fn intake(store: &Store, doc: &LargeDoc, people: People) -> Intake {
    Intake {
        id: doc.input,
        format: doc.report.format.clone(),
        people,
        ..Intake::new(store, &doc.system, &doc.name, doc.received_at)
    }
}

/// Says how an input stands, with its report.
async fn settle(
    tx: &mut Tx,
    doc: &LargeDoc,
    state: InputState,
    report: &Report,
) -> Result<(), StoreError> {
    let text = text_of(report)?;
    let settled = Settled {
        state,
        outcome: report.outcome.code(),
        report: &text,
    };
    tx.settle_input(doc.input, settled).await
}
