//! The rows of a table as a whole: read in the order of its key, summed, and written. What is copied from one engine to
//! the other has the same sum on both.

use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::copying::{CopyError, Watch};
use super::sql::{Argument, Row, Session, composed};
use super::tables::{Column, Kind, Table};

/// Rows that one statement writes.
const AT_ONCE: usize = 50;
/// Bytes after which fewer rows are written by one statement.
const ENOUGH: usize = 1 << 20;

/// How much stands in a table, and what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSum {
    /// Rows.
    pub rows: u64,
    /// SHA-256 over every column of every row, in the order of the key, in hexadecimal digits.
    pub sha256: String,
}

/// Sums rows as they come.
struct Summing {
    hash: Sha256,
    rows: u64,
}

impl Summing {
    fn of(table: &Table) -> Self {
        let mut summing = Self {
            hash: Sha256::new(),
            rows: 0,
        };
        summing.part(0, table.name.as_bytes());
        for column in &table.columns {
            summing.part(0, column.name.as_bytes());
        }
        summing
    }

    /// Each value with its type and length, so that no two rows read alike.
    fn part(&mut self, kind: u8, bytes: &[u8]) {
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    fn row(&mut self, values: &[Argument]) {
        for value in values {
            match value {
                Argument::Integer(Some(number)) => self.part(1, &number.to_be_bytes()),
                Argument::Text(Some(text)) => self.part(2, text.as_bytes()),
                Argument::Bytes(Some(bytes)) => self.part(3, bytes),
                Argument::Integer(None) | Argument::Text(None) | Argument::Bytes(None) => {
                    self.part(4, &[]);
                }
            }
        }
        self.rows += 1;
    }

    fn sum(self) -> TableSum {
        TableSum {
            rows: self.rows,
            sha256: hex::encode(self.hash.finalize()),
        }
    }
}

/// Writes rows, some with each statement.
struct Writing<'a> {
    table: &'a Table,
    session: &'a mut Session,
    values: Vec<Argument>,
    bytes: usize,
}

impl Writing<'_> {
    async fn row(&mut self, values: Vec<Argument>) -> Result<(), sqlx::Error> {
        self.bytes += values.iter().map(size).sum::<usize>();
        self.values.extend(values);
        if self.values.len() >= AT_ONCE * self.table.columns.len() || self.bytes >= ENOUGH {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), sqlx::Error> {
        let (columns, count) = (self.table.columns.len(), self.values.len());
        let rows = (0..count).step_by(columns).map(|start| {
            let places = (start + 1..=start + columns).map(|place| format!("${place}"));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        if rows.is_empty() {
            return Ok(());
        }
        let (table, names) = (&self.table.name, names(&self.table.columns));
        let mut statement = composed(format!("INSERT INTO {table} ({names}) VALUES {rows}"));
        for value in self.values.drain(..) {
            statement = statement.bind(value);
        }
        self.bytes = 0;
        statement.execute(self.session).await?;
        Ok(())
    }
}

fn size(value: &Argument) -> usize {
    match value {
        Argument::Integer(_) => 8,
        Argument::Text(text) => text.as_ref().map_or(0, String::len),
        Argument::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
    }
}

pub(super) fn names(columns: &[Column]) -> String {
    let names = columns.iter().map(|column| column.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

impl Column {
    /// What a row has in the column.
    pub(super) fn value(&self, row: &Row) -> Result<Argument, sqlx::Error> {
        let name = self.name.as_str();
        Ok(match self.kind {
            Kind::Integer => Argument::Integer(row.try_get(name)?),
            Kind::Text => Argument::Text(row.try_get(name)?),
            Kind::Bytes => Argument::Bytes(row.try_get(name)?),
        })
    }
}

fn values(row: &Row, table: &Table) -> Result<Vec<Argument>, sqlx::Error> {
    let values = table.columns.iter().map(|column| column.value(row));
    values.collect()
}

impl Table {
    fn error(&self, error: impl Into<StoreError>) -> CopyError {
        CopyError::Table {
            table: self.name.clone(),
            error: Box::new(error.into()),
        }
    }

    /// Gives each row of a jurisdiction in the order of the key: that of bytes and numbers, whatever the language of
    /// the database.
    async fn for_each(
        &self,
        session: &mut Session,
        jurisdiction: &str,
        take: impl AsyncFnMut(Row) -> Result<(), sqlx::Error>,
    ) -> Result<(), CopyError> {
        let by_bytes = if session.is_postgres() {
            " COLLATE \"C\""
        } else {
            ""
        };
        let order = self.key.iter().map(|column| match column.kind {
            Kind::Text => format!("{}{by_bytes}", column.name),
            Kind::Integer | Kind::Bytes => column.name.clone(),
        });
        let order = order.collect::<Vec<_>>().join(", ");
        let (table, names) = (&self.name, names(&self.columns));
        composed(format!(
            "SELECT {names} FROM {table} WHERE jurisdiction = $1 ORDER BY {order}"
        ))
        .bind(jurisdiction)
        .for_each(session, take)
        .await
        .map_err(|error| self.error(error))
    }

    /// The sum of what a jurisdiction has in the table.
    pub(super) async fn sum(
        &self,
        session: &mut Session,
        jurisdiction: &str,
    ) -> Result<TableSum, CopyError> {
        let mut summing = Summing::of(self);
        self.for_each(session, jurisdiction, async |row| {
            summing.row(&values(&row, self)?);
            Ok(())
        })
        .await?;
        Ok(summing.sum())
    }

    /// Writes what a jurisdiction has in the table of one store into that of another. The sum of what was read.
    pub(super) async fn copy(
        &self,
        from: &mut Session,
        to: &mut Session,
        jurisdiction: &str,
        watch: Watch<'_>,
    ) -> Result<TableSum, CopyError> {
        let mut summing = Summing::of(self);
        let mut writing = Writing {
            table: self,
            session: to,
            values: Vec::new(),
            bytes: 0,
        };
        self.for_each(from, jurisdiction, async |row| {
            let values = values(&row, self)?;
            summing.row(&values);
            watch(&self.name, summing.rows);
            writing.row(values).await
        })
        .await?;
        writing.flush().await.map_err(|error| self.error(error))?;
        Ok(summing.sum())
    }

    /// Whether a jurisdiction has anything in the table.
    pub(super) async fn has_rows(
        &self,
        session: &mut Session,
        jurisdiction: &str,
    ) -> Result<bool, CopyError> {
        let table = &self.name;
        let found = composed(format!(
            "SELECT jurisdiction FROM {table} WHERE jurisdiction = $1 LIMIT 1"
        ))
        .bind(jurisdiction)
        .fetch_optional(session)
        .await;
        Ok(found.map_err(|error| self.error(error))?.is_some())
    }

    /// Removes what a jurisdiction has in the table.
    pub(super) async fn clear(
        &self,
        session: &mut Session,
        jurisdiction: &str,
    ) -> Result<(), CopyError> {
        let table = &self.name;
        composed(format!("DELETE FROM {table} WHERE jurisdiction = $1"))
            .bind(jurisdiction)
            .execute(session)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }
}
