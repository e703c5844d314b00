//! What the store keeps per lane: whether it is paused, and its delivery counter.

use super::sql::{query, query_scalar};
use super::{StoreError, Tx};

/// A lane as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    /// Name: the destination system.
    pub lane: String,
    /// Whether an operator paused it.
    pub is_paused: bool,
    /// How many deliveries were numbered.
    pub sequence: i64,
}

impl Tx {
    /// The lane's row; one that was never written runs and has numbered nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lane(&mut self, lane: &str) -> Result<LaneRow, StoreError> {
        let row =
            query("SELECT is_paused, sequence FROM lane WHERE jurisdiction = $1 AND lane = $2")
                .bind(self.jurisdiction())
                .bind(lane)
                .fetch_optional(&mut self.inner)
                .await?;
        Ok(match row {
            Some(row) => LaneRow {
                lane: lane.to_owned(),
                is_paused: row.get::<i64>("is_paused") != 0,
                sequence: row.get("sequence"),
            },
            None => LaneRow {
                lane: lane.to_owned(),
                is_paused: false,
                sequence: 0,
            },
        })
    }

    /// Pauses or resumes a lane.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_lane_paused(&mut self, lane: &str, is_paused: bool) -> Result<(), StoreError> {
        query(
            "INSERT INTO lane (jurisdiction, lane, is_paused, sequence) VALUES ($1, $2, $3, 0) \
             ON CONFLICT (jurisdiction, lane) DO UPDATE SET is_paused = $3",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(i64::from(is_paused))
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(())
    }

    /// The next delivery number of a lane, from 1.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_sequence(&mut self, lane: &str) -> Result<i64, StoreError> {
        Ok(query_scalar(
            "INSERT INTO lane (jurisdiction, lane, is_paused, sequence) VALUES ($1, $2, 0, 1) \
             ON CONFLICT (jurisdiction, lane) DO UPDATE SET sequence = lane.sequence + 1 RETURNING sequence",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .fetch_one(&mut self.inner)
        .await?)
    }
}
