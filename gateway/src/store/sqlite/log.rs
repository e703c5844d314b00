//! The log into which SQLite writes what is committed, and how it is copied into the file.
//!
//! SQLite copies it when it commits, so that whoever commits then waits for two disks more, and all others for it. Here a thread
//! beside those who write copies it, again and again until little is left, and whoever commits next copies the rest: then
//! nobody has written meanwhile, and the log can begin anew (<https://sqlite.org/wal.html#checkpointing>).

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Options;

/// Pages in the log at which it is copied.
const MANY: i32 = 4_000;
/// Pages at which whoever commits waits until it is copied: those who write may be faster.
const MOST: i32 = 16_000;
/// Pages by which a log has grown that could not begin anew, since somebody was reading it: then it is tried again.
const MORE: i32 = 1_000;
/// So few pages are left to whoever commits next.
const FEW: i32 = 400;
/// How often the log is copied beside those who write, however fast they are.
const PASSES: usize = 4;

thread_local! {
    /// Pages in the log after this thread's last commit, if it wrote anything.
    static PAGES: Cell<Option<i32>> = const { Cell::new(None) };
}

/// The log of a file.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Copies beside those who write. Ended, the rest is still to be copied.
    copying: Option<JoinHandle<()>>,
    /// Pages after the last commit.
    pages: i32,
    /// Pages at which it is copied next.
    due: i32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            copying: None,
            pages: 0,
            due: MANY,
        }
    }
}

impl Log {
    /// Takes note of what a connection commits. SQLite copies nothing by itself any more.
    pub(super) fn watch(connection: &Connection) {
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(Some(pages));
            Ok(())
        }));
    }

    /// Sees to the log after a commit of this thread, which may wait.
    pub(super) fn committed(&self, connection: &Connection, options: &Options) {
        let Some(pages) = PAGES.take() else {
            return;
        };
        let mut state = self.state();
        if pages < state.pages {
            // It has begun anew.
            state.due = MANY;
        }
        state.pages = pages;
        match state.copying.take() {
            Some(copying) if !copying.is_finished() && pages < MOST => {
                state.copying = Some(copying);
            }
            Some(copying) => {
                // One that ended abnormally has ended.
                let _ended = Handle::current().block_on(copying);
                told(copy(connection));
                state.due = pages.saturating_add(MORE);
            }
            None if pages >= state.due => {
                let options = options.clone();
                state.copying = Some(spawn_blocking(move || told(copy_beside(&options))));
            }
            None => {}
        }
    }

    /// Waits until nobody copies.
    pub(super) async fn at_rest(&self) {
        let copying = self.state().copying.take();
        if let Some(copying) = copying {
            // One that ended abnormally has ended.
            let _ended = copying.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a log that can't be copied costs is room: what was committed is in it. It is tried again.
fn told<T>(copied: rusqlite::Result<T>) {
    if let Err(error) = copied {
        tracing::warn!(%error, "the log of the store could not be copied into its file; it grows until it can");
    }
}

/// Copies as much of the log as nobody is reading. Returns the pages in it, and how many of them are copied.
fn copy(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    let statement = "PRAGMA wal_checkpoint(PASSIVE)";
    connection.query_row(statement, [], |row| Ok((row.get(1)?, row.get(2)?)))
}

fn copy_beside(options: &Options) -> rusqlite::Result<()> {
    let connection = options.open()?;
    let mut before = 0;
    for _ in 0..PASSES {
        let (pages, copied) = copy(&connection)?;
        if pages - before < FEW {
            break;
        }
        before = copied;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Options, Pool, Transaction};
    use super::*;
    use crate::store::sql::query;

    const PAGE: u64 = 4_096;

    fn length(file: &Path) -> u64 {
        std::fs::metadata(file).map_or(0, |metadata| metadata.len())
    }

    async fn write(pool: &Pool, rows: i64) {
        let mut writer = Transaction::begin(pool, "BEGIN IMMEDIATE").await.unwrap();
        for _ in 0..rows {
            let row = query("INSERT INTO t (bytes) VALUES ($1)").bind(vec![7_u8; 4_000]);
            writer.execute(&row).unwrap();
        }
        writer.commit().await.unwrap();
    }

    async fn store(folder: &Path) -> Pool {
        let options = Options::durable(&folder.join("store"));
        let pool = Pool::open(options, 1).await.unwrap();
        let mut writer = Transaction::begin(&pool, "BEGIN IMMEDIATE").await.unwrap();
        let table = query("CREATE TABLE t (number INTEGER PRIMARY KEY, bytes BLOB)");
        writer.execute(&table).unwrap();
        writer.commit().await.unwrap();
        pool
    }

    #[tokio::test]
    async fn log_stays_small_however_much_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let pool = store(folder.path()).await;
        for _ in 0..120 {
            write(&pool, 250).await;
        }
        let log = length(&folder.path().join("store-wal"));
        let pages = |pages: i32| u64::from(pages.unsigned_abs()) * PAGE;
        assert!(log > pages(MANY), "{log}");
        // All that was written is nearly twice as much.
        assert!(log < pages(MOST + 500), "{log}");
        pool.close().await;
        assert_eq!(length(&folder.path().join("store-wal")), 0);
    }

    #[tokio::test]
    async fn log_that_somebody_reads_is_copied_once_he_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let pool = store(folder.path()).await;
        let file = folder.path().join("store");
        let readers = Pool::open(Options::to_read(&file), 1).await.unwrap();
        let mut reader = Transaction::begin(&readers, "BEGIN").await.unwrap();
        let count = || query("SELECT COUNT(*) FROM t");
        assert_eq!(reader.fetch(&count(), 1).unwrap().len(), 1);
        for _ in 0..40 {
            write(&pool, 250).await;
        }
        let before = length(&file);
        assert!(before < 1_000 * PAGE, "{before}");
        drop(reader);
        for _ in 0..40 {
            write(&pool, 250).await;
        }
        let after = length(&file);
        assert!(after > 10_000 * PAGE, "{after}");
        readers.close().await;
        pool.close().await;
    }
}
