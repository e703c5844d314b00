//! The leaves of the audit log: each audit row, decision and checkpoint gets one in the transaction that writes it, so
//! that the log misses none.
//!
//! A leaf binds its record's row as it stands in the table, column by column, sealed columns as they are sealed. It is
//! made from the row that was written, not from what was meant to be written: a column that a later version adds is
//! bound without a word here.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row, TypeInfo as _, ValueRef as _};
use tandem_audit::{Blind, Code, Columns, Field, Hash, Leaf, Opening, Value, leaf_hash};
use tandem_mappings::model::id::DecisionId;

use super::tx::uuid;
use super::{StoreError, Tx};
use crate::seal::fill_random;

/// A record that has a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// An audit row by its position.
    Audit(i64),
    /// A decision.
    Decision(DecisionId),
    /// A checkpoint by its size.
    Checkpoint(i64),
}

impl Logged {
    /// The kind as it stands in leaves.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Audit(_) => "audit",
            Self::Decision(_) => "decision",
            Self::Checkpoint(_) => "checkpoint",
        }
    }

    /// The table in which the record stands.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Checkpoint(_) => "audit_checkpoint",
            _ => self.kind(),
        }
    }

    /// The record's key in its table.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Audit(number) | Self::Checkpoint(number) => number.to_string(),
            Self::Decision(id) => id.to_string(),
        }
    }

    const fn number(self) -> Option<i64> {
        match self {
            Self::Audit(number) | Self::Checkpoint(number) => Some(number),
            Self::Decision(_) => None,
        }
    }

    fn id(self) -> Option<Vec<u8>> {
        match self {
            Self::Decision(id) => Some(id.as_bytes().to_vec()),
            _ => None,
        }
    }

    /// The record that a stored leaf names; `None` when it names none.
    fn of(kind: &str, number: Option<i64>, id: Option<&[u8]>) -> Option<Self> {
        match (kind, number, id) {
            ("audit", Some(number), None) => Some(Self::Audit(number)),
            ("checkpoint", Some(number), None) => Some(Self::Checkpoint(number)),
            ("decision", None, Some(id)) => Some(Self::Decision(DecisionId(uuid(id).ok()?))),
            _ => None,
        }
    }
}

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
}

impl Tx {
    /// Gives a record that this transaction has written its leaf.
    ///
    /// # Errors
    /// When the store fails, or the record is not there.
    pub(super) async fn log(&mut self, logged: Logged) -> Result<(), StoreError> {
        let missing = StoreError::Shape {
            kind: "audit record",
        };
        let columns = self.columns(logged).await?.ok_or(missing)?;
        let position = sqlx::query_scalar::<_, i64>(
            "SELECT COALESCE(MAX(position), -1) + 1 FROM audit_leaf WHERE jurisdiction = $1",
        )
        .bind(self.jurisdiction())
        .fetch_one(&mut *self.inner)
        .await?;
        let mut key = [0; 32];
        fill_random(&mut key)?;
        let blind = Blind::new(key);
        let opening = self.opening(position, logged, columns, blind.clone(), true)?;
        let line = leaf(logged, &opening)?.to_string();
        sqlx::query(
            "INSERT INTO audit_leaf (jurisdiction, position, kind, number, id, blind, leaf, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .bind(logged.kind())
        .bind(logged.number())
        .bind(logged.id())
        .bind(blind.as_bytes().as_slice())
        .bind(&line)
        .bind(leaf_hash(&line).as_slice())
        .execute(&mut *self.inner)
        .await?;
        self.logged += 1;
        Ok(())
    }

    /// The row of a record, column by column.
    async fn columns(&mut self, logged: Logged) -> Result<Option<Columns>, StoreError> {
        let query = match logged {
            Logged::Audit(_) => "SELECT * FROM audit WHERE jurisdiction = $1 AND position = $2",
            Logged::Decision(_) => "SELECT * FROM decision WHERE jurisdiction = $1 AND id = $2",
            Logged::Checkpoint(_) => {
                "SELECT * FROM audit_checkpoint WHERE jurisdiction = $1 AND size = $2"
            }
        };
        let query = sqlx::query(query).bind(self.jurisdiction());
        let query = match logged.id() {
            Some(id) => query.bind(id),
            None => query.bind(logged.number()),
        };
        let row = query.fetch_optional(&mut *self.inner).await?;
        row.map(|row| columns_of(&row)).transpose()
    }

    fn opening(
        &self,
        position: i64,
        logged: Logged,
        columns: Columns,
        blind: Blind,
        shows_record: bool,
    ) -> Result<Opening, StoreError> {
        let position = u64::try_from(position).map_err(|_| shape())?;
        let text = |name: &str| match columns.0.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let object = match logged {
            Logged::Audit(_) => text("object").unwrap_or_default(),
            _ => logged.key(),
        };
        let subject = match columns.0.get("person") {
            Some(Value::Bytes(id)) => uuid(id).ok().map(|id| id.to_string()),
            _ => None,
        };
        let record = match (logged, columns.0.get("sealed")) {
            (Logged::Decision(id), Some(Value::Bytes(sealed))) if shows_record => {
                let plain = self
                    .sealer
                    .open("decision", "sealed", id.as_bytes(), sealed)?;
                Some(String::from_utf8(plain).map_err(|_| shape())?)
            }
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

    /// What a stored leaf should commit to: the record as it stands now. `None` when the record or the key is not there.
    ///
    /// # Errors
    /// When the store fails, or the record does not open and is asked for.
    pub async fn opening_of(
        &mut self,
        row: &LeafRow,
        shows_record: bool,
    ) -> Result<Option<Opening>, StoreError> {
        let (Some(logged), Some(blind)) = (row.logged, row.blind.clone()) else {
            return Ok(None);
        };
        match self.columns(logged).await? {
            Some(columns) => self
                .opening(row.position, logged, columns, blind, shows_record)
                .map(Some),
            None => Ok(None),
        }
    }

    /// Leaves from a position on, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn leaves(&mut self, from: i64, limit: i64) -> Result<Vec<LeafRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, kind, number, id, blind, leaf, hash FROM audit_leaf \
             WHERE jurisdiction = $1 AND position >= $2 ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(from)
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        Ok(rows.iter().map(leaf_row).collect())
    }

    /// Hashes of leaves from a position on, in order.
    ///
    /// # Errors
    /// When the store fails, or a position is missing.
    pub async fn leaf_hashes(&mut self, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, hash FROM audit_leaf WHERE jurisdiction = $1 AND position >= $2 \
             ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(from)
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter()
            .zip(from..)
            .map(|(row, expected)| {
                let is_next = row.try_get::<i64, _>("position")? == expected;
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
    pub async fn position_of(&mut self, logged: Logged) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = $2 \
             AND (number = $3 OR id = $4)",
        )
        .bind(self.jurisdiction())
        .bind(logged.kind())
        .bind(logged.number())
        .bind(logged.id())
        .fetch_optional(&mut *self.inner)
        .await?)
    }

    /// Records without a leaf, in the order in which they came; decisions after audit rows of the same time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unlogged(&mut self, limit: i64) -> Result<Vec<Logged>, StoreError> {
        let rows = sqlx::query(
            "SELECT 'audit' AS kind, position AS number, NULL AS id, at FROM audit AS record \
             WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf WHERE \
             leaf.jurisdiction = $1 AND leaf.kind = 'audit' AND leaf.number = record.position) \
             UNION ALL SELECT 'checkpoint', size, NULL, at FROM audit_checkpoint AS record \
             WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf WHERE \
             leaf.jurisdiction = $1 AND leaf.kind = 'checkpoint' AND leaf.number = record.size) \
             UNION ALL SELECT 'decision', NULL, id, decided_at FROM decision AS record \
             WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf WHERE \
             leaf.jurisdiction = $1 AND leaf.kind = 'decision' AND leaf.id = record.id) \
             ORDER BY at, kind, number, id LIMIT $2",
        )
        .bind(self.jurisdiction())
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter()
            .map(|row| {
                let (kind, number) = (row.try_get::<&str, _>("kind")?, row.try_get("number")?);
                Logged::of(kind, number, row.try_get("id")?).ok_or_else(shape)
            })
            .collect()
    }

    /// Gives leaves to records of the time before there was a log.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn adopt(&mut self) -> Result<u64, StoreError> {
        let records = self.unlogged(i64::MAX).await?;
        for record in &records {
            self.log(*record).await?;
        }
        Ok(records.len() as u64)
    }
}

fn shape() -> StoreError {
    StoreError::Shape {
        kind: "audit record",
    }
}

/// A leaf row as far as it can be read; what can't is missing, and its verification says so.
fn leaf_row(row: &SqliteRow) -> LeafRow {
    let kind: String = row.try_get("kind").unwrap_or_default();
    let number: Option<i64> = row.try_get("number").unwrap_or_default();
    let id: Option<Vec<u8>> = row.try_get("id").unwrap_or_default();
    let blind: Option<Vec<u8>> = row.try_get("blind").unwrap_or_default();
    LeafRow {
        position: row.try_get("position").unwrap_or(-1),
        logged: Logged::of(&kind, number, id.as_deref()),
        blind: blind.and_then(|key| key.try_into().ok()).map(Blind::new),
        leaf: row.try_get("leaf").unwrap_or_default(),
        hash: row.try_get("hash").unwrap_or_default(),
    }
}

fn columns_of(row: &SqliteRow) -> Result<Columns, StoreError> {
    let mut columns = BTreeMap::new();
    for column in row.columns() {
        let at = column.ordinal();
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            continue;
        }
        let value = match raw.type_info().name() {
            // Text that is none was put there by somebody else: its bytes are compared like any others.
            "TEXT" => match row.try_get_unchecked(at) {
                Ok(text) => Value::Text(text),
                Err(_) => Value::Bytes(row.try_get_unchecked(at)?),
            },
            "INTEGER" => Value::Integer(row.try_get_unchecked(at)?),
            // No column of these tables is of another type; one that is was put there by somebody else.
            _ => Value::Bytes(row.try_get_unchecked(at)?),
        };
        columns.insert(column.name().to_owned(), value);
    }
    Ok(Columns(columns))
}

fn leaf(logged: Logged, opening: &Opening) -> Result<Leaf, StoreError> {
    let columns = &opening.columns;
    let time = ["at", "decided_at"]
        .iter()
        .find_map(|name| match columns.0.get(*name) {
            Some(Value::Integer(micros)) => u64::try_from(*micros).ok(),
            _ => None,
        });
    let action = match (logged, columns.0.get("action")) {
        (Logged::Checkpoint(_), _) => "checkpoint.sign",
        (_, Some(Value::Text(action))) => action,
        _ => return Err(shape()),
    };
    let code = |text: &str| Code::new(text).map_err(|_| shape());
    let blind = &opening.blind;
    let commit = |field, text: &String| blind.commit(field, text.as_bytes());
    Ok(Leaf {
        position: opening.position,
        at: time.ok_or_else(shape)?,
        kind: code(logged.kind())?,
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
