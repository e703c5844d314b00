//! Messages that an attempt hands over: until somebody notes how that ended, their recipient may have them.

use jiff::Timestamp;
use tandem_mappings::model::id::MessageId;

use super::outbox::outbox_without_content;
use super::sql::query;
use super::tx::micros;
use super::{OutboxRow, StoreError, Tx};

impl Tx {
    /// Notes that an attempt hands a message over from now on, and by which file.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hand_over(
        &mut self,
        message: MessageId,
        file: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE outbox SET handed = 1, file = COALESCE($3, file), changed_at = $4 \
             WHERE jurisdiction = $1 AND id = $2",
        )
        .bind(self.jurisdiction())
        .bind(message.as_bytes().as_slice())
        .bind(file)
        .bind(micros(now))
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(())
    }

    /// Notes that an attempt has ended whose message was withdrawn meanwhile. Returns whether it was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdrawn_attempt_ended(
        &mut self,
        message: MessageId,
    ) -> Result<bool, StoreError> {
        let done = query(
            "UPDATE outbox SET handed = 0 WHERE jurisdiction = $1 AND id = $2 AND state = 'withdrawn'",
        )
        .bind(self.jurisdiction())
        .bind(message.as_bytes().as_slice())
        .execute(&mut self.inner)
        .await?;
        Ok(done == 1)
    }

    /// The messages of a lane that an attempt hands over, without a note how that ended; one that does not open, without what it tells.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn handed_outbox(&mut self, lane: &str) -> Result<Vec<OutboxRow>, StoreError> {
        let rows =
            query("SELECT * FROM outbox WHERE jurisdiction = $1 AND lane = $2 AND handed = 1")
                .bind(self.jurisdiction())
                .bind(lane)
                .fetch_all(&mut self.inner)
                .await?;
        let mut rows: Vec<OutboxRow> = rows
            .iter()
            .map(|row| {
                self.outbox_row(row)
                    .or_else(|_| outbox_without_content(row))
            })
            .collect::<Result<_, _>>()?;
        rows.sort_by_key(|row| row.position);
        Ok(rows)
    }
}
