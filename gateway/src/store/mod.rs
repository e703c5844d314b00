//! The store: SQLite in the process, one writer, many readers. All SQL of the gateway stands in this folder.
//!
//! Personal data are sealed before they get here and opened after they leave; look-ups go by keyed hash. State is kept
//! as documents, written in the same transaction as the event that changed them and the outbox rows that follow.

mod aged;
mod audit;
mod audit_events;
mod backup;
mod bells;
mod blobs;
mod cause;
mod changes;
mod checkpoints;
mod consents;
mod copying;
mod decisions;
mod disposal;
mod documents;
mod due;
mod engine;
mod error;
mod events;
mod evidence;
mod handed;
mod heads;
mod holds;
mod inputs;
mod keys;
mod lanes;
mod leases;
mod leaves;
mod listed;
mod listen;
mod logged;
mod opened;
mod outbox;
#[cfg(test)]
mod plans;
mod policy;
mod reads;
mod recorder;
mod relied;
mod replays;
mod resealing;
mod restoring;
mod retried;
mod revision;
mod rotation;
mod rows;
mod schema;
mod scribe;
mod sealed;
mod sql;
mod sqlite;
mod staged;
mod standing;
mod statistics;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod tx;
mod writers;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

pub use aged::{Aged, AgedKey, Shelf};
pub use audit::AuditEntry;
pub use audit_events::Logging;
pub use backup::{AuditHead, Backup, Damage, Manifest};
pub use blobs::{BlobHead, BlobPart, BlobRow};
pub use cause::EventHead;
pub use changes::Change;
pub use checkpoints::{CheckpointRow, CosignatureRow};
pub use copying::{CopyError, Sums, Watch};
pub use decisions::{DecisionRow, NewDecision, Stage};
pub use disposal::{Disposal, LeafDigest};
pub use documents::{Document, Found, Index, Place};
pub use due::Due;
pub use error::StoreError;
pub use events::{EventState, WaitingEvent};
pub use evidence::{Evidence, EvidenceKind};
pub use heads::{Heads, Wanted};
pub use holds::{DoubtfulRow, HoldRow};
pub use inputs::{Ingested, InputRow, InputState, Received, Settled};
pub use keys::RootKeyRow;
pub use lanes::{Halt, LaneRow};
pub use leaves::LeafRow;
pub use listed::{ListedRow, Listing};
pub use listen::Heard;
pub use logged::{Kind, Logged};
pub use outbox::{AttemptRow, LaneCount, OutboxRow, OutboxState};
pub use policy::ActivationRow;
pub use recorder::{RecordError, Recorder, Recording, Recordings};
pub use replays::{Choice, Of, ReplayRow};
pub use resealing::{Resealer, ResealingRow, RowsByKey, Step};
pub use restoring::Filling;
pub use retried::ParkedRow;
pub use rotation::{NextKey, RotationError};
pub use rows::TableSum;
pub use schema::{SchemaStep, migrate, schema_of};
pub(crate) use scribe::{Entry, Scribe};
pub use standing::Schema;
pub use tx::{Mark, Tx};
pub use writers::Handed;

use self::engine::Engine;
use self::opened::OpenedOfLate;
use self::sql::query;
use self::writers::Writers;
use crate::config::{Config, SchemaChange, StoreConfig};
use crate::seal::Sealer;

/// Statements that a connection to PostgreSQL keeps prepared: all that the store has.
const PREPARED: usize = 512;
/// How PostgreSQL treats our connections.
///
/// Each statement goes by an index. PostgreSQL keeps a plan as long as a connection lives, or until statistics are
/// gathered: one that reads a whole table is the best while the table is small, and the worst soon after.
///
/// A gateway that is frozen, or whose machine is gone, may hold the lock of those who write: the server ends its transaction, sooner than
/// its duties fall to another (PostgreSQL 15, sections 20.11.1 and 20.3.2; milliseconds for the last).
const SESSION: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("idle_in_transaction_session_timeout", "20s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "2"),
    ("tcp_user_timeout", "20000"),
];
/// Name of the file of SQLite in the data folder.
const SQLITE: &str = "tandem.sqlite";

/// The store of one gateway.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
    writers: Writers,
    sealer: Arc<Sealer>,
    logged: watch::Sender<u64>,
    opened: Arc<OpenedOfLate>,
    /// This gateway among those that share the store.
    instance: uuid::Uuid,
}

impl Store {
    /// Opens the store that a configuration names, and brings its schema up to date if the configuration lets it.
    ///
    /// # Errors
    /// When it can't be opened, a migration fails, or one is missing that is not to be made here.
    pub async fn of(config: &Config, sealer: Sealer) -> Result<Self, StoreError> {
        let store = Self::connect(config, sealer).await?;
        store.ready(config.store.schema).await
    }

    /// Opens the store that a configuration names to fill it: its schema is brought up to date, and nothing is written.
    ///
    /// # Errors
    /// When it can't be opened or a step of the schema fails.
    pub async fn to_fill(config: &Config, sealer: Sealer) -> Result<Self, StoreError> {
        Ok(Self::on(schema::up_to_date(config).await?, sealer))
    }

    /// Connects to the store that a configuration names, whatever its schema is.
    async fn connect(config: &Config, sealer: Sealer) -> Result<Self, StoreError> {
        match address(&config.store)? {
            Some(address) => Self::connect_postgres(address, sealer).await,
            None => Ok(Self::on(Engine::sqlite(&Self::file(config)).await?, sealer)),
        }
    }

    async fn connect_postgres(
        address: PgConnectOptions,
        sealer: Sealer,
    ) -> Result<Self, StoreError> {
        let instance = uuid::Uuid::now_v7();
        let address = address
            .application_name(&leases::session_of(instance))
            .statement_cache_capacity(PREPARED)
            .options(SESSION);
        let engine = Engine::postgres(address, sealer.jurisdiction().as_str()).await?;
        Ok(Self::on_as(engine, sealer, instance))
    }

    /// Sees to the schema and the key.
    async fn ready(self, schema: SchemaChange) -> Result<Self, StoreError> {
        self.engine.bring_up(schema).await?;
        self.check_root().await?;
        Ok(self)
    }

    /// Opens the store that a configuration names to read it alone, also while a gateway serves it; nothing is made, and no
    /// schema brought up to date.
    ///
    /// # Errors
    /// When it can't be opened.
    pub async fn to_read(config: &Config, sealer: Sealer) -> Result<Self, StoreError> {
        match address(&config.store)? {
            Some(address) => Ok(Self::on(Engine::postgres_to_read(address).await?, sealer)),
            None => Self::open_to_read(&Self::file(config), sealer).await,
        }
    }

    /// Opens the store that a configuration names to copy it as it is, also while a gateway serves it: no key is
    /// needed, and nothing in it is changed.
    ///
    /// # Errors
    /// When it can't be opened.
    pub async fn to_copy(config: &Config) -> Result<Self, StoreError> {
        let sealer = Sealer::of_nobody(config.jurisdiction.clone())?;
        let engine = match address(&config.store)? {
            Some(address) => Engine::postgres_to_read(address).await?,
            None => Engine::sqlite_to_copy(&config.data.join(SQLITE)).await?,
        };
        Ok(Self::on(engine, sealer))
    }

    /// Opens a file of SQLite to read it alone, as [`Store::to_read`].
    ///
    /// # Errors
    /// When it can't be opened.
    pub async fn open_to_read(file: &Path, sealer: Sealer) -> Result<Self, StoreError> {
        Ok(Self::on(Engine::sqlite_to_read(file).await?, sealer))
    }

    /// Opens the store in a file of SQLite and brings its schema up to date.
    ///
    /// # Errors
    /// When the file can't be opened or a migration fails.
    pub async fn open(file: &Path, sealer: Sealer) -> Result<Self, StoreError> {
        let store = Self::on(Engine::sqlite(file).await?, sealer);
        store.ready(SchemaChange::AtStart).await
    }

    /// Opens the store in a database of PostgreSQL, which other processes may have opened as well, and brings its schema up
    /// to date.
    ///
    /// # Errors
    /// When the database can't be reached or a migration fails.
    pub async fn open_postgres(
        address: PgConnectOptions,
        sealer: Sealer,
    ) -> Result<Self, StoreError> {
        let store = Self::connect_postgres(address, sealer).await?;
        store.ready(SchemaChange::AtStart).await
    }

    /// The file of SQLite that a configuration has its rows in, unless they are in PostgreSQL.
    #[must_use]
    pub fn file(config: &Config) -> PathBuf {
        config.data.join(SQLITE)
    }

    fn on(engine: Engine, sealer: Sealer) -> Self {
        Self::on_as(engine, sealer, uuid::Uuid::now_v7())
    }

    fn on_as(engine: Engine, sealer: Sealer, instance: uuid::Uuid) -> Self {
        let logged = watch::Sender::new(0);
        let told = listen::message(sealer.jurisdiction(), instance);
        Self {
            engine,
            writers: Writers::new(logged.clone(), told),
            sealer: Arc::new(sealer),
            logged,
            opened: Arc::default(),
            instance,
        }
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
        Ok(Tx::writing(self.writers.begin(&self.engine).await?, self))
    }

    /// The bell of a lane: it rings when a message of the lane was written or moved by this process and that is durable, and with all
    /// others.
    #[must_use]
    pub fn bell(&self, lane: &str) -> watch::Receiver<u64> {
        self.writers.bell(lane)
    }

    /// Rings the bell of every lane: any of them may have something to do, by another reason than a message of its own.
    pub fn ring_all_bells(&self) {
        self.writers.ring_all_bells();
    }

    /// Somebody who is about to write for whom somebody waits.
    fn ahead(&self) -> writers::Ahead {
        self.writers.ahead()
    }

    /// Starts a writing transaction for work that nobody waits for: whoever answers somebody goes first, for a moment.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn begin_behind(&self) -> Result<Tx, StoreError> {
        let turn = self.writers.begin_behind(&self.engine).await?;
        Ok(Tx::writing_behind(turn, self))
    }

    /// Starts a writing transaction after everything that was written before has become durable: what a snapshot shows then
    /// stays as it is until the end of the transaction.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn begin_apart(&self) -> Result<Tx, StoreError> {
        Ok(Tx::writing(
            self.writers.begin_apart(&self.engine).await?,
            self,
        ))
    }

    /// Starts a reading transaction: one snapshot, taken no earlier than this call.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        Ok(Tx::reading(self.engine.snapshot().await?, self))
    }

    /// Counts the leaves that were added to the audit log since the store was opened.
    #[must_use]
    pub fn logged(&self) -> watch::Receiver<u64> {
        self.logged.subscribe()
    }

    /// How often what somebody may have read in a transaction has not become durable, or a writer gave up whom something in memory had
    /// followed ([`Tx::note_followed`]). Whoever has a turn knows of all that came before.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.writers.losses()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut session = self.engine.snapshot().await?;
        query("SELECT 1").execute(&mut session).await?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

/// The file of SQLite that a configuration names; `None` when the store is a database of PostgreSQL.
#[must_use]
pub fn sqlite_file(config: &Config) -> Option<PathBuf> {
    let is_file = config.store.postgres.is_none();
    is_file.then(|| config.data.join(SQLITE))
}

/// The database of PostgreSQL that a configuration names.
fn address(config: &StoreConfig) -> Result<Option<PgConnectOptions>, StoreError> {
    let Some(address) = &config.postgres else {
        return Ok(None);
    };
    let options: PgConnectOptions = address.as_str().parse()?;
    let password = config.password().map_err(StoreError::Password)?;
    Ok(Some(match password {
        Some(password) => options.password(&password),
        None => options,
    }))
}
