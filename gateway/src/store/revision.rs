//! Counts the changes of consent, and of all on which decisions rest.

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
            "INSERT INTO consent_revision (jurisdiction, revision, basis) VALUES ($1, 1, 1) \
             ON CONFLICT (jurisdiction) DO UPDATE \
             SET revision = consent_revision.revision + 1, basis = consent_revision.basis + 1",
        )
        .bind(self.jurisdiction())
        .execute(&mut self.inner)
        .await?;
        self.has_changed_basis = true;
        Ok(())
    }

    /// How often anything on which decisions rest has changed up to this snapshot: consent, the rules by which it is read, or a
    /// record. What was decided in another snapshot stands while this is the same.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn basis(&mut self) -> Result<i64, StoreError> {
        let row = query("SELECT basis FROM consent_revision WHERE jurisdiction = $1")
            .bind(self.jurisdiction())
            .fetch_optional(&mut self.inner)
            .await?;
        Ok(row.map_or(0, |row| row.get("basis")))
    }

    /// Notes that something on which decisions rest has changed.
    pub(super) async fn basis_changed(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.has_changed_basis, true) {
            return Ok(());
        }
        query(
            "INSERT INTO consent_revision (jurisdiction, revision, basis) VALUES ($1, 0, 1) \
             ON CONFLICT (jurisdiction) DO UPDATE SET basis = consent_revision.basis + 1",
        )
        .bind(self.jurisdiction())
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
