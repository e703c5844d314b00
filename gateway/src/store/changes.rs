//! Changes of documents that every gateway on a database holds in memory. A gateway that has its store to itself needs no
//! telling.

use super::documents::Document;
use super::sql::{query, query_scalar};
use super::{StoreError, Tx};

/// Changes that are kept: whoever has slept through more reads everything anew.
const KEPT: i64 = 200_000;

/// A document that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Place in the order of writing, from 1.
    pub sequence: i64,
    /// Kind of the document.
    pub kind: String,
    key: Vec<u8>,
}

impl Tx {
    /// Whether other gateways may write to the store.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.inner.is_postgres()
    }

    /// Tells other gateways that a document was written.
    pub(super) async fn note_change(&mut self, kind: &str, key: &[u8]) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        query(
            "INSERT INTO document_change (jurisdiction, sequence, kind, key) \
             SELECT $1, COALESCE(MAX(sequence), 0) + 1, $2, $3 FROM document_change WHERE jurisdiction = $1",
        )
        .bind(self.jurisdiction())
        .bind(kind)
        .bind(key)
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(())
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_change(&mut self) -> Result<i64, StoreError> {
        Ok(query_scalar(
            "SELECT COALESCE(MAX(sequence), 0) FROM document_change WHERE jurisdiction = $1",
        )
        .bind(self.jurisdiction())
        .fetch_one(&mut self.inner)
        .await?)
    }

    /// The changes after one that was seen, in order, at most so many; `None` when some of them are not kept any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn changes(
        &mut self,
        seen: i64,
        most: u32,
    ) -> Result<Option<Vec<Change>>, StoreError> {
        let rows = query(
            "SELECT sequence, kind, key FROM document_change \
             WHERE jurisdiction = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(seen)
        .bind(most)
        .fetch_all(&mut self.inner)
        .await?;
        let changes: Vec<Change> = rows
            .iter()
            .map(|row| Change {
                sequence: row.get("sequence"),
                kind: row.get("kind"),
                key: row.get("key"),
            })
            .collect();
        let follows = changes
            .first()
            .is_none_or(|first| first.sequence == seen.saturating_add(1));
        Ok(follows.then_some(changes))
    }

    /// The document that a change tells of, as it is now.
    ///
    /// # Errors
    /// When the store fails or the document does not open.
    pub async fn changed<D: Document>(&mut self, change: &Change) -> Result<Option<D>, StoreError> {
        self.under(&change.key).await
    }

    /// Forgets changes that every gateway has long seen.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prune_changes(&mut self) -> Result<(), StoreError> {
        let last = self.last_change().await?;
        query("DELETE FROM document_change WHERE jurisdiction = $1 AND sequence <= $2")
            .bind(self.jurisdiction())
            .bind(last - KEPT)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}
