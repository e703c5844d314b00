//! The audit log: who did what to which object. Codes and ids, never content.

use jiff::Timestamp;

use super::documents::{Document, Place};
use super::logged::Logged;
use super::sql::{Row, query};
use super::tx::{micros, timestamp};
use super::{StoreError, Tx};

/// Entries that are compared together.
const PAGE: u32 = 1_000;

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
        self.audited(at, actor, action, object, detail).await?;
        Ok(())
    }

    /// Appends an entry, and its leaf to the log. Returns its position.
    pub(super) async fn audited(
        &mut self,
        at: Timestamp,
        actor: &str,
        action: &str,
        object: &str,
        detail: &str,
    ) -> Result<i64, StoreError> {
        let written = query(
            "INSERT INTO audit (jurisdiction, position, at, actor, action, object, detail) \
             SELECT $1, COALESCE(MAX(position), 0) + 1, $2, $3, $4, $5, $6 FROM audit WHERE jurisdiction = $1 \
             RETURNING *",
        )
        .bind(self.jurisdiction())
        .bind(micros(at))
        .bind(actor)
        .bind(action)
        .bind(object)
        .bind(detail)
        .fetch_one(&mut self.inner)
        .await?;
        let position = written.get("position");
        self.log_written(&Logged::Audit(position), written, None)
            .await?;
        Ok(position)
    }

    /// The entry at a position.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_entry(&mut self, position: i64) -> Result<Option<AuditEntry>, StoreError> {
        let row = query(
            "SELECT position, at, actor, action, object, detail FROM audit \
             WHERE jurisdiction = $1 AND position = $2",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .fetch_optional(&mut self.inner)
        .await?;
        row.as_ref().map(entry).transpose()
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
        rows.iter().map(entry).collect()
    }

    /// The key of a document that can't be read any more, by the entry of its writing: the object of an action whose
    /// keyed hash is the document's place. `None` when the log has no such entry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn object_at<D: Document>(
        &mut self,
        place: &Place,
        action: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut after = 0_i64;
        loop {
            let rows = query(
                "SELECT position, object FROM audit \
                 WHERE jurisdiction = $1 AND action = $2 AND position > $3 ORDER BY position LIMIT $4",
            )
            .bind(self.jurisdiction())
            .bind(action)
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut self.inner)
            .await?;
            let Some(last) = rows.last() else {
                return Ok(None);
            };
            after = last.get("position");
            for row in rows {
                let object: String = row.get("object");
                if self.mac(D::KIND, &object)?.as_slice() == place.0 {
                    return Ok(Some(object));
                }
            }
        }
    }
}

fn entry(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        position: row.get("position"),
        at: timestamp(row.get("at"))?,
        actor: row.get("actor"),
        action: row.get("action"),
        object: row.get("object"),
        detail: row.get("detail"),
    })
}
