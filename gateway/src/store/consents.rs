//! Scanned documents of consents, and decisions that wait for a person.

use jiff::Timestamp;

use super::sql::query;
use super::tx::micros;
use super::{DecisionRow, StoreError, Tx};

const TABLE: &str = "consent_document";

impl Tx {
    /// Keeps the scanned document of a consent; an earlier one is replaced.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_scan(
        &mut self,
        consent: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.mac(TABLE, consent)?;
        let sealed = self.sealer.seal(TABLE, "sealed", &key, bytes)?;
        query(
            "INSERT INTO consent_document (jurisdiction, key, stored_at, sealed) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (jurisdiction, key) DO UPDATE SET stored_at = $3, sealed = $4",
        )
        .bind(self.jurisdiction())
        .bind(key.as_slice())
        .bind(micros(at))
        .bind(sealed)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// The scanned document of a consent.
    ///
    /// # Errors
    /// When the store fails or the document does not open.
    pub async fn scan(&mut self, consent: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.mac(TABLE, consent)?;
        let row = query("SELECT sealed FROM consent_document WHERE jurisdiction = $1 AND key = $2")
            .bind(self.jurisdiction())
            .bind(key.as_slice())
            .fetch_optional(&mut self.inner)
            .await?;
        let sealed: Option<Vec<u8>> = row.map(|row| row.get("sealed"));
        let opened = sealed.map(|sealed| self.sealer.open(TABLE, "sealed", &key, &sealed));
        Ok(opened.transpose()?.map(|plain| plain.to_vec()))
    }

    /// Decisions that only a person can take, newest first.
    ///
    /// # Errors
    /// When the store fails or a record does not open.
    pub async fn waiting_decisions(&mut self, limit: i64) -> Result<Vec<DecisionRow>, StoreError> {
        let rows = query(
            "SELECT * FROM decision WHERE jurisdiction = $1 AND outcome = 'needs_human' \
             ORDER BY decided_at DESC, id DESC LIMIT $2",
        )
        .bind(self.jurisdiction())
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(|row| self.decision_row(row)).collect()
    }
}
