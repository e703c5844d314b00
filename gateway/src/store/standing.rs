//! How a store stands to this program: which steps of the schema it has taken, and when it was written last.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::schema;
use super::sql::query_scalar;
use super::tx::timestamp;
use super::{Store, StoreError, Tx};

/// The steps of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// How many were taken.
    pub taken: usize,
    /// Steps of this program that were not taken yet.
    pub missing: Vec<i64>,
    /// Steps that were taken and that this program does not know.
    pub unknown: Vec<i64>,
}

impl Store {
    /// The steps that the schema of the store has taken.
    ///
    /// # Errors
    /// When the store can't be read, or has no schema at all.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let taken = schema::taken(&mut self.engine.snapshot().await?).await?;
        if taken.is_empty() {
            return Err(StoreError::Shape { kind: "schema" });
        }
        let taken: BTreeSet<i64> = taken.into_keys().collect();
        let known: BTreeSet<i64> = schema::all_steps().into_keys().collect();
        Ok(Schema {
            taken: taken.len(),
            missing: known.difference(&taken).copied().collect(),
            unknown: taken.difference(&known).copied().collect(),
        })
    }
}

impl Tx {
    /// The last instant at which an event or an audit entry was recorded; `None` when there is neither.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_recorded(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let audited = query_scalar(
            "SELECT at FROM audit WHERE jurisdiction = $1 ORDER BY position DESC LIMIT 1",
        );
        let event = query_scalar(
            "SELECT recorded_at FROM event WHERE jurisdiction = $1 ORDER BY position DESC LIMIT 1",
        );
        let mut last: Option<i64> = None;
        for query in [audited, event] {
            let found: Option<i64> = query
                .bind(self.jurisdiction())
                .fetch_optional(&mut self.inner)
                .await?;
            last = last.max(found);
        }
        last.map(timestamp).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, contract, now};

    async fn a_store_says_which_steps_it_has_taken_and_when_it_was_written_last(place: Place) {
        let schema = place.store.schema().await.unwrap();
        assert!(schema.taken > 10, "{schema:?}");
        assert!(
            schema.missing.is_empty() && schema.unknown.is_empty(),
            "{schema:?}"
        );
        let mut tx = place.store.begin().await.unwrap();
        assert_eq!(tx.last_recorded().await.unwrap(), None);
        tx.audit(now(), "operator", "test.note", "", "")
            .await
            .unwrap();
        assert_eq!(tx.last_recorded().await.unwrap(), Some(now()));
    }

    contract!(a_store_says_which_steps_it_has_taken_and_when_it_was_written_last);
}
