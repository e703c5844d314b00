//! Signed heads of the audit log, and what witnesses said of them.

use jiff::Timestamp;

use super::logged::Logged;
use super::sql::{Row, query};
use super::tx::micros;
use super::{StoreError, Tx};

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Leaves under it.
    pub size: i64,
    /// The signed note, without cosignatures that came later.
    pub note: String,
}

/// A witness's signature that came after the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignatureRow {
    /// Leaves of the checkpoint.
    pub size: i64,
    /// The witness's public key.
    pub witness_key: String,
    /// The signature line.
    pub line: String,
}

impl Tx {
    /// Records a checkpoint; it gets a leaf like everything else.
    ///
    /// # Errors
    /// When the store fails, or one of this size is there.
    pub async fn add_checkpoint(
        &mut self,
        row: &CheckpointRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let written = query(
            "INSERT INTO audit_checkpoint (jurisdiction, size, at, note) VALUES ($1, $2, $3, $4) RETURNING *",
        )
        .bind(self.jurisdiction())
        .bind(row.size)
        .bind(micros(at))
        .bind(&row.note)
        .fetch_one(&mut self.inner)
        .await?;
        self.log_written(&Logged::Checkpoint(row.size), written, None)
            .await
    }

    /// Checkpoints from a size on, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoints(
        &mut self,
        from: i64,
        limit: i64,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let rows = query(
            "SELECT size, note FROM audit_checkpoint WHERE jurisdiction = $1 AND size >= $2 \
             ORDER BY size LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(from)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(checkpoint).collect()
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_checkpoint(&mut self) -> Result<Option<CheckpointRow>, StoreError> {
        let row = query(
            "SELECT size, note FROM audit_checkpoint WHERE jurisdiction = $1 \
             ORDER BY size DESC LIMIT 1",
        )
        .bind(self.jurisdiction())
        .fetch_optional(&mut self.inner)
        .await?;
        row.as_ref().map(checkpoint).transpose()
    }

    /// Stores what a witness signed; the same again is no-op.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_cosignature(&mut self, row: &CosignatureRow) -> Result<bool, StoreError> {
        let done = query(
            "INSERT INTO audit_cosignature (jurisdiction, size, witness_key, line) \
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(self.jurisdiction())
        .bind(row.size)
        .bind(&row.witness_key)
        .bind(&row.line)
        .execute(&mut self.inner)
        .await?;
        Ok(done > 0)
    }

    /// Everything that witnesses said later, by size.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cosignatures(&mut self) -> Result<Vec<CosignatureRow>, StoreError> {
        let rows = query(
            "SELECT size, witness_key, line FROM audit_cosignature WHERE jurisdiction = $1 \
             ORDER BY size, witness_key",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(CosignatureRow {
                    size: row.try_get("size")?,
                    witness_key: row.try_get("witness_key")?,
                    line: row.try_get("line")?,
                })
            })
            .collect()
    }
}

fn checkpoint(row: &Row) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow {
        size: row.try_get("size")?,
        note: row.try_get("note")?,
    })
}
