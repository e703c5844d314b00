//! Keys that stand in data folders and not in the store: whoever opens the store must hold those with which it was written.

use super::sql::{query, query_scalar};
use super::{Store, StoreError, Tx};

/// Sealed with the root key by whoever made the store.
pub(super) const SIGN: &[u8] = b"tandem";

impl Store {
    /// Checks that the root key is the one of the store; a store that is new takes it.
    pub(super) async fn check_root(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let sign = self.sealer.seal("key_check", "value", b"root", SIGN)?;
        let known = tx.key_check("root", &sign).await?;
        let opened = self.sealer.open("key_check", "value", b"root", &known);
        if opened.is_ok_and(|opened| opened == SIGN) {
            tx.commit().await
        } else {
            Err(StoreError::OtherKey("root.key"))
        }
    }
}

impl Tx {
    /// What the store knows of a key; a store that knows nothing takes what it is told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn key_check(&mut self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        query(
            "INSERT INTO key_check (jurisdiction, name, value) VALUES ($1, $2, $3) \
             ON CONFLICT (jurisdiction, name) DO NOTHING",
        )
        .bind(self.jurisdiction())
        .bind(name)
        .bind(value)
        .execute(&mut self.inner)
        .await?;
        let known = self.known_key(name).await?;
        Ok(known.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// What the store knows of a key, if anything.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn known_key(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(
            query_scalar("SELECT value FROM key_check WHERE jurisdiction = $1 AND name = $2")
                .bind(self.jurisdiction())
                .bind(name)
                .fetch_optional(&mut self.inner)
                .await?,
        )
    }
}
