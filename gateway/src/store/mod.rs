//! The store: SQLite in the process, one writer, many readers. All SQL of the gateway stands in this folder.
//!
//! Personal data are sealed before they get here and opened after they leave; look-ups go by keyed hash. State is kept
//! as documents, written in the same transaction as the event that changed them and the outbox rows that follow.

mod audit;
mod audit_events;
mod checkpoints;
mod consents;
mod decisions;
mod documents;
mod due;
mod error;
mod events;
mod evidence;
mod inputs;
mod lanes;
mod leaves;
mod logged;
mod outbox;
mod policy;
mod recorder;
mod revision;
#[cfg(test)]
mod tests;
mod tx;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::watch;

pub use audit::AuditEntry;
pub use audit_events::Logging;
pub use checkpoints::{CheckpointRow, CosignatureRow};
pub use decisions::{DecisionRow, Stage};
pub use documents::{Document, Index};
pub use due::Due;
pub use error::StoreError;
pub use events::{EventState, WaitingEvent};
pub use evidence::{Evidence, EvidenceKind};
pub use inputs::{Ingested, InputRow, InputState, Received};
pub use lanes::LaneRow;
pub use leaves::LeafRow;
pub use logged::{Kind, Logged};
pub use outbox::{AttemptRow, LaneCount, OutboxRow, OutboxState};
pub use policy::ActivationRow;
pub use recorder::{RecordError, Recorder, Recording, Recordings};
pub use tx::Tx;

use crate::seal::Sealer;

/// Rows that a reader gets at a time from the thread of its connection.
const ROWS: usize = 500;

/// The store of one gateway.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    sealer: Arc<Sealer>,
    logged: watch::Sender<u64>,
}

impl Store {
    /// Opens the store and brings its schema up to date.
    ///
    /// # Errors
    /// When the file can't be opened or a migration fails.
    pub async fn open(file: &Path, sealer: Sealer) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30));
        // One connection writes, so that there is one order of commits.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!("./migrations").run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options.read_only(true).row_buffer_size(ROWS))
            .await?;
        Ok(Self {
            writer,
            readers,
            sealer: Arc::new(sealer),
            logged: watch::Sender::new(0),
        })
    }

    /// Opens a store to read it alone, also while a gateway serves it; nothing is made, and no schema brought up to date.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub async fn open_to_read(file: &Path, sealer: Sealer) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .row_buffer_size(ROWS)
            .busy_timeout(Duration::from_secs(30));
        let readers = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        Ok(Self {
            writer: readers.clone(),
            readers,
            sealer: Arc::new(sealer),
            logged: watch::Sender::new(0),
        })
    }

    /// What seals and opens.
    #[must_use]
    pub fn sealer(&self) -> &Arc<Sealer> {
        &self.sealer
    }

    /// Starts a writing transaction. Dropped without commit, it leaves no trace.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(self.tx(inner))
    }

    /// Starts a reading transaction: one snapshot, taken no earlier than this call.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        let inner = self.readers.begin().await?;
        Ok(self.tx(inner))
    }

    fn tx(&self, inner: Transaction<'static, Sqlite>) -> Tx {
        Tx::new(inner, Arc::clone(&self.sealer), self.logged.clone())
    }

    /// Counts the leaves that were added to the audit log since the store was opened.
    #[must_use]
    pub fn logged(&self) -> watch::Receiver<u64> {
        self.logged.subscribe()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
