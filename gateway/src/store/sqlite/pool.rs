//! Connections to one file, each lent to one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::super::engine::PATIENCE;
use super::kept::{Kept, Taken};
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
    /// Those that are idle in a snapshot, where one is left open for the next reader.
    kept: Option<Kept>,
    /// Those who read what is written here.
    readers: Option<Pool>,
    most: u32,
    free: Arc<Semaphore>,
}

/// A connection on loan. It goes back without an open transaction, or in a snapshot in which the next may read.
pub(in crate::store) struct Lent {
    /// A connection may move between threads, and only one at a time may look at it.
    connection: Mutex<Option<Connection>>,
    home: Pool,
    /// When its snapshot was taken, in which the next may go on.
    taken: Option<Taken>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// At most so many connections; the first is made at once.
    pub(in crate::store) async fn open(options: Options, most: u32) -> Result<Self, sqlx::Error> {
        let pool = Self::new(options, most, None, None);
        pool.connect().await?;
        Ok(pool)
    }

    /// Connections of those who read in snapshots what a writer writes; none is made yet.
    pub(in crate::store) fn of_readers(options: Options, most: u32) -> Self {
        Self::new(options, most, Some(Kept::default()), None)
    }

    /// The connection of who writes, made at once; readers hear of each commit.
    pub(in crate::store) async fn of_writer(
        options: Options,
        readers: &Self,
    ) -> Result<Self, sqlx::Error> {
        let pool = Self::new(options, 1, None, Some(readers.clone()));
        pool.connect().await?;
        Ok(pool)
    }

    fn new(options: Options, most: u32, kept: Option<Kept>, readers: Option<Self>) -> Self {
        let free = Semaphore::new(usize::try_from(most).unwrap_or(1));
        Self(Arc::new(Connections {
            options,
            log: Log::default(),
            idle: Mutex::default(),
            kept,
            readers,
            most,
            free: Arc::new(free),
        }))
    }

    /// Makes the first connection.
    pub(in crate::store) async fn connect(&self) -> Result<(), sqlx::Error> {
        self.lend().await.map(drop)
    }

    /// A connection; waits for one while all are lent.
    pub(in crate::store) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let permit = self.permit().await?;
        self.lend_idle(permit).await
    }

    /// A connection in a snapshot that shows every commit so far; waits for one while all are lent.
    pub(in crate::store) async fn lend_snapshot(&self) -> Result<Lent, sqlx::Error> {
        let permit = self.permit().await?;
        match self.0.kept.as_ref().and_then(Kept::next) {
            Some((connection, Some(taken))) => {
                return Ok(self.lent(connection, Some(taken), permit));
            }
            Some((connection, None)) => self.take_back(connection),
            None => {}
        }
        let mut lent = self.lend_idle(permit).await?;
        let taken = self.0.kept.as_ref().map(Kept::now);
        lent.run(|connection| super::run(connection, "BEGIN"))?;
        lent.taken = taken;
        Ok(lent)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let free = Arc::clone(&self.0.free).acquire_owned();
        let permit = tokio::time::timeout(PATIENCE, free).await;
        let permit = permit.map_err(|_| sqlx::Error::PoolTimedOut)?;
        permit.map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn lend_idle(&self, permit: OwnedSemaphorePermit) -> Result<Lent, sqlx::Error> {
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
        Ok(self.lent(connection, None, permit))
    }

    fn lent(
        &self,
        connection: Connection,
        taken: Option<Taken>,
        permit: OwnedSemaphorePermit,
    ) -> Lent {
        Lent {
            connection: Mutex::new(Some(connection)),
            home: self.clone(),
            taken,
            _permit: permit,
        }
    }

    /// Ends the snapshots that nobody uses.
    fn let_go(&self) {
        let kept = self.0.kept.iter().flat_map(Kept::let_go);
        kept.for_each(|connection| self.take_back(connection));
    }

    /// Somebody who writes here has committed: what those who read left open from before is over.
    pub(super) fn has_committed(&self) {
        if let Some(readers) = &self.0.readers {
            readers.0.kept.iter().for_each(Kept::committed);
            readers.let_go();
        }
    }

    /// Takes a connection back without its transaction. One on which SQLite has ended a transaction by itself, because the disk was
    /// full or failed, may begin no other: it is closed, and the next gets a new one.
    fn take_back(&self, connection: Connection) {
        let is_free = connection.is_autocommit() || super::run(&connection, "ROLLBACK").is_ok();
        if is_free && connection.is_autocommit() && !self.0.free.is_closed() {
            self.idle().push(connection);
        }
    }

    /// Closes all connections, once those that are lent are back.
    pub(in crate::store) async fn close(&self) {
        if let Ok(all) = self.0.free.acquire_many(self.0.most).await {
            all.forget();
        }
        self.0.free.close();
        self.0.log.at_rest().await;
        self.idle().clear();
        self.let_go();
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
        let worked = match self.inner() {
            Some(connection) => work(connection).map_err(Fault::of),
            None => Err(sqlx::Error::PoolClosed),
        };
        if worked.is_err() {
            self.taken = None;
        }
        worked
    }

    /// Makes what was written durable.
    pub(super) fn commit(&mut self) -> Result<(), sqlx::Error> {
        let home = self.home.clone();
        // The log can begin anew only while nobody reads it.
        home.0.readers.iter().for_each(Pool::let_go);
        let committed = self.run(|connection| super::run(connection, "COMMIT"));
        home.has_committed();
        if let (Ok(()), Some(connection)) = (&committed, self.inner()) {
            home.0.log.committed(connection, &home.0.options);
        }
        committed
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
        let connection = match (&self.home.0.kept, self.taken) {
            (Some(kept), Some(taken)) if !connection.is_autocommit() => {
                kept.keep(connection, taken)
            }
            _ => Some(connection),
        };
        if let Some(connection) = connection {
            self.home.take_back(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Transaction;
    use super::*;
    use crate::store::sql::query;

    /// A pool that writes and one that reads.
    async fn pools(folder: &Path) -> (Pool, Pool) {
        let file = folder.join("store");
        let readers = Pool::of_readers(Options::to_read(&file), 8);
        let writer = Pool::of_writer(Options::durable(&file), &readers);
        let writer = writer.await.unwrap();
        write(&writer, "CREATE TABLE t (bytes BLOB)").await;
        (writer, readers)
    }

    async fn write(pool: &Pool, statement: &'static str) {
        let mut tx = Transaction::begin(pool, "BEGIN IMMEDIATE").await.unwrap();
        tx.execute(&query(statement)).unwrap();
        tx.commit().await.unwrap();
    }

    const ROW: &str = "INSERT INTO t (bytes) VALUES (zeroblob(4000))";

    fn count(tx: &mut Transaction) -> i64 {
        let rows = tx.fetch(&query("SELECT COUNT(*) FROM t"), 1).unwrap();
        rows[0].at(0).unwrap()
    }

    /// Snapshots that are open for the next reader.
    fn kept(readers: &Pool) -> usize {
        let kept = readers.0.kept.as_ref().unwrap();
        let all = kept.let_go();
        let many = all.len();
        all.into_iter()
            .for_each(|connection| readers.take_back(connection));
        many
    }

    #[tokio::test]
    async fn a_snapshot_shows_every_commit_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = pools(folder.path()).await;
        for rows in 1..20 {
            write(&writer, ROW).await;
            for _ in 0..3 {
                let mut one = Transaction::snapshot(&readers).await.unwrap();
                let mut other = Transaction::snapshot(&readers).await.unwrap();
                assert_eq!((count(&mut one), count(&mut other)), (rows, rows));
            }
        }
    }

    #[tokio::test]
    async fn a_snapshot_shows_the_steps_of_the_schema_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = pools(folder.path()).await;
        assert_eq!(
            count(&mut Transaction::snapshot(&readers).await.unwrap()),
            0
        );
        let steps = sqlx::migrate!("./migrations");
        writer.take(&steps).await.unwrap();
        let mut tx = Transaction::snapshot(&readers).await.unwrap();
        assert!(tx.execute(&query("SELECT id FROM input")).is_ok());
    }

    #[tokio::test]
    async fn a_snapshot_is_kept_until_somebody_commits() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = pools(folder.path()).await;
        let mut early = Transaction::snapshot(&readers).await.unwrap();
        assert_eq!(count(&mut early), 0);
        drop(Transaction::snapshot(&readers).await.unwrap());
        assert_eq!(kept(&readers), 1);
        drop(Transaction::snapshot(&readers).await.unwrap());
        write(&writer, ROW).await;
        assert_eq!(kept(&readers), 0);
        // It goes on to show what it showed, and nobody goes on in it.
        assert_eq!(count(&mut early), 0);
        drop(early);
        assert_eq!(kept(&readers), 0);
    }

    #[tokio::test]
    async fn a_snapshot_in_which_a_statement_failed_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, readers) = pools(folder.path()).await;
        let mut tx = Transaction::snapshot(&readers).await.unwrap();
        assert!(tx.execute(&query("SELECT no FROM t")).is_err());
        drop(tx);
        assert_eq!(kept(&readers), 0);
    }

    #[tokio::test]
    async fn log_begins_anew_although_somebody_always_reads() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = pools(folder.path()).await;
        for _ in 0..600 {
            let mut tx = Transaction::begin(&writer, "BEGIN IMMEDIATE")
                .await
                .unwrap();
            for _ in 0..50 {
                tx.execute(&query(ROW)).unwrap();
            }
            let mut reader = Transaction::snapshot(&readers).await.unwrap();
            let _rows = count(&mut reader);
            drop(reader);
            tx.commit().await.unwrap();
        }
        // All that was written is twice as much as a log that can't begin anew may have.
        let log = std::fs::metadata(folder.path().join("store-wal")).unwrap();
        assert!(log.len() < 17_000 * 4_096, "{}", log.len());
    }
}
