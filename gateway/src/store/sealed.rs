//! Which columns are sealed, and by what a value in them is bound: whoever seals them anew goes through this list. A
//! test fills a store and finds what is sealed and not named here.

use serde_json::Value;

use super::StoreError;
use super::logged;
use super::rows::names;
use super::schema::all_steps;
use super::sql::{Argument, Query, Row, Session, composed};
use super::tables::{Column, Kind, Table, tables_of};
use crate::seal::{FIRST, HEAD, Spot, UNIQUE};

/// The column in which sealed values stand, in every table of the list. In a row that was disposed of it is empty: no key
/// seals that, and whoever looks for what is sealed leaves it out. For the length alone no engine reads a long value.
pub(super) const COLUMN: &str = "sealed";

/// What a sealed value names as its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// The column itself.
    Column,
    /// What stands in another one.
    In(&'static str),
}

/// Table, what is named as the column, and the column that names the row.
const SEALED: [(&str, Bound, &str); 8] = [
    ("input", Bound::Column, "id"),
    ("event", Bound::Column, "id"),
    ("document", Bound::In("kind"), "key"),
    ("decision", Bound::Column, "id"),
    ("outbox", Bound::Column, "id"),
    ("consent_document", Bound::Column, "key"),
    ("evidence", Bound::Column, "hash"),
    ("blob", Bound::Column, "id"),
];

/// A table with sealed values.
#[derive(Debug)]
pub(super) struct Sealed {
    /// Its name.
    pub(super) name: String,
    /// The columns of its primary key after the jurisdiction.
    key: Vec<Column>,
    bound: Bound,
    row: &'static str,
}

/// A row with a sealed value.
#[derive(Debug, Clone)]
pub(super) struct SealedRow {
    /// Its primary key after the jurisdiction.
    pub(super) key: Vec<Argument>,
    /// Bytes of the sealed value.
    pub(super) size: i64,
}

/// A value that was sealed anew.
#[derive(Debug)]
pub(super) struct Anew {
    /// The primary key of its row after the jurisdiction.
    pub(super) key: Vec<Argument>,
    /// How the value began that was read.
    pub(super) head: Vec<u8>,
    /// The new one.
    pub(super) sealed: Vec<u8>,
}

/// A sealed value with what binds it.
#[derive(Debug)]
pub(super) struct SealedValue {
    pub(super) sealed: Vec<u8>,
    column: String,
    row: Vec<u8>,
}

impl SealedValue {
    /// How it begins: no other sealing begins so.
    pub(super) fn head(&self) -> Vec<u8> {
        self.sealed.iter().take(UNIQUE).copied().collect()
    }

    /// The place in which it is sealed.
    pub(super) fn spot<'a>(&'a self, table: &'a str) -> Spot<'a> {
        Spot {
            table,
            column: &self.column,
            row: &self.row,
        }
    }
}

/// The tables with sealed values.
pub(super) async fn sealed_tables() -> Result<Vec<Sealed>, StoreError> {
    let tables = tables_of(&all_steps()).await?;
    let sealed = SEALED.iter().map(|(name, bound, row)| {
        let table: &Table = tables
            .iter()
            .find(|table| table.name == *name)
            .ok_or(StoreError::Shape { kind: "table" })?;
        Ok(Sealed {
            name: table.name.clone(),
            key: table.key.iter().skip(1).cloned().collect(),
            bound: *bound,
            row,
        })
    });
    sealed.collect()
}

impl Sealed {
    /// Whether the audit log binds its rows as they were written.
    pub(super) fn is_logged(&self) -> bool {
        logged::Kind::ALL
            .iter()
            .any(|kind| kind.table() == self.name)
    }

    /// `(a, b)`, or `a` alone, and as many parameters from a number on.
    fn compared(&self, from: usize) -> (String, String) {
        let places = (from..from + self.key.len()).map(|place| format!("${place}"));
        let places = places.collect::<Vec<_>>().join(", ");
        if self.key.len() == 1 {
            (names(&self.key), places)
        } else {
            (format!("({})", names(&self.key)), format!("({places})"))
        }
    }

    /// Rows with a value in the order of the primary key, from behind one on; with none, from the beginning.
    pub(super) fn page_text(&self, is_behind: bool) -> String {
        let (names, table) = (names(&self.key), &self.name);
        let behind = if is_behind {
            let (columns, places) = self.compared(3);
            format!(" AND {columns} > {places}")
        } else {
            String::new()
        };
        format!(
            "SELECT {names}, CAST(length({COLUMN}) AS BIGINT) AS size \
             FROM {table} WHERE jurisdiction = $1{behind} AND length({COLUMN}) > 0 ORDER BY {names} LIMIT $2"
        )
    }

    /// A page of rows behind one.
    pub(super) async fn page(
        &self,
        session: &mut Session,
        jurisdiction: &str,
        behind: Option<Vec<Argument>>,
        most: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let statement = composed(self.page_text(behind.is_some()))
            .bind(jurisdiction)
            .bind(most);
        let statement = bind_all(statement, behind.into_iter().flatten());
        let rows = statement.fetch_all(session).await?;
        let row = |row: &Row| {
            let key = self.key.iter().map(|column| column.value(row));
            Ok(SealedRow {
                key: key.collect::<Result<_, sqlx::Error>>()?,
                size: row.try_get("size")?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// One row's value, by its primary key.
    pub(super) fn value_text(&self) -> String {
        let (columns, places) = self.compared(2);
        let (table, row) = (&self.name, self.row);
        let bound = match self.bound {
            Bound::Column => "",
            Bound::In(column) => column,
        };
        let comma = if bound.is_empty() { "" } else { ", " };
        format!(
            "SELECT {COLUMN}, {row}{comma}{bound} FROM {table} WHERE jurisdiction = $1 AND {columns} = {places}"
        )
    }

    /// The value of a row, if it is still there.
    pub(super) async fn value(
        &self,
        session: &mut Session,
        jurisdiction: &str,
        key: &[Argument],
    ) -> Result<Option<SealedValue>, StoreError> {
        let statement = composed(self.value_text()).bind(jurisdiction);
        let found = bind_all(statement, key.iter().cloned())
            .fetch_optional(session)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let column = match self.bound {
            Bound::Column => COLUMN.to_owned(),
            Bound::In(column) => found.try_get(column)?,
        };
        // A row is named by bytes or by a text.
        let row = match found.try_get::<Vec<u8>>(self.row) {
            Ok(row) => row,
            Err(_) => found.try_get::<String>(self.row)?.into_bytes(),
        };
        let sealed = found.try_get(COLUMN)?;
        Ok(Some(SealedValue {
            sealed,
            column,
            row,
        }))
    }

    /// Writes a value, where the one that was read still stands.
    pub(super) fn write_text(&self) -> String {
        let (columns, places) = self.compared(4);
        let table = &self.name;
        format!(
            "UPDATE {table} SET {COLUMN} = $2 WHERE jurisdiction = $1 AND {columns} = {places} \
             AND substr({COLUMN}, 1, {UNIQUE}) = $3"
        )
    }

    /// Writes a value in the place of the one that was read; nothing when another stands there by now.
    pub(super) async fn write(
        &self,
        session: &mut Session,
        jurisdiction: &str,
        anew: Anew,
    ) -> Result<bool, StoreError> {
        let statement = composed(self.write_text())
            .bind(jurisdiction)
            .bind(anew.sealed)
            .bind(anew.head);
        let written = bind_all(statement, anew.key).execute(session).await?;
        Ok(written > 0)
    }

    /// How many values each key seals: by the first byte of the first form, or else by the bytes of the number.
    pub(super) fn count_text(&self) -> String {
        let (table, number) = (&self.name, HEAD - 1);
        format!(
            "SELECT CASE WHEN substr({COLUMN}, 1, 1) = $2 THEN $2 ELSE substr({COLUMN}, 2, {number}) END AS number, \
             COUNT(*) AS many FROM {table} WHERE jurisdiction = $1 AND length({COLUMN}) > 0 GROUP BY 1"
        )
    }

    /// How many values each key seals; `None` stands for values of no known form.
    pub(super) async fn count(
        &self,
        session: &mut Session,
        jurisdiction: &str,
    ) -> Result<Vec<(Option<u32>, i64)>, StoreError> {
        let rows = composed(self.count_text())
            .bind(jurisdiction)
            .bind(vec![FIRST])
            .fetch_all(session)
            .await?;
        let count = |row: &Row| {
            // Of a value that is too short there are no such bytes, which the engines say each in its way.
            let number: Option<Vec<u8>> = row.try_get("number")?;
            let number = match number.unwrap_or_default().as_slice() {
                [FIRST] => Some(1),
                [a, b, c, d] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
                _ => None,
            };
            Ok((number, row.try_get("many")?))
        };
        rows.iter().map(count).collect()
    }

    /// A primary key as it is kept, to go on from it.
    pub(super) fn key_text(&self, key: &[Argument]) -> String {
        let parts = key.iter().map(|part| match part {
            Argument::Integer(number) => Value::from(*number),
            Argument::Text(text) => Value::from(text.clone()),
            Argument::Bytes(bytes) => Value::from(bytes.as_ref().map(hex::encode)),
        });
        Value::Array(parts.collect()).to_string()
    }

    /// A primary key as it was kept; `None` at the beginning of the table.
    pub(super) fn key_in(&self, text: &str) -> Result<Option<Vec<Argument>>, StoreError> {
        if text.is_empty() {
            return Ok(None);
        }
        let shape = || StoreError::Shape { kind: "resealing" };
        let parts: Vec<Value> = serde_json::from_str(text).map_err(|_| shape())?;
        if parts.len() != self.key.len() {
            return Err(shape());
        }
        let part = |(part, column): (&Value, &Column)| match column.kind {
            Kind::Integer => part.as_i64().map(Argument::from),
            Kind::Text => part.as_str().map(Argument::from),
            Kind::Bytes => hex::decode(part.as_str()?).ok().map(Argument::from),
        };
        let parts = parts.iter().zip(&self.key).map(part);
        let parts: Option<Vec<Argument>> = parts.collect();
        parts.ok_or_else(shape).map(Some)
    }
}

fn bind_all(query: Query, arguments: impl IntoIterator<Item = Argument>) -> Query {
    arguments
        .into_iter()
        .fold(query, |query, argument| query.bind(argument))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::plans::plan_of;
    use super::super::tests::on_sqlite;
    use super::*;

    #[tokio::test]
    async fn rows_are_looked_at_and_written_by_their_primary_key() {
        let place = on_sqlite().await;
        let mut tx = place.store.begin().await.unwrap();
        for table in sealed_tables().await.unwrap() {
            let name = &table.name;
            for (statement, keys) in [
                (table.page_text(false), 1),
                (table.page_text(true), 2),
                (table.value_text(), 1 + table.key.len()),
                (table.write_text(), 1 + table.key.len()),
            ] {
                let steps = plan_of(&mut tx.inner, &statement).await;
                let by_key = format!("SEARCH {name} USING INDEX sqlite_autoindex_{name}_1 (");
                let step = steps.iter().find(|step| step.starts_with(&by_key));
                let step = step.unwrap_or_else(|| panic!("{statement}: {steps:?}"));
                assert!(step.matches('?').count() >= keys, "{statement}: {step}");
                let is_sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
                assert!(!is_sorted, "{statement}: {steps:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_primary_key_is_kept_as_it_is() {
        for table in sealed_tables().await.unwrap() {
            let key: Vec<Argument> = table
                .key
                .iter()
                .map(|column| match column.kind {
                    Kind::Integer => Argument::from(i64::MAX - 1),
                    Kind::Text => Argument::from("a \"kind\""),
                    Kind::Bytes => Argument::from(vec![0_u8, 255, 7]),
                })
                .collect();
            let text = table.key_text(&key);
            let again = table.key_in(&text).unwrap().unwrap();
            assert_eq!(format!("{again:?}"), format!("{key:?}"));
            assert!(table.key_in("").unwrap().is_none());
            assert!(table.key_in("[]").is_err());
        }
    }

    #[tokio::test]
    async fn every_column_of_bytes_is_sealed_anew_or_holds_nothing_that_is_sealed() {
        // Ids, hashes, keyed hashes, keys of commitments and the signs of keys.
        let clear = [
            "audit_leaf.blind",
            "audit_leaf.hash",
            "audit_leaf.id",
            "attempt.decision",
            "attempt.message",
            "blob.id",
            "blob.input",
            "blob.sha256",
            "consent_document.key",
            "decision.id",
            "decision.person",
            "document.key",
            "document_change.key",
            "document_due.key",
            "document_index.key",
            "document_index.value",
            "event.about",
            "event.id",
            "event.input",
            "ingest_key.content_hash",
            "ingest_key.key_hash",
            "input.content_hash",
            "input.id",
            "input.key_hash",
            "key_check.value",
            "outbox.case_key",
            "outbox.decision",
            "outbox.id",
            "replay.id",
            "replay_message.message",
            "replay_message.replay",
            "root_key.sign",
        ];
        let sealed = sealed_tables().await.unwrap();
        let mut known: BTreeSet<String> = clear.map(str::to_owned).into();
        known.extend(
            sealed
                .iter()
                .map(|table| format!("{}.{COLUMN}", table.name)),
        );
        let tables = tables_of(&all_steps()).await.unwrap();
        let there: BTreeSet<String> = tables
            .iter()
            .flat_map(|table| {
                let bytes = table.columns.iter().filter(|one| one.kind == Kind::Bytes);
                bytes.map(|column| format!("{}.{}", table.name, column.name))
            })
            .collect();
        assert_eq!(there, known, "a sealed column belongs into store/sealed.rs");
    }
}
