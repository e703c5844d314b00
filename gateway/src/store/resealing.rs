//! Seals what older keys have sealed anew, with the key that seals now: table by table in the order of the primary key,
//! some rows at a time.
//!
//! How far it came stands in the store, and is written in the transaction that writes the rows: whoever kills it loses
//! nothing, and it goes on from there. Values are read and sealed outside of that transaction; a row that was written
//! meanwhile is left as it is, since whoever wrote it sealed with the new key. It begins when no gateway seals with an
//! older key any more, so that going through each table once is enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sealed::{Anew, Sealed, sealed_tables};
use super::sql::{Row, query};
use super::{Store, StoreError, Tx};
use crate::seal::key_of;

/// Rows that one step looks at, at most.
const PAGE: u32 = 500;
/// Values that one transaction writes, at most.
const AT_ONCE: usize = 100;
/// Bytes of values after which a step looks at no further one.
const ENOUGH: i64 = 1 << 20;

/// How far a table is sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResealingRow {
    /// The table.
    pub table: String,
    /// The key that seals anew.
    pub number: u32,
    /// Values that were sealed anew.
    pub resealed: i64,
    /// Whether all of it was gone through.
    pub is_done: bool,
    reached: String,
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is left to do.
    Done,
    /// Other gateways still seal with an older key: so many.
    Waits(i64),
    /// Some of it was done.
    Went {
        /// The table.
        table: String,
        /// Values that were sealed anew.
        resealed: u64,
        /// Values that could not be: they were altered, or their key is not there.
        unopened: u64,
    },
}

/// How many values each key seals. Values of no known form count under 0, which is no key's number.
pub type RowsByKey = BTreeMap<u32, i64>;

/// Seals the values of a store anew, step by step.
#[derive(Debug)]
pub struct Resealer {
    store: Store,
    tables: Vec<Sealed>,
}

/// What one transaction writes.
struct Batch {
    rows: Vec<Anew>,
    unopened: u64,
    reached: String,
    is_end: bool,
}

impl Resealer {
    /// Seals the values of this store.
    ///
    /// # Errors
    /// When the tables can't be made out.
    pub async fn of(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            store: store.clone(),
            tables: sealed_tables().await?,
        })
    }

    /// Does the next piece: one short transaction.
    ///
    /// # Errors
    /// When the store fails. What was done stays, and the same piece is next.
    pub async fn step(&self) -> Result<Step, StoreError> {
        let mut tx = self.store.snapshot().await?;
        let (rows, keys) = (tx.resealing().await?, tx.root_keys().await?);
        drop(tx);
        let Some(row) = rows.iter().find(|row| !row.is_done) else {
            return Ok(Step::Done);
        };
        if row.number != self.store.sealer.sealing() {
            // Another gateway has rotated the keys, and this one has not followed yet.
            self.store.follow_keys().await?;
        }
        let behind = self.store.gateways_that_seal_below(row.number).await?;
        if behind > 0 {
            return Ok(Step::Waits(behind));
        }
        // Nobody seals with an older key any more: what this shows of them is all there is.
        let mut tx = self.store.snapshot().await?;
        let is_counted = keys
            .iter()
            .all(|key| key.number == row.number || key.rows_left.is_some());
        if !is_counted {
            let counts = self.count(&mut tx).await?;
            drop(tx);
            let mut tx = self.store.begin().await?;
            tx.set_rows_left(row.number, &counts).await?;
            tx.commit().await?;
            return Ok(went(&row.table, 0, 0));
        }
        let table = self.tables.iter().find(|table| table.name == row.table);
        let table = table.ok_or(StoreError::Shape { kind: "resealing" })?;
        let batch = self.batch(&mut tx, table, row).await?;
        let is_last = rows.iter().filter(|row| !row.is_done).count() == 1;
        let counts = if batch.is_end && is_last && batch.rows.is_empty() {
            Some(self.count(&mut tx).await?)
        } else {
            None
        };
        drop(tx);
        self.write(table, row, batch, counts).await
    }

    /// How many values each key seals.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn count(&self, tx: &mut Tx) -> Result<RowsByKey, StoreError> {
        let jurisdiction = tx.jurisdiction();
        let mut counts = RowsByKey::new();
        for table in &self.tables {
            for (number, many) in table.count(&mut tx.inner, &jurisdiction).await? {
                *counts.entry(number.unwrap_or(0)).or_default() += many;
            }
        }
        Ok(counts)
    }

    /// The next values of a table, sealed anew.
    async fn batch(
        &self,
        tx: &mut Tx,
        table: &Sealed,
        row: &ResealingRow,
    ) -> Result<Batch, StoreError> {
        let jurisdiction = tx.jurisdiction();
        let behind = table.key_in(&row.reached)?;
        let page = table
            .page(&mut tx.inner, &jurisdiction, behind, PAGE)
            .await?;
        let mut batch = Batch {
            rows: Vec::new(),
            unopened: 0,
            reached: row.reached.clone(),
            is_end: page.len() < PAGE as usize,
        };
        let (mut values, mut bytes) = (Vec::new(), 0);
        for one in page {
            if values.len() >= AT_ONCE || bytes >= ENOUGH {
                batch.is_end = false;
                break;
            }
            batch.reached = table.key_text(&one.key);
            bytes += one.size;
            let value = table.value(&mut tx.inner, &jurisdiction, &one.key).await?;
            let old = value.filter(|value| key_of(&value.sealed) != Some(row.number));
            values.extend(old.map(|value| (one.key, value)));
        }
        let (sealer, name) = (Arc::clone(&self.store.sealer), table.name.clone());
        let keeps_first = table.is_logged();
        // A value may be as large as a file.
        let sealed = tokio::task::spawn_blocking(move || {
            let anew = values.into_iter().map(|(key, value)| {
                let sealed = sealer.reseal(value.spot(&name), &value.sealed, keeps_first);
                (key, value.head(), sealed)
            });
            anew.collect::<Vec<_>>()
        });
        let sealed = sealed.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        for (key, head, sealed) in sealed {
            match sealed {
                Ok(sealed) => batch.rows.push(Anew { key, head, sealed }),
                Err(error) => {
                    batch.unopened += 1;
                    let (table, row) = (&table.name, table.key_text(&key));
                    tracing::error!(table, row, %error, "a value cannot be sealed anew; it is left as it is");
                }
            }
        }
        Ok(batch)
    }

    async fn write(
        &self,
        table: &Sealed,
        row: &ResealingRow,
        batch: Batch,
        counts: Option<RowsByKey>,
    ) -> Result<Step, StoreError> {
        let mut tx = self.store.begin().await?;
        let jurisdiction = tx.jurisdiction();
        let is_ended = batch.is_end && batch.rows.is_empty();
        let mut done = RowsByKey::new();
        for anew in batch.rows {
            let older = key_of(&anew.head).unwrap_or_default();
            if table.write(&mut tx.inner, &jurisdiction, anew).await? {
                *done.entry(older).or_default() += 1;
            }
        }
        let resealed: i64 = done.values().sum();
        tx.note_resealed(row, &batch.reached, resealed, is_ended)
            .await?;
        for (number, many) in done {
            tx.take_from_rows_left(number, many).await?;
        }
        if let Some(counts) = counts {
            let left: i64 = counts.values().sum::<i64>() - counts.get(&row.number).unwrap_or(&0);
            let resealed: i64 = tx.resealing().await?.iter().map(|row| row.resealed).sum();
            if left > 0 && resealed > 0 {
                // A gateway that was just starting may have sealed with an older key behind what was gone through.
                tx.begin_resealing(&self.tables, row.number).await?;
            } else {
                tx.set_rows_left(row.number, &counts).await?;
            }
        }
        tx.commit().await?;
        Ok(went(&table.name, resealed.unsigned_abs(), batch.unopened))
    }
}

fn went(table: &str, resealed: u64, unopened: u64) -> Step {
    Step::Went {
        table: table.to_owned(),
        resealed,
        unopened,
    }
}

impl Tx {
    /// How far each table is sealed anew; nothing before the first rotation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resealing(&mut self) -> Result<Vec<ResealingRow>, StoreError> {
        let rows = query(
            "SELECT name, number, reached, resealed, is_done FROM resealing WHERE jurisdiction = $1 ORDER BY name",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        let row = |row: &Row| {
            let number: i64 = row.get("number");
            Ok(ResealingRow {
                table: row.get("name"),
                number: u32::try_from(number)
                    .map_err(|_| StoreError::Shape { kind: "resealing" })?,
                resealed: row.get("resealed"),
                is_done: row.get::<i64>("is_done") != 0,
                reached: row.get("reached"),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Has every table gone through from the beginning, and what each key seals counted before.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn begin_resealing(
        &mut self,
        tables: &[Sealed],
        number: u32,
    ) -> Result<(), StoreError> {
        for table in tables {
            query(
                "INSERT INTO resealing (jurisdiction, name, number, reached, resealed, is_done) \
                 VALUES ($1, $2, $3, '', 0, 0) ON CONFLICT (jurisdiction, name) DO UPDATE \
                 SET number = $3, reached = '', resealed = 0, is_done = 0",
            )
            .bind(self.jurisdiction())
            .bind(&table.name)
            .bind(number)
            .execute(&mut self.inner)
            .await?;
        }
        query("UPDATE root_key SET rows_left = NULL WHERE jurisdiction = $1")
            .bind(self.jurisdiction())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    async fn note_resealed(
        &mut self,
        row: &ResealingRow,
        reached: &str,
        resealed: i64,
        is_done: bool,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE resealing SET reached = $4, resealed = resealed + $5, is_done = $6 \
             WHERE jurisdiction = $1 AND name = $2 AND number = $3",
        )
        .bind(self.jurisdiction())
        .bind(&row.table)
        .bind(row.number)
        .bind(reached)
        .bind(resealed)
        .bind(i64::from(is_done))
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    async fn take_from_rows_left(&mut self, number: u32, many: i64) -> Result<(), StoreError> {
        query(
            "UPDATE root_key SET rows_left = rows_left - $3 WHERE jurisdiction = $1 AND number = $2",
        )
        .bind(self.jurisdiction())
        .bind(number)
        .bind(many)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Notes what the older keys seal, as it was counted.
    async fn set_rows_left(&mut self, sealing: u32, counts: &RowsByKey) -> Result<(), StoreError> {
        for key in self.root_keys().await? {
            if key.number == sealing {
                continue;
            }
            query("UPDATE root_key SET rows_left = $3 WHERE jurisdiction = $1 AND number = $2")
                .bind(self.jurisdiction())
                .bind(key.number)
                .bind(counts.get(&key.number).copied().unwrap_or(0))
                .execute(&mut self.inner)
                .await?;
        }
        Ok(())
    }
}
