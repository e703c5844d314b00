//! Counts the changes of consent.

use super::sql::query;
use super::{StoreError, Tx};

impl Tx {
    /// How often consent has changed up to this snapshot.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn consent_revision(&mut self) -> Result<i64, StoreError> {
        let row = query("SELECT revision FROM consent_revision WHERE jurisdiction = $1")
            .bind(self.jurisdiction())
            .fetch_optional(&mut self.inner)
            .await?;
        Ok(row.map_or(0, |row| row.get("revision")))
    }

    /// Notes that consent, or the rules by which it is read, have changed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn consent_changed(&mut self) -> Result<(), StoreError> {
        query(
            "INSERT INTO consent_revision (jurisdiction, revision) VALUES ($1, 1) \
             ON CONFLICT (jurisdiction) DO UPDATE SET revision = consent_revision.revision + 1",
        )
        .bind(self.jurisdiction())
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
