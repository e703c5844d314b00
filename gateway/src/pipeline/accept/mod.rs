//! Accept: an input is read by its adapter and becomes durable before it is acknowledged.
//!
//! An input up to `files.large_over` is read first and committed whole: sealed original, ingest keys and events in one
//! transaction (`small`). A larger one, a zip that unpacks to more, and one in which very much is found go into blobs
//! (`survey`), with one small commit, and from there into the store in steps that survive a crash (`work`); one commit
//! publishes it.

mod admit;
mod before;
mod findings;
pub mod gate;
mod large;
mod people;
mod reading;
mod refresh;
pub mod replay;
mod replay_large;
mod sheet;
mod small;
mod source;
mod survey;
mod work;

use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{Coverage, FormatReader};
use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{EventId, InputId, SystemId};
use tokio::sync::{Mutex, mpsc};

use self::admit::Takes;
pub use self::before::Sent;
use self::findings::Found;
use self::large::is_large;
use self::people::People;
use self::reading::Room;
use self::replay::Replay;
pub use self::replay_large::ReadAgain;
use self::sheet::Sheet;
pub use self::source::Source;
pub use self::work::{Step, Work, WorkError};
use super::deletion;
use super::files::Files;
use super::labelling::Labeller;
use super::original::{CopyError, Damage};
use crate::blob::BlobError;
use crate::config::RefreshConfig;
use crate::state::partner::PartnerRowDoc;
use crate::store::{EventState, InputState, Received, Scribe, Settled, Store, StoreError, Tx};
use crate::traces::{self, Field, Traces};

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
    /// A large input can't be written into the folder of blobs: nothing was accepted, try again.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A large input of the same system is still on its way into the store: what comes later has to wait for it.
    #[error("a large file of {0} is still on its way into the store")]
    Busy(SystemId),
    /// The input was changed while it was read: nothing was accepted, try again.
    #[error("the input was changed while it was read")]
    Changed,
    /// Its sender gave its name to something else before: nothing was accepted.
    #[error("the name of the input was used with other content")]
    NameTaken,
    /// Something must not be kept of an input that is read once more, and can't be cut out of it.
    #[error(transparent)]
    NotCopyable(#[from] Damage),
    /// The input to be released is not held, or no longer.
    #[error("the input is not held")]
    NotHeld,
    /// The reader ended abnormally.
    #[error("the reader of {0} ended abnormally")]
    Reader(&'static str),
    /// Writing it ended abnormally: nobody knows whether it was accepted, so try again.
    #[error("writing the input ended abnormally")]
    Broken,
}

impl From<CopyError> for AcceptError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Damaged(damage) => Self::NotCopyable(damage),
            CopyError::Io(error) => Self::Io(error),
        }
    }
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
    files: Option<Arc<Files>>,
    /// For what is found in a small input, where there is a place for large ones.
    room: Room,
    traces: Traces,
    /// Where inputs are written that came at one time.
    desk: Arc<Scribe<Box<Sheet>>>,
    /// Releases take turns: two of one input would stage it twice.
    releases: Arc<Mutex<()>>,
}

impl Acceptor {
    /// An acceptor that commits every input whole, whatever its size.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            refresh: RefreshConfig::default(),
            labeller: None,
            files: None,
            room: Room::default(),
            traces: Traces::default(),
            desk: Arc::default(),
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

    /// The same, with a place for large inputs.
    #[must_use]
    pub fn keeping_large(self, files: Arc<Files>) -> Self {
        Self {
            files: Some(files),
            ..self
        }
    }

    /// The same, with room for fewer findings in a small input.
    #[cfg(test)]
    pub(crate) fn with_room_for(self, findings: usize) -> Self {
        let room = Room::of(findings);
        Self { room, ..self }
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
    /// When the store, the folder of blobs or the reader fails, or an earlier large input of the system is still on its
    /// way; then nothing counts as accepted.
    pub async fn accept(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        source: impl Into<Source>,
    ) -> Result<Accepted, AcceptError> {
        self.accept_as(reader, context, source.into(), None).await
    }

    /// The same with an input that was pushed, of which more is known than its bytes.
    ///
    /// # Errors
    /// The same; and [`AcceptError::NameTaken`] when its sender gave its name to something else.
    pub async fn accept_sent(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        bytes: Arc<Vec<u8>>,
        sent: Sent,
    ) -> Result<Accepted, AcceptError> {
        let source = Source::Bytes(bytes);
        self.accept_as(reader, context, source, Some(sent)).await
    }

    async fn accept_as(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        source: Source,
        sent: Option<Sent>,
    ) -> Result<Accepted, AcceptError> {
        let accept = self.traces.begin(traces::Step::Accept, None);
        accept.note(Field::System, &context.system);
        accept.note(Field::Kind, reader.format().name());
        let accepted = Box::pin(self.accept_here(reader, context, source, sent));
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
        source: Source,
        sent: Option<Sent>,
    ) -> Result<Accepted, AcceptError> {
        let format = reader.format();
        if let Some(files) = &self.files {
            if files.has_in_work(&self.store, &context.system).await? {
                return self.while_in_work(format, &context, source, sent).await;
            }
            if is_large(files, &source, format).await? {
                return self
                    .accept_large(files, reader, context, source, sent)
                    .await;
            }
        }
        self.accept_small(reader, context, source, sent).await
    }
}

/// One input on its way into the store.
struct Intake {
    store: Store,
    system: SystemId,
    name: String,
    format: String,
    content_hash: [u8; 32],
    /// Whether its sender named it: the name stands for this content alone.
    is_named: bool,
    id: InputId,
    at: Timestamp,
    pending: Vec<Found>,
    /// How much may be pending; without a limit `None`.
    room: Option<Room>,
    people: People,
    /// The limits of a full refresh; `None` once an operator has released it.
    refresh: Option<RefreshConfig>,
    /// Whether the input was held and stands in the store already.
    was_held: bool,
    /// The replay that reads the input once more, which stands in the store already.
    replay: Option<Replay>,
}

impl Intake {
    fn new(store: &Store, system: &SystemId, name: &str, at: Timestamp) -> Self {
        Self {
            store: store.clone(),
            system: system.clone(),
            name: name.to_owned(),
            format: String::new(),
            content_hash: [0; 32],
            is_named: false,
            id: InputId(uuid::Uuid::now_v7()),
            at,
            pending: Vec::new(),
            room: None,
            people: People::default(),
            refresh: None,
            was_held: false,
            replay: None,
        }
    }

    /// A new one.
    fn sent(store: &Store, context: &ReadContext, format: Format, sent: &Sent) -> Self {
        let (system, name) = (&context.system, &context.input_name);
        Self {
            format: sent.kept_as.unwrap_or(format.name()).to_owned(),
            content_hash: sent.content_hash,
            is_named: sent.is_named,
            ..Self::new(store, system, name, context.received_at)
        }
    }

    async fn take(&mut self, mut found: mpsc::Receiver<Found>, labeller: Option<&Labeller>) {
        while let Some(next) = found.recv().await {
            self.add(next, labeller);
        }
    }

    fn add(&mut self, found: Found, labeller: Option<&Labeller>) {
        let found = labelled(found, labeller, &self.system);
        if let Found::Event(event) = &found {
            self.people.note(event);
        }
        self.pending.push(found);
    }

    async fn add_input(
        &self,
        tx: &mut Tx,
        original: &[u8],
        settled: Settled<'_>,
    ) -> Result<(), StoreError> {
        tx.add_input(&Received {
            id: self.id,
            system: &self.system,
            format: &self.format,
            name: &self.name,
            content_hash: self.content_hash,
            at: self.at,
            original,
            settled: Some(settled),
        })
        .await
    }

    /// Writes the events that count, and what is remembered of the partner.
    async fn write_pending(
        &self,
        tx: &mut Tx,
        first: EventState,
        takes: Takes,
    ) -> Result<(), StoreError> {
        for found in &self.pending {
            match found {
                Found::Event(event) => {
                    if self.admits(tx, event, takes).await? {
                        self.append(tx, NewEvent::clone(event), first).await?;
                    }
                }
                // What the partner told since is newer.
                Found::Row(_) if takes == Takes::NeverTold => {}
                Found::Row(row) => {
                    let rows = vec![row.clone()];
                    PartnerRowDoc::keep(tx, &self.system, rows, self.at).await?;
                }
            }
        }
        Ok(())
    }

    async fn append(
        &self,
        tx: &mut Tx,
        told: NewEvent,
        first: EventState,
    ) -> Result<(), StoreError> {
        let event = Event {
            id: EventId(tx.new_event_id(self.at)),
            recorded_at: self.at,
            system: self.system.clone(),
            jurisdiction: self.store.sealer().jurisdiction().clone(),
            decision_id: None,
            payload_version: 1,
            told,
        };
        tx.append_event(&event, Some(self.id), first).await?;
        Ok(())
    }

    /// Lets the events go on to their effects.
    async fn publish(
        &self,
        tx: &mut Tx,
        coverage: &Coverage,
        takes: Takes,
    ) -> Result<(), StoreError> {
        let hangs_together = self
            .pending
            .iter()
            .any(|found| matches!(found, Found::Event(told) if is_of_something_gone(told)));
        let first = if hangs_together {
            EventState::Staged
        } else {
            EventState::Waiting
        };
        self.write_pending(tx, first, takes).await?;
        self.withdraw_absent(tx, coverage, first).await?;
        if first == EventState::Staged {
            tx.publish_events(self.id).await?;
        }
        Ok(())
    }
}

/// What was found, with its labels.
fn labelled(found: Found, labeller: Option<&Labeller>, system: &SystemId) -> Found {
    match (found, labeller) {
        (Found::Event(event), Some(labeller)) => {
            Found::Event(Box::new(labeller.label(system, *event)))
        }
        (found, _) => found,
    }
}

/// How an input stands that was read: as one that was taken, unless it is held or nothing of it could be used.
fn outcome_of<'a>(
    report: &'a Report,
    text: &'a str,
    is_held: bool,
    taken: InputState,
) -> Settled<'a> {
    Settled {
        state: match report.outcome {
            _ if is_held => InputState::Held,
            Outcome::Rejected => InputState::Rejected,
            _ => taken,
        },
        outcome: report.outcome.code(),
        report: text,
    }
}

/// A report as the store keeps it.
fn text_of(report: &Report) -> Result<String, StoreError> {
    serde_json::to_string(report).map_err(|_| StoreError::Shape { kind: "report" })
}

/// Whether what is told depends on what waits or came earlier in the same input: then the events of the input wait together.
fn is_of_something_gone(told: &NewEvent) -> bool {
    matches!(told.body, Body::RecordSealed(_) | Body::RecordWithdrawn(_))
        || deletion::is_by_id_alone(told)
}

#[cfg(test)]
mod tests;
