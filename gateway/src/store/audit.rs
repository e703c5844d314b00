//! The audit log: who did what to which object. Codes and ids, never content.

use jiff::Timestamp;

use super::logged::Logged;
use super::sql::{query, query_scalar};
use super::tx::{micros, timestamp};
use super::{StoreError, Tx};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Position, from 1; 0 before it is written.
    pub position: i64,
    /// When.
    pub at: Timestamp,
    /// Who: a token's name, or `gateway`.
    pub actor: String,
    /// What, for example `match.query`.
    pub action: String,
    /// On which object: an id.
    pub object: String,
    /// Codes.
    pub detail: String,
}

impl Tx {
    /// Appends an entry, and its leaf to the log.
    ///
    /// # Errors
    /// When the store fails, or the action is no code.
    pub async fn audit(
        &mut self,
        at: Timestamp,
        actor: &str,
        action: &str,
        object: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let position = query_scalar(
            "INSERT INTO audit (jurisdiction, position, at, actor, action, object, detail) \
             SELECT $1, COALESCE(MAX(position), 0) + 1, $2, $3, $4, $5, $6 FROM audit WHERE jurisdiction = $1 \
             RETURNING position",
        )
        .bind(self.jurisdiction())
        .bind(micros(at))
        .bind(actor)
        .bind(action)
        .bind(object)
        .bind(detail)
        .fetch_one(&mut self.inner)
        .await?;
        self.log(Logged::Audit(position)).await
    }

    /// Entries, newest first, of one action or of all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_entries(
        &mut self,
        action: Option<&str>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        // Two statements, so that each goes by an index of its own.
        let query = match action {
            Some(action) => query(
                "SELECT position, at, actor, action, object, detail FROM audit \
                 WHERE jurisdiction = $1 AND action = $3 ORDER BY position DESC LIMIT $2",
            )
            .bind(self.jurisdiction())
            .bind(limit)
            .bind(action),
            None => query(
                "SELECT position, at, actor, action, object, detail FROM audit \
                 WHERE jurisdiction = $1 ORDER BY position DESC LIMIT $2",
            )
            .bind(self.jurisdiction())
            .bind(limit),
        };
        let rows = query.fetch_all(&mut self.inner).await?;
        rows.into_iter()
            .map(|row| {
                Ok(AuditEntry {
                    position: row.get("position"),
                    at: timestamp(row.get("at"))?,
                    actor: row.get("actor"),
                    action: row.get("action"),
                    object: row.get("object"),
                    detail: row.get("detail"),
                })
            })
            .collect()
    }
}
