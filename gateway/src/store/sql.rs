//! Statements that both engines take: SQLite in the process, and PostgreSQL.
//!
//! The dialect is what the two have in common: numbered parameters, `ON CONFLICT`, 64-bit integers, text and bytes. A value is one
//! of these three or absent; whatever else a caller has, it says in them.

use futures::TryStreamExt as _;
use sqlx::error::ErrorKind;
use sqlx::postgres::PgRow;
use sqlx::{
    Column as _, Connection as _, Decode, Postgres, Row as _, SqlSafeStr as _, SqlStr, Type,
    TypeInfo as _, ValueRef as _,
};

use super::sqlite::{self, FromCell, SqliteRow};

/// A transaction of one of the engines.
pub(super) struct Session {
    pub(super) open: Open,
    /// Whether a statement failed in a way that took the engine's transaction with it.
    broken: bool,
    /// Whether a mark was set in it.
    marked: bool,
    /// What is known of it.
    pub(super) known: Known,
}

/// What was found out in a transaction and holds until somebody in it changes it: nobody else writes meanwhile.
#[derive(Default)]
pub(super) struct Known {
    /// The position of the next leaf of the audit log.
    pub(super) next_leaf: Option<i64>,
    /// The position of the last event.
    pub(super) last_event: Option<i64>,
    /// The rules that were started last, if any were.
    pub(super) started_rules: Option<Option<String>>,
}

/// What an engine holds of a transaction.
pub(super) enum Open {
    /// SQLite.
    Sqlite(sqlite::Transaction),
    /// PostgreSQL.
    Postgres(sqlx::Transaction<'static, Postgres>),
    /// Nothing: it is over, or somebody else's by now.
    Ended,
}

impl Session {
    /// Goes on with what an engine has begun.
    pub(super) fn of(open: Open) -> Self {
        Self {
            open,
            broken: false,
            marked: false,
            known: Known::default(),
        }
    }

    /// Whether it is PostgreSQL's.
    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self.open, Open::Postgres(_))
    }

    /// Whether nothing of it can become durable any more.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// One that is over.
    pub(super) fn over() -> Self {
        Self::of(Open::Ended)
    }

    /// Whether it is over, or somebody else's by now.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.open, Open::Ended)
    }

    /// Takes what was begun out of it.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::over())
    }

    /// Makes everything durable.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.open {
            Open::Sqlite(transaction) if !self.broken => transaction.commit().await,
            Open::Postgres(transaction) if !self.broken => Box::pin(transaction.commit()).await,
            _ => Err(over()),
        }
    }

    /// Sets a mark in the transaction to which it can be taken back. It takes the place of an earlier one.
    pub(super) async fn mark(&mut self) -> Result<(), sqlx::Error> {
        // SQLite looks through all marks at each page that it writes; PostgreSQL would be asked once more for nothing.
        if std::mem::replace(&mut self.marked, true) && !self.is_postgres() {
            query("RELEASE SAVEPOINT writer").execute(self).await?;
        }
        query("SAVEPOINT writer").execute(self).await?;
        Ok(())
    }

    /// Takes everything back that was written since the last mark; the mark stays.
    pub(super) async fn back_to_mark(&mut self) -> Result<(), sqlx::Error> {
        self.back_to("ROLLBACK TO SAVEPOINT writer").await
    }

    /// Goes back to a savepoint, by a statement that names it. A failed statement after it is taken back as well.
    pub(super) async fn back_to(&mut self, savepoint: &'static str) -> Result<(), sqlx::Error> {
        self.known = Known::default();
        query(savepoint).execute(self).await?;
        self.broken = false;
        Ok(())
    }

    /// What came of a statement.
    async fn checked<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if let Err(error) = &done {
            self.failed(error);
            if is_outdated(error) {
                self.forget_statements().await;
            }
        }
        done
    }

    /// Has the connection prepare its statements anew.
    async fn forget_statements(&mut self) {
        if let Open::Postgres(transaction) = &mut self.open {
            // A connection that can't is closed, and prepares nothing any more.
            let _closed = Box::pin(transaction.clear_cached_statements()).await;
        }
    }

    /// After this SQLite may have rolled the whole transaction back by itself (a full disk, a failed read), and PostgreSQL takes
    /// nothing more up to the last mark.
    fn failed(&mut self, error: &sqlx::Error) {
        let is_constraint = error
            .as_database_error()
            .is_some_and(|error| error.kind() != ErrorKind::Other);
        self.broken |= self.is_postgres() || !is_constraint;
    }
}

/// A transaction whose end is behind it.
fn over() -> sqlx::Error {
    sqlx::Error::Protocol("the transaction has failed or ended".to_owned())
}

/// Whether a statement was prepared before a later version of the program added columns to what it gives: PostgreSQL refuses it until it
/// is prepared anew (`feature_not_supported`, "cached plan must not change result type").
fn is_outdated(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.and_then(|error| error.code()).as_deref() == Some("0A000")
}

/// A value of a parameter.
#[derive(Debug, Clone)]
pub(super) enum Argument {
    /// A 64-bit integer.
    Integer(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

macro_rules! argument {
    ($($kind:ident: $($from:ty)+ => $into:expr;)+) => {$($(
        impl From<$from> for Argument {
            fn from(value: $from) -> Self {
                Self::$kind(Some($into(value)))
            }
        }
        impl From<Option<$from>> for Argument {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map($into))
            }
        }
    )+)+};
}

argument! {
    Integer: i64 u32 i32 => Into::into;
    Text: &str &String String => Into::into;
    Bytes: &[u8] Vec<u8> => Into::into;
}

/// A statement with its arguments.
#[derive(Debug)]
pub(super) struct Query {
    text: SqlStr,
    arguments: Vec<Argument>,
}

/// A statement of which the first column of a row is wanted.
#[derive(Debug)]
pub(super) struct Scalar(Query);

/// A statement.
pub(super) const fn query(text: &'static str) -> Query {
    Query {
        text: SqlStr::from_static(text),
        arguments: Vec::new(),
    }
}

/// A statement that is put together of the names in the schema, and of nothing else.
pub(super) fn composed(text: String) -> Query {
    Query {
        text: sqlx::AssertSqlSafe(text).into_sql_str(),
        arguments: Vec::new(),
    }
}

/// A statement of which the first column of a row is wanted.
pub(super) const fn query_scalar(text: &'static str) -> Scalar {
    Scalar(query(text))
}

/// A statement of PostgreSQL with its arguments. What it waits in is boxed, here and where transactions begin and end: it takes
/// kilobytes, which else everything carries that asks the store, on SQLite as well.
macro_rules! bound {
    ($query:expr) => {{
        let mut statement = sqlx::query::<Postgres>($query.text);
        for argument in $query.arguments {
            statement = match argument {
                Argument::Integer(value) => statement.bind(value),
                Argument::Text(value) => statement.bind(value),
                Argument::Bytes(value) => statement.bind(value),
            };
        }
        statement
    }};
}

impl Query {
    /// The statement with the value of its next parameter.
    pub(super) fn bind(mut self, value: impl Into<Argument>) -> Self {
        self.arguments.push(value.into());
        self
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The values of its parameters, in their order.
    pub(super) fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// Runs it. Returns how many rows it changed.
    pub(super) async fn execute(self, session: &mut Session) -> Result<u64, sqlx::Error> {
        let done = match &mut session.open {
            Open::Sqlite(transaction) => transaction.execute(&self),
            Open::Postgres(transaction) => {
                let done = Box::pin(bound!(self).execute(&mut **transaction)).await;
                done.map(|done| done.rows_affected())
            }
            Open::Ended => Err(over()),
        };
        session.checked(done).await
    }

    /// All rows.
    pub(super) async fn fetch_all(self, session: &mut Session) -> Result<Vec<Row>, sqlx::Error> {
        let found = match &mut session.open {
            Open::Sqlite(transaction) => {
                let rows = transaction.fetch(&self, usize::MAX);
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Open::Postgres(transaction) => {
                let rows = Box::pin(bound!(self).fetch_all(&mut **transaction)).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
            Open::Ended => Err(over()),
        };
        session.checked(found).await
    }

    /// Gives each row in turn, so that a table of any size is gone through.
    pub(super) async fn for_each<E: From<sqlx::Error>>(
        self,
        session: &mut Session,
        mut take: impl AsyncFnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        match session.take().open {
            Open::Sqlite(transaction) => {
                let mut rows = transaction.stream(self);
                let mut taken = Ok(());
                while taken.is_ok()
                    && let Some(row) = rows.next().await
                {
                    taken = take(Row::Sqlite(row)).await;
                }
                let (transaction, ended) = rows.end().await?;
                *session = Session::of(Open::Sqlite(transaction));
                taken?;
                session.checked(ended).await?;
            }
            Open::Postgres(mut transaction) => {
                let mut rows = bound!(self).fetch(&mut *transaction);
                while let Some(row) = rows.try_next().await? {
                    take(Row::Postgres(row)).await?;
                }
                drop(rows);
                *session = Session::of(Open::Postgres(transaction));
            }
            Open::Ended => return Err(over().into()),
        }
        Ok(())
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional(
        self,
        session: &mut Session,
    ) -> Result<Option<Row>, sqlx::Error> {
        let found = match &mut session.open {
            Open::Sqlite(transaction) => {
                let rows = transaction.fetch(&self, 1);
                rows.map(|mut rows| rows.pop().map(Row::Sqlite))
            }
            Open::Postgres(transaction) => {
                let row = Box::pin(bound!(self).fetch_optional(&mut **transaction)).await;
                row.map(|row| row.map(Row::Postgres))
            }
            Open::Ended => Err(over()),
        };
        session.checked(found).await
    }

    /// The first row.
    pub(super) async fn fetch_one(self, session: &mut Session) -> Result<Row, sqlx::Error> {
        let row = self.fetch_optional(session).await?;
        row.ok_or(sqlx::Error::RowNotFound)
    }
}

impl Scalar {
    /// The statement with the value of its next parameter.
    pub(super) fn bind(self, value: impl Into<Argument>) -> Self {
        Self(self.0.bind(value))
    }

    /// The value of the first row.
    pub(super) async fn fetch_one<T: Owned>(self, session: &mut Session) -> Result<T, sqlx::Error> {
        self.0.fetch_one(session).await?.first()
    }

    /// The value of the first row, if there is one.
    pub(super) async fn fetch_optional<T: Owned>(
        self,
        session: &mut Session,
    ) -> Result<Option<T>, sqlx::Error> {
        let row = self.0.fetch_optional(session).await?;
        row.map(|row| row.first()).transpose()
    }
}

/// What a column of either engine may be read as.
pub(super) trait Read<'r>: FromCell<'r> + Decode<'r, Postgres> + Type<Postgres> {}
impl<'r, T> Read<'r> for T where T: FromCell<'r> + Decode<'r, Postgres> + Type<Postgres> {}

/// What may be read and kept longer than its row.
pub(super) trait Owned: for<'r> Read<'r> {}
impl<T> Owned for T where T: for<'r> Read<'r> {}

/// A row of either engine.
pub(super) enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// A column by its name. The statements of this folder and the schema name it alike; what an operator's own hand put
    /// there reads [`Row::try_get`].
    #[expect(
        clippy::panic,
        reason = "a statement that names its columns wrongly fails its first test"
    )]
    pub(super) fn get<'r, T: Read<'r>>(&'r self, column: &str) -> T {
        match self.try_get(column) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    /// A column by its name.
    pub(super) fn try_get<'r, T: Read<'r>>(&'r self, column: &str) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    fn first<T: Owned>(&self) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.at(0),
            Self::Postgres(row) => row.try_get(0),
        }
    }
}

/// A value as it stands in a row.
pub(super) enum Cell {
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Anything else, by its bytes.
    Bytes(Vec<u8>),
}

impl Row {
    /// The values that the row holds, by the names of their columns; absent ones are left out.
    pub(super) fn cells(self) -> Result<Vec<(String, Cell)>, sqlx::Error> {
        let row = match self {
            Self::Sqlite(row) => return Ok(row.into_cells()),
            Self::Postgres(row) => row,
        };
        let mut cells = Vec::new();
        for column in row.columns() {
            let at = column.ordinal();
            let raw = row.try_get_raw(at)?;
            if raw.is_null() {
                continue;
            }
            let value = match raw.type_info().name() {
                // Text that is none was put there by somebody else: its bytes are compared like any others.
                "TEXT" => match row.try_get_unchecked(at) {
                    Ok(text) => Cell::Text(text),
                    Err(_) => Cell::Bytes(row.try_get_unchecked(at)?),
                },
                "INT8" => Cell::Integer(row.try_get_unchecked(at)?),
                // No column of these tables is of another type; one that is was put there by somebody else.
                _ => Cell::Bytes(row.try_get_unchecked(at)?),
            };
            cells.push((column.name().to_owned(), value));
        }
        Ok(cells)
    }
}
