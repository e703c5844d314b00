//! Connections to one file, each lent to one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::super::engine::PATIENCE;
use super::log::Log;
use super::{Fault, Options};

/// Connections to a file.
#[derive(Debug, Clone)]
pub(in crate::store) struct Pool(Arc<Connections>);

#[derive(Debug)]
struct Connections {
    options: Options,
    /// What those who write to the file write into first.
    log: Log,
    idle: Mutex<Vec<Connection>>,
    most: u32,
    free: Arc<Semaphore>,
}

/// A connection on loan. It goes back without an open transaction.
pub(in crate::store) struct Lent {
    /// A connection may move between threads, and only one at a time may look at it.
    connection: Mutex<Option<Connection>>,
    home: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// At most so many connections; the first is made at once.
    pub(in crate::store) async fn open(options: Options, most: u32) -> Result<Self, sqlx::Error> {
        let free = Semaphore::new(usize::try_from(most).unwrap_or(1));
        let pool = Self(Arc::new(Connections {
            options,
            log: Log::default(),
            idle: Mutex::default(),
            most,
            free: Arc::new(free),
        }));
        drop(pool.lend().await?);
        Ok(pool)
    }

    /// A connection; waits for one while all are lent.
    pub(in crate::store) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let free = Arc::clone(&self.0.free).acquire_owned();
        let permit = tokio::time::timeout(PATIENCE, free).await;
        let permit = permit.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let options = self.0.options.clone();
                let opened = spawn_blocking(move || options.open()).await;
                let opened = opened.map_err(|_| sqlx::Error::WorkerCrashed)?;
                opened.map_err(Fault::of)?
            }
        };
        Ok(Lent {
            connection: Mutex::new(Some(connection)),
            home: self.clone(),
            _permit: permit,
        })
    }

    /// Closes all connections, once those that are lent are back.
    pub(in crate::store) async fn close(&self) {
        if let Ok(all) = self.0.free.acquire_many(self.0.most).await {
            all.forget();
        }
        self.0.free.close();
        self.0.log.at_rest().await;
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    /// Uses the connection.
    pub(in crate::store) fn run<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, sqlx::Error> {
        match self.inner() {
            Some(connection) => work(connection).map_err(Fault::of),
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    /// After a commit: the log may have grown long.
    pub(super) fn see_to_log(&mut self) {
        let home = Arc::clone(&self.home.0);
        if let Some(connection) = self.inner() {
            home.log.committed(connection, &home.options);
        }
    }

    /// Rows that a reader of many gets in advance.
    pub(super) fn rows_ahead(&self) -> usize {
        self.home.0.options.rows_ahead
    }

    fn inner(&mut self) -> &mut Option<Connection> {
        self.connection
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.inner().take() else {
            return;
        };
        // One on which SQLite has ended a transaction by itself, because the disk was full or failed, may begin no other: it is
        // closed, and the next gets a new one.
        let is_free = connection.is_autocommit() || super::run(&connection, "ROLLBACK").is_ok();
        if is_free && connection.is_autocommit() && !self.home.0.free.is_closed() {
            self.home.idle().push(connection);
        }
    }
}
