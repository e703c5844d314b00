//! SQLite in the process. A statement runs where it is asked: it takes microseconds, and a way to another thread and back takes
//! more than that. Only what waits for the disk or reads without end goes to a thread of its own.

mod fault;
mod kept;
mod log;
mod options;
mod pool;
mod row;
mod steps;

use std::borrow::Cow;
use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

pub(super) use self::fault::Fault;
pub(super) use self::options::Options;
pub(super) use self::pool::{Lent, Pool};
pub(super) use self::row::{FromCell, SqliteRow};
use super::sql::{Argument, Query};

/// A transaction; dropped, it is rolled back.
pub(super) struct Transaction {
    lent: Lent,
}

impl Transaction {
    /// Begins one by a statement that does so.
    pub(super) async fn begin(pool: &Pool, statement: &str) -> Result<Self, sqlx::Error> {
        let mut lent = pool.lend().await?;
        lent.run(|connection| run(connection, statement))?;
        Ok(Self { lent })
    }

    /// Begins one that reads, in a snapshot that shows every commit so far.
    pub(super) async fn snapshot(pool: &Pool) -> Result<Self, sqlx::Error> {
        let lent = pool.lend_snapshot().await?;
        Ok(Self { lent })
    }

    /// Makes it durable. The disk is waited for on another thread.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let ended = spawn_blocking(move || self.lent.commit());
        ended.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(super) fn execute(&mut self, query: &Query) -> Result<u64, sqlx::Error> {
        self.lent.run(|connection| {
            let mut statement = connection.prepare_cached(&text(query))?;
            bind(&mut statement, query)?;
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            drop(rows);
            Ok(if statement.readonly() {
                0
            } else {
                connection.changes()
            })
        })
    }

    /// The rows of a statement, as many as are wanted.
    pub(super) fn fetch(
        &mut self,
        query: &Query,
        most: usize,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        self.lent.run(|connection| {
            rows(connection, query, |row| {
                found.push(row);
                if found.len() < most {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })
        })?;
        Ok(found)
    }

    /// Begins to read all rows of a statement on another thread, some in advance. They end with the transaction, which goes on
    /// once they are read.
    pub(super) fn stream(mut self, query: Query) -> Stream {
        let (send, rows_read) = mpsc::channel(self.lent.rows_ahead());
        let reading = spawn_blocking(move || {
            let ended = self.lent.run(|connection| {
                rows(connection, &query, |row| match send.blocking_send(row) {
                    Ok(()) => ControlFlow::Continue(()),
                    // Nobody wants the rest.
                    Err(_) => ControlFlow::Break(()),
                })
            });
            (self, ended)
        });
        Stream { rows_read, reading }
    }
}

/// The rows of a statement, which come one by one.
pub(super) struct Stream {
    rows_read: mpsc::Receiver<SqliteRow>,
    reading: tokio::task::JoinHandle<(Transaction, Result<(), sqlx::Error>)>,
}

impl Stream {
    /// The next row.
    pub(super) async fn next(&mut self) -> Option<SqliteRow> {
        self.rows_read.recv().await
    }

    /// The transaction, and whether all rows that were wanted could be read.
    pub(super) async fn end(self) -> Result<(Transaction, Result<(), sqlx::Error>), sqlx::Error> {
        drop(self.rows_read);
        self.reading.await.map_err(|_| sqlx::Error::WorkerCrashed)
    }
}

/// Runs a statement that has no parameters, from what was prepared before.
fn run(connection: &rusqlite::Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// Gives the rows of a statement one by one until there are none or no more are wanted.
fn rows(
    connection: &rusqlite::Connection,
    query: &Query,
    mut take: impl FnMut(SqliteRow) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&text(query))?;
    bind(&mut statement, query)?;
    let names = SqliteRow::names(&statement);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if take(SqliteRow::of(&names, row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// The text of a statement. A row that can't be inserted fails without a trace of it, and what the statement did before that stays:
/// whoever has written it gives up then. SQLite need not keep each page as it was before the statement, as it does for every insertion that
/// gives its row back (<https://sqlite.org/lang_conflict.html>).
fn text(query: &Query) -> Cow<'_, str> {
    match query.text().strip_prefix("INSERT INTO ") {
        Some(rest) => Cow::Owned(format!("INSERT OR FAIL INTO {rest}")),
        None => Cow::Borrowed(query.text()),
    }
}

/// Gives the parameters their values. SQLite numbers `$2` by where it first stands in the text; its name says which it is.
fn bind(statement: &mut Statement<'_>, query: &Query) -> rusqlite::Result<()> {
    for place in 1..=statement.parameter_count() {
        let name = statement.parameter_name(place).unwrap_or_default();
        let number = name.get(1..).and_then(|number| number.parse().ok());
        let number: usize = number.unwrap_or(place);
        let argument = query.arguments().get(number.wrapping_sub(1));
        let argument =
            argument.ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?;
        statement.raw_bind_parameter(place, argument)?;
    }
    Ok(())
}

impl ToSql for Argument {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(Some(value)) => ValueRef::Integer(*value),
            Self::Text(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(Some(value)) => ValueRef::Blob(value),
            Self::Integer(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}
