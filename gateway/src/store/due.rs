//! When a document must be looked at next, so that no look at the time goes through all documents of a kind.

use jiff::Timestamp;

use super::documents::{Document, Place};
use super::sql::{query, query_scalar};
use super::tx::{micros, timestamp};
use super::{StoreError, Tx};

/// Written since the last look.
pub(super) const WRITTEN: i64 = 0;

/// A document that is due.
#[derive(Debug)]
pub struct Due<D> {
    /// Where it stands.
    pub place: Place,
    /// The document, or why it can't be read.
    pub document: Result<D, StoreError>,
    /// Whether it was written before its indexes were those of today.
    pub is_old: bool,
}

impl Tx {
    /// Lets a document be looked at by the next look; every written document of a kind with times is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_soon<D: Document>(&mut self, key: &str) -> Result<(), StoreError> {
        let key = self.mac(D::KIND, key)?;
        self.look_soon_at::<D>(&Place(key.to_vec())).await
    }

    /// The same for the document at a place, whether it can be read or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_soon_at<D: Document>(&mut self, place: &Place) -> Result<(), StoreError> {
        self.set_due(D::KIND, &place.0, Some(WRITTEN)).await
    }

    /// Lets all documents of a kind be looked at by the next look.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_at_all<D: Document>(&mut self) -> Result<(), StoreError> {
        query(
            "INSERT INTO document_due (jurisdiction, kind, key, due_at) \
             SELECT jurisdiction, kind, key, $3 FROM document WHERE jurisdiction = $1 AND kind = $2 \
             ON CONFLICT (jurisdiction, kind, key) DO UPDATE SET due_at = $3 \
             WHERE document_due.due_at > $3",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(WRITTEN)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Notes when a document that was looked at must be looked at again; never, unless it is written, when absent.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_at<D: Document>(
        &mut self,
        place: &Place,
        at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let at = at.map(|at| micros(at).max(WRITTEN));
        self.set_due(D::KIND, &place.0, at).await
    }

    pub(super) async fn set_due(
        &mut self,
        kind: &str,
        key: &[u8],
        at: Option<i64>,
    ) -> Result<(), StoreError> {
        let sql = match at {
            Some(_) => {
                "INSERT INTO document_due (jurisdiction, kind, key, due_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (jurisdiction, kind, key) DO UPDATE SET due_at = $4"
            }
            None => "DELETE FROM document_due WHERE jurisdiction = $1 AND kind = $2 AND key = $3",
        };
        let query = query(sql).bind(self.jurisdiction()).bind(kind).bind(key);
        let query = match at {
            Some(at) => query.bind(at),
            None => query,
        };
        query.execute(&mut self.inner).await?;
        self.tells = true;
        Ok(())
    }

    /// Some documents that are due at an instant, the longest due first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_documents<D: Document>(
        &mut self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Due<D>>, StoreError> {
        let rows = query(
            "SELECT d.key, d.sealed, u.due_at FROM document_due u \
             JOIN document d ON d.jurisdiction = u.jurisdiction AND d.kind = u.kind AND d.key = u.key \
             WHERE u.jurisdiction = $1 AND u.kind = $2 AND u.due_at <= $3 \
             ORDER BY u.due_at, u.key LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .bind(micros(now))
        .bind(most)
        .fetch_all(&mut self.inner)
        .await?;
        let each = rows.iter().map(|row| Due {
            place: Place(row.get("key")),
            document: self.open_document::<D>(row.get("key"), row.get("sealed")),
            is_old: row.get::<i64>("due_at") < WRITTEN,
        });
        Ok(each.collect())
    }

    /// When the next document of a kind is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_document_due<D: Document>(
        &mut self,
    ) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = query_scalar(
            "SELECT MIN(due_at) FROM document_due WHERE jurisdiction = $1 AND kind = $2",
        )
        .bind(self.jurisdiction())
        .bind(D::KIND)
        .fetch_one(&mut self.inner)
        .await?;
        at.map(timestamp).transpose()
    }
}
