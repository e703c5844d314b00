//! Accept: an input is read by its adapter and becomes durable before it is acknowledged.
//!
//! An input up to [`ONE_COMMIT_BYTES`] is read first and committed whole: sealed original, ingest keys and events in one
//! transaction. A larger one is staged in batches and published by one row, so that a crash leaves either all of it
//! or nothing that counts.

mod admit;
pub mod gate;
mod reading;
mod refresh;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{Coverage, FormatReader};
use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{EventId, InputId};
use tokio::sync::{Mutex, mpsc};

use reading::{Found, ReadThrough, read_through};

use super::deletion;
use super::labelling::Labeller;
use super::original::without_refused;
use crate::config::RefreshConfig;
use crate::state::held::HeldDoc;
use crate::state::partner::PartnerRowDoc;
use crate::store::{EventState, InputState, Received, Settled, Store, StoreError, Tx};
use crate::traces::{Field, Step, Traces};

/// Inputs up to this size are committed whole.
pub const ONE_COMMIT_BYTES: usize = 8 << 20;
/// Events in one staging batch.
const BATCH: usize = 500;

/// Why an input was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The store failed: nothing was accepted, try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input can't be read from where it lies.
    #[error("the input cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The input to be released is not held, or no longer.
    #[error("the input is not held")]
    NotHeld,
    /// The reader ended abnormally.
    #[error("the reader of {0} ended abnormally")]
    Reader(&'static str),
}

/// What came of an input.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its id.
    pub input: InputId,
    /// The report.
    pub report: Report,
    /// Whether the same input had been accepted before: nothing was done.
    pub is_duplicate: bool,
}

/// Accepts inputs into the store.
#[derive(Debug, Clone)]
pub struct Acceptor {
    store: Store,
    refresh: RefreshConfig,
    labeller: Option<Arc<Labeller>>,
    traces: Traces,
    /// Releases take turns: two of one input would stage it twice.
    releases: Arc<Mutex<()>>,
}

impl Acceptor {
    /// An acceptor.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            refresh: RefreshConfig::default(),
            labeller: None,
            traces: Traces::default(),
            releases: Arc::default(),
        }
    }

    /// The same, with the county's limits of what a full refresh may withdraw.
    #[must_use]
    pub fn guarding(self, refresh: RefreshConfig) -> Self {
        Self { refresh, ..self }
    }

    /// The same, with the step that labels whatever is read before it is stored.
    #[must_use]
    pub fn labelling(self, labeller: Arc<Labeller>) -> Self {
        Self {
            labeller: Some(labeller),
            ..self
        }
    }

    /// The same, with its releases in turns with those of other acceptors on the store.
    #[must_use]
    pub fn taking_turns(self, releases: Arc<Mutex<()>>) -> Self {
        Self { releases, ..self }
    }

    /// The same, with a span for each input.
    #[must_use]
    pub fn traced(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }

    /// Reads an input and makes it durable. When this returns, it may be acknowledged.
    ///
    /// # Errors
    /// When the store or the reader fails; then nothing counts as accepted.
    pub async fn accept(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        bytes: Arc<Vec<u8>>,
    ) -> Result<Accepted, AcceptError> {
        let accept = self.traces.begin(Step::Accept, None);
        accept.note(Field::System, &context.system);
        accept.note(Field::Kind, reader.format().name());
        let accepted = Box::pin(self.accept_here(reader, context, bytes));
        let accepted = accept.around(accepted).await;
        match &accepted {
            Ok(one) if one.is_duplicate => accept.note(Field::Outcome, "duplicate"),
            Ok(one) => {
                accept.note(Field::Input, one.input);
                accept.note(Field::Outcome, one.report.outcome.code());
            }
            Err(_) => accept.note(Field::Outcome, "failed"),
        }
        accepted
    }

    async fn accept_here(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        bytes: Arc<Vec<u8>>,
    ) -> Result<Accepted, AcceptError> {
        let content_hash: [u8; 32] = Sha256::digest(bytes.as_slice()).into();
        // What is committed whole is compared there, in the transaction that writes it.
        if bytes.len() > ONE_COMMIT_BYTES {
            let mut tx = self.store.snapshot().await?;
            let (system, name) = (&context.system, &context.input_name);
            let same = tx.same_input(system, name, &content_hash).await?;
            if let Some(row) = same.filter(|row| row.state != InputState::Staging.code()) {
                return Ok(duplicate(&row, reader.format()));
            }
        }
        let intake = Intake::new(&self.store, &context, reader.format(), content_hash);
        self.run(intake.limited_by(&self.refresh), reader, &context, bytes)
            .await
    }

    async fn run<'a>(
        &'a self,
        mut intake: Intake<'a>,
        reader: Arc<dyn FormatReader>,
        context: &ReadContext,
        bytes: Arc<Vec<u8>>,
    ) -> Result<Accepted, AcceptError> {
        intake.labeller = self.labeller.as_deref();
        let (out, found) = mpsc::channel(BATCH);
        let format = reader.format();
        let reading = {
            let (context, bytes) = (context.clone(), Arc::clone(&bytes));
            tokio::task::spawn_blocking(move || {
                read_through(reader.as_ref(), &context, &bytes, out)
            })
        };
        intake.take(found, bytes.len() > ONE_COMMIT_BYTES).await?;
        let read = reading
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(AcceptError::Reader(format.name()))?;
        intake.finish(read, &bytes).await
    }
}

fn duplicate(row: &crate::store::InputRow, format: Format) -> Accepted {
    let report = row
        .report
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    Accepted {
        input: row.id,
        report: report.unwrap_or(Report {
            format: format.name().to_owned(),
            version: None,
            records: std::collections::BTreeMap::new(),
            persons: 0,
            events: std::collections::BTreeMap::new(),
            refused: 0,
            deviations: Vec::new(),
            outcome: Outcome::Accepted,
        }),
        is_duplicate: true,
    }
}

/// One input on its way into the store.
struct Intake<'a> {
    store: &'a Store,
    context: &'a ReadContext,
    format: Format,
    content_hash: [u8; 32],
    id: InputId,
    at: Timestamp,
    pending: Vec<Found>,
    people: HashSet<String>,
    is_staged: bool,
    /// The limits of a full refresh; `None` once an operator has released it.
    refresh: Option<&'a RefreshConfig>,
    labeller: Option<&'a Labeller>,
    /// Whether the input was held and stands in the store already.
    was_held: bool,
    /// How its events are written first.
    first: EventState,
}

impl<'a> Intake<'a> {
    fn new(
        store: &'a Store,
        context: &'a ReadContext,
        format: Format,
        content_hash: [u8; 32],
    ) -> Self {
        Self {
            store,
            context,
            format,
            content_hash,
            id: InputId(uuid::Uuid::now_v7()),
            at: context.received_at,
            pending: Vec::new(),
            people: HashSet::new(),
            is_staged: false,
            refresh: None,
            labeller: None,
            was_held: false,
            first: EventState::Staged,
        }
    }

    fn limited_by(self, refresh: &'a RefreshConfig) -> Self {
        Self {
            refresh: Some(refresh),
            ..self
        }
    }

    async fn take(
        &mut self,
        mut found: mpsc::Receiver<Found>,
        stage: bool,
    ) -> Result<(), AcceptError> {
        while let Some(next) = found.recv().await {
            let next = self.labelled(next);
            if let Found::Event(event) = &next
                && let (Body::RecordReceived(_), Some(person)) =
                    (&event.body, &event.source_person_id)
            {
                self.people.insert(person.as_str().to_owned());
            }
            self.pending.push(next);
            if stage && self.pending.len() >= BATCH {
                let mut tx = self.store.begin().await?;
                if !self.is_staged && !self.was_held {
                    // What an earlier attempt at the same input left behind when it was cut off.
                    tx.drop_staging(
                        &self.context.system,
                        &self.context.input_name,
                        &self.content_hash,
                    )
                    .await?;
                    // The original follows at the end, once it is known what must be cut out of it.
                    self.add_input(&mut tx, &[], None).await?;
                }
                self.is_staged = true;
                self.write_pending(&mut tx).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    fn labelled(&self, found: Found) -> Found {
        match (found, self.labeller) {
            (Found::Event(event), Some(labeller)) => {
                Found::Event(Box::new(labeller.label(&self.context.system, *event)))
            }
            (found, _) => found,
        }
    }

    async fn add_input(
        &self,
        tx: &mut Tx,
        original: &[u8],
        settled: Option<Settled<'_>>,
    ) -> Result<(), StoreError> {
        tx.add_input(&Received {
            id: self.id,
            system: &self.context.system,
            format: self.format.name(),
            name: &self.context.input_name,
            content_hash: self.content_hash,
            at: self.at,
            original,
            settled,
        })
        .await
    }

    async fn write_pending(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        for found in std::mem::take(&mut self.pending) {
            match found {
                Found::Event(event) => self.write_event(tx, *event).await?,
                Found::Row(row) => {
                    let document = PartnerRowDoc {
                        system: self.context.system.clone(),
                        row,
                    };
                    tx.put(&document, self.at).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes an event if it counts. Of a staged input every event is kept for now: its keys are taken when it is
    /// published, so that an input that is cut off or rejected leaves none.
    async fn write_event(&self, tx: &mut Tx, told: NewEvent) -> Result<(), StoreError> {
        if self.is_staged || self.admits(tx, &told).await? {
            self.append(tx, told).await?;
        }
        Ok(())
    }

    async fn append(&self, tx: &mut Tx, told: NewEvent) -> Result<(), StoreError> {
        let event = Event {
            id: EventId(tx.new_event_id(self.at)),
            recorded_at: self.at,
            system: self.context.system.clone(),
            jurisdiction: self.store.sealer().jurisdiction().clone(),
            decision_id: None,
            payload_version: 1,
            told,
        };
        tx.append_event(&event, Some(self.id), self.first).await?;
        Ok(())
    }

    /// Lets the events go on to their effects.
    async fn publish(&mut self, tx: &mut Tx, coverage: &Coverage) -> Result<(), StoreError> {
        let hangs_together = self
            .pending
            .iter()
            .any(|found| matches!(found, Found::Event(told) if is_of_something_gone(told)));
        if !self.is_staged && !hangs_together {
            self.first = EventState::Waiting;
        }
        self.write_pending(tx).await?;
        if self.is_staged {
            self.admit_staged(tx).await?;
        }
        self.withdraw_absent(tx, coverage).await?;
        if self.first == EventState::Staged {
            tx.publish_events(self.id).await?;
        }
        Ok(())
    }

    async fn finish(
        mut self,
        mut read: ReadThrough,
        bytes: &[u8],
    ) -> Result<Accepted, AcceptError> {
        let original = without_refused(&self.context.input_name, bytes, &read.cuts)?;
        let is_rejected = read.report.outcome == Outcome::Rejected;
        let mut tx = self.store.begin().await?;
        if !self.is_staged && !self.was_held {
            // The same input may have come twice at once: the first to write it wins.
            let (system, name) = (&self.context.system, &self.context.input_name);
            let same = tx.same_input(system, name, &self.content_hash).await?;
            if let Some(row) = same.filter(|row| row.state != InputState::Staging.code()) {
                return Ok(duplicate(&row, self.format));
            }
        }
        if self.was_held {
            tx.remove::<HeldDoc>(&self.id.to_string()).await?;
        }
        let is_held = !is_rejected && self.is_held(&mut tx, &mut read).await?;
        let report = serde_json::to_string(&read.report)
            .map_err(|_| StoreError::Shape { kind: "report" })?;
        let settled = Settled {
            state: match (is_held, is_rejected) {
                (true, _) => InputState::Held,
                (_, true) => InputState::Rejected,
                _ => InputState::Published,
            },
            outcome: read.report.outcome.code(),
            report: &report,
        };
        if self.is_staged || self.was_held {
            tx.set_original(self.id, &original).await?;
            tx.settle_input(self.id, settled).await?;
        } else {
            self.add_input(&mut tx, &original, Some(settled)).await?;
        }
        if settled.state == InputState::Published {
            self.publish(&mut tx, &read.coverage).await?;
        } else {
            tx.discard_staged(self.id).await?;
        }
        tx.commit().await?;
        Ok(Accepted {
            input: self.id,
            report: read.report,
            is_duplicate: false,
        })
    }
}

/// Whether what is told depends on what waits or came earlier in the same input: then the events of the input wait together.
fn is_of_something_gone(told: &NewEvent) -> bool {
    matches!(told.body, Body::RecordSealed(_) | Body::RecordWithdrawn(_))
        || deletion::is_by_id_alone(told)
}

#[cfg(test)]
mod tests;
