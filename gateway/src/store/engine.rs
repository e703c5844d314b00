//! The two engines: where a transaction begins, and what keeps those that write in one order.

mod reach;

use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::StoreError;
use super::sql::{Open, Session};
use super::sqlite::{Options, Pool, Transaction};

/// Longest wait for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Where the rows are.
#[derive(Debug, Clone)]
pub(super) enum Engine {
    /// SQLite in the process: one connection writes, so that there is one order of commits.
    Sqlite {
        /// Writes.
        writer: Pool,
        /// Read.
        readers: Pool,
    },
    /// PostgreSQL: whoever writes holds a lock of the jurisdiction until the commit, which gives one order to the
    /// processes that share the database.
    Postgres {
        /// Connections.
        pool: PgPool,
        /// Number of the lock.
        writers: i64,
    },
}

impl Engine {
    /// A file of SQLite, made when it is not there.
    pub(super) async fn sqlite(file: &Path) -> Result<Self, StoreError> {
        let readers = Pool::of_readers(Options::to_read(file), 8);
        // Who writes makes the file.
        let writer = Pool::of_writer(Options::durable(file), &readers).await?;
        readers.connect().await?;
        Ok(Self::Sqlite { writer, readers })
    }

    /// A file of SQLite to be read alone, as it is.
    pub(super) async fn sqlite_to_read(file: &Path) -> Result<Self, StoreError> {
        Self::sqlite_one(Options::to_read(file)).await
    }

    /// A file of SQLite to be read alone, as it is, row by row, whatever their size.
    pub(super) async fn sqlite_to_copy(file: &Path) -> Result<Self, StoreError> {
        Self::sqlite_one(Options::to_read(file).of_large_rows()).await
    }

    /// A file of SQLite that nobody writes any more: nothing is made beside it, and it may stand where nothing can be
    /// written.
    pub(super) async fn sqlite_at_rest(file: &Path) -> Result<Self, StoreError> {
        Self::sqlite_one(Options::at_rest(file).of_large_rows()).await
    }

    /// A new file of SQLite that counts only when it is whole: nothing is synced, and nothing can be taken back.
    pub(super) async fn sqlite_in_making(file: &Path) -> Result<Self, StoreError> {
        Self::sqlite_one(Options::in_making(file)).await
    }

    /// A store of SQLite in memory.
    pub(super) async fn sqlite_in_memory() -> Result<Self, StoreError> {
        Self::sqlite_one(Options::in_memory()).await
    }

    /// One connection for everything.
    async fn sqlite_one(options: Options) -> Result<Self, StoreError> {
        let writer = Pool::open(options, 1).await?;
        Ok(Self::Sqlite {
            readers: writer.clone(),
            writer,
        })
    }

    /// A database of PostgreSQL.
    pub(super) async fn postgres(
        options: PgConnectOptions,
        jurisdiction: &str,
    ) -> Result<Self, StoreError> {
        // One that is away for longer than a start takes is told with its address and the cause.
        reach::reach_within(&options, PATIENCE).await?;
        let pool = PgPoolOptions::new()
            .max_connections(12)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await?;
        Ok(Self::Postgres {
            pool,
            writers: lock_number(jurisdiction),
        })
    }

    /// A database of PostgreSQL to be read alone, as it is.
    pub(super) async fn postgres_to_read(options: PgConnectOptions) -> Result<Self, StoreError> {
        let options = options.options([("default_transaction_read_only", "on")]);
        reach::reach(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await?;
        Ok(Self::Postgres { pool, writers: 0 })
    }

    /// The database that other processes may share.
    pub(super) const fn shared(&self) -> Option<&PgPool> {
        match self {
            Self::Postgres { pool, .. } => Some(pool),
            Self::Sqlite { .. } => None,
        }
    }

    /// Begins a transaction that writes: nobody else of the jurisdiction writes until it ends.
    pub(super) async fn begin(&self) -> Result<Session, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                let inner = Transaction::begin(writer, "BEGIN IMMEDIATE").await?;
                Ok(Session::of(Open::Sqlite(inner)))
            }
            Self::Postgres { pool, writers } => {
                let mut inner = Box::pin(pool.begin()).await?;
                // Each statement after the lock sees what was committed before it was given.
                let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(writers);
                Box::pin(lock.execute(&mut *inner)).await?;
                Ok(Session::of(Open::Postgres(inner)))
            }
        }
    }

    /// Begins a transaction that reads one snapshot, which shows whatever was committed before this call.
    pub(super) async fn snapshot(&self) -> Result<Session, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => {
                let inner = Transaction::snapshot(readers).await?;
                Ok(Session::of(Open::Sqlite(inner)))
            }
            Self::Postgres { pool, .. } => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                let inner = Box::pin(pool.begin_with(begin)).await?;
                Ok(Session::of(Open::Postgres(inner)))
            }
        }
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// The number of the lock of a jurisdiction's writers: locks of PostgreSQL have 64-bit numbers.
fn lock_number(jurisdiction: &str) -> i64 {
    let hash = Sha256::new()
        .chain_update("tandem writers ")
        .chain_update(jurisdiction)
        .finalize();
    let mut number = [0; 8];
    for (to, from) in number.iter_mut().zip(hash) {
        *to = from;
    }
    i64::from_be_bytes(number)
}
