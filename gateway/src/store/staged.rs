//! Staged events of a large input take their places in the queue.

use tandem_mappings::model::id::{InputId, SystemId};

use super::sql::{query, query_scalar};
use super::{StoreError, Tx};

impl Tx {
    /// Lets some staged events of an input go on to their effects: the first after a position, in order. Returns the
    /// position of the last of them; `None` when there were none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn publish_some(
        &mut self,
        input: InputId,
        after: i64,
        most: i64,
    ) -> Result<Option<i64>, StoreError> {
        let rows = query(
            "SELECT position FROM event \
             WHERE jurisdiction = $1 AND input = $2 AND state = 'staged' AND position > $3 \
             ORDER BY position LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(input.as_bytes().as_slice())
        .bind(after)
        .bind(most)
        .fetch_all(&mut self.inner)
        .await?;
        let Some(last) = rows.last().map(|row| row.get::<i64>("position")) else {
            return Ok(None);
        };
        query(
            "UPDATE event SET state = 'waiting' WHERE jurisdiction = $1 AND input = $2 \
             AND state = 'staged' AND position > $3 AND position <= $4",
        )
        .bind(self.jurisdiction())
        .bind(input.as_bytes().as_slice())
        .bind(after)
        .bind(last)
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(Some(last))
    }

    /// How many events wait.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_waiting(&mut self) -> Result<u64, StoreError> {
        let count: i64 = query_scalar(
            "SELECT COUNT(*) FROM event WHERE jurisdiction = $1 AND state = 'waiting'",
        )
        .bind(self.jurisdiction())
        .fetch_one(&mut self.inner)
        .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Whether events of a system wait.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_waiting_of(&mut self, system: &SystemId) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM event WHERE jurisdiction = $1 AND state = 'waiting' AND system = $2 LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(system.as_str())
        .fetch_optional(&mut self.inner)
        .await?;
        Ok(found.is_some())
    }
}
