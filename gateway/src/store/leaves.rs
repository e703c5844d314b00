//! The leaves of the audit log: each record that [`Logged`] names gets one in the transaction that writes it, so that
//! the log misses none.
//!
//! A leaf binds its record's row as it stands in the table, column by column, sealed columns as they were sealed first:
//! a value that is sealed anew keeps that form inside. It is made from the row that was written, not from what was meant
//! to be written: a column that a later version adds is bound without a word here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tandem_audit::{Blind, Code, Columns, Field, Hash, Leaf, Opening, Value, leaf_hash};

use super::logged::{Kind, Logged};
use super::sealed::COLUMN;
use super::sql::{Cell, Row, query, query_scalar};
use super::tx::uuid;
use super::{StoreError, Tx};
use crate::seal::{Spot, fill_random};

/// A stored leaf, as it is: nothing of it is believed.
#[derive(Debug, Clone)]
pub struct LeafRow {
    /// Index in the tree, from 0.
    pub position: i64,
    /// The record, when the row names one.
    pub logged: Option<Logged>,
    /// The key of the commitments, when it is there.
    pub blind: Option<Blind>,
    /// The line.
    pub leaf: String,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The audit entry by which its record was disposed of.
    pub disposed: Option<i64>,
}

impl Tx {
    /// Gives a record that stands in the store its leaf.
    ///
    /// # Errors
    /// When the store fails, or the record is not there.
    async fn log(&mut self, logged: Logged) -> Result<(), StoreError> {
        let (columns, stored) = self.columns(&logged).await?.ok_or_else(shape)?;
        let record = self.record(&logged, stored)?;
        self.add_leaf(&logged, columns, record).await
    }

    /// Gives a record its leaf, by the row as the store has written it, and by what its sealed value holds in clear where the
    /// leaf commits to that.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn log_written(
        &mut self,
        logged: &Logged,
        written: Row,
        record: Option<String>,
    ) -> Result<(), StoreError> {
        self.add_leaf(logged, columns_of(written)?, record).await
    }

    async fn add_leaf(
        &mut self,
        logged: &Logged,
        columns: Columns,
        record: Option<String>,
    ) -> Result<(), StoreError> {
        let position = match self.inner.known.next_leaf {
            Some(position) => position,
            None => query_scalar(
                "SELECT COALESCE(MAX(position), -1) + 1 FROM audit_leaf WHERE jurisdiction = $1",
            )
            .bind(self.jurisdiction())
            .fetch_one(&mut self.inner)
            .await?,
        };
        let mut key = [0; 32];
        fill_random(&mut key)?;
        let blind = Blind::new(key);
        let opening = opening(position, logged, columns, blind.clone(), record)?;
        let line = leaf(logged, &opening)?.to_string();
        query(
            "INSERT INTO audit_leaf (jurisdiction, position, kind, number, id, name, blind, leaf, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .bind(logged.kind().code())
        .bind(logged.number())
        .bind(logged.id())
        .bind(logged.name())
        .bind(blind.as_bytes().as_slice())
        .bind(&line)
        .bind(leaf_hash(&line).as_slice())
        .execute(&mut self.inner)
        .await?;
        self.inner.known.next_leaf = position.checked_add(1);
        self.logged += 1;
        Ok(())
    }

    /// The row of a record, column by column, and its sealed value as it is stored. Among the columns it stands as it
    /// was sealed first, when the leaf was made. A value that does not open stands as it is: it differs from the leaf.
    async fn columns(
        &mut self,
        logged: &Logged,
    ) -> Result<Option<(Columns, Option<Vec<u8>>)>, StoreError> {
        let row = query(logged.kind().row())
            .bind(self.jurisdiction())
            .bind(logged.number())
            .bind(logged.id())
            .bind(logged.name())
            .fetch_optional(&mut self.inner)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = columns_of(row)?;
        let Some(Value::Bytes(sealed)) = columns.0.get_mut(COLUMN) else {
            return Ok(Some((columns, None)));
        };
        let stored = sealed.clone();
        let id = logged.id();
        let named = || logged.name().unwrap_or_default().as_bytes();
        let spot = Spot {
            table: logged.kind().table(),
            column: COLUMN,
            row: id.as_deref().unwrap_or_else(named),
        };
        if let Ok(Cow::Owned(first)) = self.sealer.first_form(spot, &stored) {
            *sealed = first;
        }
        Ok(Some((columns, Some(stored))))
    }

    /// What the sealed value of a decision holds in clear.
    fn record(
        &self,
        logged: &Logged,
        stored: Option<Vec<u8>>,
    ) -> Result<Option<String>, StoreError> {
        let (Logged::Decision(id), Some(stored)) = (logged, stored) else {
            return Ok(None);
        };
        let table = logged.kind().table();
        let plain = self.sealer.open(table, COLUMN, id.as_bytes(), &stored)?;
        String::from_utf8(plain).map(Some).map_err(|_| shape())
    }

    /// What a stored leaf should commit to: the record as it stands now. `None` when the record or the key is not
    /// there.
    ///
    /// # Errors
    /// When the store fails, or the record does not open and is asked for.
    pub async fn opening_of(
        &mut self,
        row: &LeafRow,
        shows_record: bool,
    ) -> Result<Option<Opening>, StoreError> {
        let (Some(logged), Some(blind)) = (&row.logged, row.blind.clone()) else {
            return Ok(None);
        };
        let Some((columns, stored)) = self.columns(logged).await? else {
            return Ok(None);
        };
        let record = self.record(logged, stored.filter(|_| shows_record))?;
        opening(row.position, logged, columns, blind, record).map(Some)
    }

    /// Whether a record stands in the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_record(&mut self, logged: &Logged) -> Result<bool, StoreError> {
        Ok(self.columns(logged).await?.is_some())
    }

    /// Leaves from a position on, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn leaves(&mut self, from: i64, limit: i64) -> Result<Vec<LeafRow>, StoreError> {
        let rows = query(
            "SELECT position, kind, number, id, name, blind, leaf, hash, disposed FROM audit_leaf \
             WHERE jurisdiction = $1 AND position >= $2 ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(from)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        Ok(rows.iter().map(leaf_row).collect())
    }

    /// Hashes of leaves from a position on, in order.
    ///
    /// # Errors
    /// When the store fails, or a position is missing.
    pub async fn leaf_hashes(&mut self, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError> {
        let rows = query(
            "SELECT position, hash FROM audit_leaf WHERE jurisdiction = $1 AND position >= $2 \
             ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(from)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter()
            .zip(from..)
            .map(|(row, expected)| {
                let is_next = row.try_get::<i64>("position")? == expected;
                let hash: Vec<u8> = row.try_get("hash")?;
                hash.try_into()
                    .ok()
                    .filter(|_| is_next)
                    .ok_or(StoreError::Shape { kind: "audit leaf" })
            })
            .collect()
    }

    /// The leaf of a record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn position_of(&mut self, logged: &Logged) -> Result<Option<i64>, StoreError> {
        Ok(query_scalar(logged.kind().leaf())
            .bind(self.jurisdiction())
            .bind(logged.number())
            .bind(logged.id())
            .bind(logged.name())
            .fetch_optional(&mut self.inner)
            .await?)
    }

    /// Records of these kinds without a leaf, in the order in which they came, and the kinds of those whose key is
    /// none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unlogged(
        &mut self,
        kinds: &[Kind],
        most: i64,
    ) -> Result<(Vec<Logged>, Vec<Kind>), StoreError> {
        let (mut found, mut nameless) = (Vec::new(), Vec::new());
        for kind in kinds {
            let rows = query(kind.unlogged())
                .bind(self.jurisdiction())
                .bind(most)
                .fetch_all(&mut self.inner)
                .await?;
            for row in rows {
                // What somebody else put there may be of any type.
                let number = row.try_get("number").unwrap_or_default();
                let id = row.try_get("id").unwrap_or_default();
                let name: Option<String> = row.try_get("name").unwrap_or_default();
                match Logged::of(kind.code(), number, id, name) {
                    Some(logged) => found.push((row.try_get::<i64>("at").unwrap_or(0), logged)),
                    None => nameless.push(*kind),
                }
            }
        }
        found.sort_by(|one, other| {
            let key = |(at, logged): &(i64, Logged)| (*at, logged.kind(), logged.number());
            key(one)
                .cmp(&key(other))
                .then_with(|| one.1.id().cmp(&other.1.id()))
                .then_with(|| one.1.name().cmp(&other.1.name()))
        });
        found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let found = found.into_iter().map(|(_, logged)| logged);
        Ok((found.collect(), nameless))
    }

    /// Whether the log has a leaf of a kind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_leaf_of(&mut self, kind: Kind) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar(
            "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = $2 LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(kind.code())
        .fetch_optional(&mut self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// Gives leaves to records of these kinds from the time before they had any.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn adopt(&mut self, kinds: &[Kind]) -> Result<u64, StoreError> {
        let (records, nameless) = self.unlogged(kinds, i64::MAX).await?;
        if !nameless.is_empty() {
            return Err(shape());
        }
        let count = records.len() as u64;
        for record in records {
            self.log(record).await?;
        }
        Ok(count)
    }
}

fn shape() -> StoreError {
    StoreError::Shape {
        kind: "audit record",
    }
}

fn opening(
    position: i64,
    logged: &Logged,
    columns: Columns,
    blind: Blind,
    record: Option<String>,
) -> Result<Opening, StoreError> {
    let position = u64::try_from(position).map_err(|_| shape())?;
    let object = match (logged, columns.0.get("object")) {
        (Logged::Audit(_), Some(Value::Text(text))) => text.clone(),
        (Logged::Audit(_), _) => String::new(),
        _ => logged.key(),
    };
    let subject = match columns.0.get("person") {
        Some(Value::Bytes(id)) => uuid(id).ok().map(|id| id.to_string()),
        _ => None,
    };
    Ok(Opening {
        position,
        blind,
        object,
        subject,
        columns,
        record,
    })
}

/// A leaf row as far as it can be read; what can't is missing, and its verification says so.
fn leaf_row(row: &Row) -> LeafRow {
    let kind: String = row.try_get("kind").unwrap_or_default();
    let number: Option<i64> = row.try_get("number").unwrap_or_default();
    let id: Option<Vec<u8>> = row.try_get("id").unwrap_or_default();
    let name: Option<String> = row.try_get("name").unwrap_or_default();
    let blind: Option<Vec<u8>> = row.try_get("blind").unwrap_or_default();
    LeafRow {
        position: row.try_get("position").unwrap_or(-1),
        logged: Logged::of(&kind, number, id, name),
        blind: blind.and_then(|key| key.try_into().ok()).map(Blind::new),
        leaf: row.try_get("leaf").unwrap_or_default(),
        hash: row.try_get("hash").unwrap_or_default(),
        disposed: row.try_get("disposed").unwrap_or_default(),
    }
}

fn columns_of(row: Row) -> Result<Columns, StoreError> {
    let cells = row.cells()?.into_iter();
    let columns: BTreeMap<_, _> = cells
        .map(|(name, cell)| {
            let value = match cell {
                Cell::Integer(number) => Value::Integer(number),
                Cell::Text(text) => Value::Text(text),
                Cell::Bytes(bytes) => Value::Bytes(bytes),
            };
            (name, value)
        })
        .collect();
    Ok(Columns(columns))
}

fn leaf(logged: &Logged, opening: &Opening) -> Result<Leaf, StoreError> {
    let columns = &opening.columns;
    let time = match columns.0.get(logged.kind().time()) {
        Some(Value::Integer(micros)) => u64::try_from(*micros).ok(),
        _ => None,
    };
    let action = match (logged.kind().action(), columns.0.get("action")) {
        (Some(action), _) => action,
        (None, Some(Value::Text(action))) => action,
        _ => return Err(shape()),
    };
    let code = |text: &str| Code::new(text).map_err(|_| shape());
    let blind = &opening.blind;
    let commit = |field, text: &String| blind.commit(field, text.as_bytes());
    Ok(Leaf {
        position: opening.position,
        at: time.ok_or_else(shape)?,
        kind: code(logged.kind().code())?,
        action: code(action)?,
        object: commit(Field::Object, &opening.object),
        subject: opening
            .subject
            .as_ref()
            .map(|text| commit(Field::Subject, text)),
        content: blind.commit(Field::Content, &columns.canonical()),
        record: opening
            .record
            .as_ref()
            .map(|text| commit(Field::Record, text)),
    })
}
