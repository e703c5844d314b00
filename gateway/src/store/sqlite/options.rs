//! How a file of SQLite is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::log::Log;

/// How long a statement waits for another process that has locked the file.
const BUSY: Duration = Duration::from_secs(30);
/// Statements that a connection keeps prepared: all that the store has.
const PREPARED: usize = 512;

/// A file, and how it is opened.
#[derive(Debug, Clone)]
pub(in crate::store) struct Options {
    place: Place,
    /// What each connection is told first.
    pragmas: &'static str,
    /// Whether what is committed goes into a log first.
    has_log: bool,
    /// Rows that a reader of many gets in advance.
    pub(super) rows_ahead: usize,
}

#[derive(Debug, Clone)]
enum Place {
    /// Made when it is not there.
    Made(PathBuf),
    /// Only read.
    Read(PathBuf),
    /// Only read, and nobody writes it any more.
    AtRest(PathBuf),
    Memory,
}

impl Options {
    /// A file that is made when it is not there, and keeps what was committed whatever happens.
    pub(in crate::store) fn durable(file: &Path) -> Self {
        // What is deleted is overwritten, also in pages that are free. What is taken back within a transaction comes from memory,
        // else each savepoint writes the pages that follow it to a file.
        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
                       PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384";
        Self {
            has_log: true,
            ..Self::of(Place::Made(file.to_owned()), pragmas)
        }
    }

    /// A file that counts only when it is whole: nothing is synced, and nothing can be taken back.
    pub(in crate::store) fn in_making(file: &Path) -> Self {
        Self::of(Place::Made(file.to_owned()), UNSAFE)
    }

    /// None: rows in memory.
    pub(in crate::store) const fn in_memory() -> Self {
        Self::of(Place::Memory, UNSAFE)
    }

    /// A file that is read.
    pub(in crate::store) fn to_read(file: &Path) -> Self {
        Self::of(Place::Read(file.to_owned()), "")
    }

    /// A file that nobody writes any more.
    pub(in crate::store) fn at_rest(file: &Path) -> Self {
        Self::of(Place::AtRest(file.to_owned()), "")
    }

    const fn of(place: Place, pragmas: &'static str) -> Self {
        Self {
            place,
            pragmas,
            has_log: false,
            rows_ahead: 500,
        }
    }

    /// For rows each of which may be as large as a file.
    pub(in crate::store) const fn of_large_rows(mut self) -> Self {
        self.rows_ahead = 8;
        self
    }

    pub(super) fn open(&self) -> rusqlite::Result<Connection> {
        // Each connection is used by one at a time.
        let read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let made = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.place {
            Place::Made(file) => Connection::open_with_flags(file, made),
            Place::Read(file) => Connection::open_with_flags(file, read),
            Place::AtRest(file) => {
                Connection::open_with_flags(immutable(file)?, read | OpenFlags::SQLITE_OPEN_URI)
            }
            Place::Memory => Connection::open_in_memory(),
        }?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        // A plan is made once, whatever the values: else a statement with a limit is prepared anew each time.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(self.pragmas)?;
        if self.has_log {
            Log::watch(&connection);
        }
        Ok(connection)
    }
}

const UNSAFE: &str =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON";

/// The address of a file beside which nothing is made (<https://sqlite.org/uri.html>).
fn immutable(file: &Path) -> rusqlite::Result<String> {
    let invalid = || rusqlite::Error::InvalidPath(file.to_owned());
    let absolute = std::path::absolute(file).map_err(|_| invalid())?;
    let mut address = url::Url::from_file_path(absolute).map_err(|()| invalid())?;
    address.set_query(Some("immutable=1"));
    Ok(address.into())
}
