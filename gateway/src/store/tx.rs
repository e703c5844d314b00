//! A transaction: what is read in it is one snapshot, what is written in it stands or falls together.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::sql::{Session, query};
use super::{Store, StoreError, listen};
use crate::seal::Sealer;

/// A transaction of the store.
pub struct Tx {
    pub(super) inner: Session,
    pub(super) sealer: Arc<Sealer>,
    /// Leaves that this transaction adds to the audit log.
    pub(super) logged: u64,
    /// Counts those that became durable.
    counter: watch::Sender<u64>,
    /// Whether something was written that other gateways wait for.
    pub(super) tells: bool,
    instance: uuid::Uuid,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    pub(super) fn new(inner: Session, store: &Store) -> Self {
        Self {
            inner,
            sealer: Arc::clone(&store.sealer),
            logged: 0,
            counter: store.logged.clone(),
            tells: false,
            instance: store.instance,
        }
    }

    /// Makes everything written durable.
    ///
    /// # Errors
    /// When the database can't; then nothing was written.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.tells {
            listen::tell(&mut self.inner, self.sealer.jurisdiction(), self.instance).await?;
        }
        match self.inner {
            Session::Sqlite(inner) => inner.commit().await?,
            Session::Postgres(inner) => inner.commit().await?,
        }
        if self.logged > 0 {
            self.counter
                .send_modify(|count| *count = count.wrapping_add(self.logged));
        }
        Ok(())
    }

    /// Marks a place to which the transaction can go back. Marks do not nest: each is passed or gone back to before the
    /// next is set.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark(&mut self) -> Result<Mark, StoreError> {
        query("SAVEPOINT mark").execute(&mut self.inner).await?;
        Ok(Mark {
            logged: self.logged,
            tells: self.tells,
        })
    }

    /// Keeps what was written since a mark, as far as the transaction commits.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pass(&mut self, _mark: Mark) -> Result<(), StoreError> {
        self.release().await
    }

    /// Undoes what was written since a mark, and what was written before it stands.
    ///
    /// # Errors
    /// When the store fails, or with it the whole transaction.
    pub async fn back_to(&mut self, mark: Mark) -> Result<(), StoreError> {
        query("ROLLBACK TO SAVEPOINT mark")
            .execute(&mut self.inner)
            .await?;
        (self.logged, self.tells) = (mark.logged, mark.tells);
        self.release().await
    }

    async fn release(&mut self) -> Result<(), StoreError> {
        query("RELEASE SAVEPOINT mark")
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    pub(super) fn jurisdiction(&self) -> String {
        self.sealer.jurisdiction().as_str().to_owned()
    }

    /// Keyed hash of a look-up value.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn mac(&self, field: &str, value: &str) -> Result<[u8; 32], StoreError> {
        Ok(self.sealer.mac(field, value)?)
    }
}

/// A place in a transaction to which it can go back.
#[derive(Debug)]
#[must_use = "a mark is passed or gone back to"]
pub struct Mark {
    logged: u64,
    tells: bool,
}

/// The store's unit of time.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Back from the store's unit of time.
pub(super) fn timestamp(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| StoreError::Shape { kind: "time" })
}

/// A 16-byte id from a column.
pub(super) fn uuid(bytes: &[u8]) -> Result<uuid::Uuid, StoreError> {
    uuid::Uuid::from_slice(bytes).map_err(|_| StoreError::Shape { kind: "id" })
}
