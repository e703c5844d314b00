//! What the store keeps per lane: whether it is paused or drained, and its delivery counter.

use jiff::Timestamp;

use super::sql::{query, query_scalar};
use super::tx::{micros, timestamp};
use super::{StoreError, Tx};

/// A lane as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    /// Name: the destination system.
    pub lane: String,
    /// Whether an operator paused it: nothing is tried.
    pub is_paused: bool,
    /// While it is drained: the last position that is still tried.
    pub drain_to: Option<i64>,
    /// By whose word it is paused or drained.
    pub halt: Option<Halt>,
    /// How many deliveries were numbered.
    pub sequence: i64,
}

/// By whose word a lane does not run as ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

impl LaneRow {
    /// The last position that may be tried now; `None` when nothing may be.
    #[must_use]
    pub fn tried_to(&self) -> Option<i64> {
        (!self.is_paused).then(|| self.drain_to.unwrap_or(i64::MAX))
    }
}

impl Tx {
    /// The lane's row; one that was never written runs and has numbered nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lane(&mut self, lane: &str) -> Result<LaneRow, StoreError> {
        let row = query(
            "SELECT is_paused, drain_to, reason, halted_by, halted_at, sequence FROM lane \
             WHERE jurisdiction = $1 AND lane = $2",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .fetch_optional(&mut self.inner)
        .await?;
        let lane = lane.to_owned();
        let Some(row) = row else {
            return Ok(LaneRow {
                lane,
                is_paused: false,
                drain_to: None,
                halt: None,
                sequence: 0,
            });
        };
        let halted: (Option<String>, Option<i64>) = (row.get("halted_by"), row.get("halted_at"));
        let halt = match halted {
            (Some(by), Some(at)) => Some(Halt {
                by,
                reason: row.get::<Option<String>>("reason").unwrap_or_default(),
                at: timestamp(at)?,
            }),
            _ => None,
        };
        Ok(LaneRow {
            lane,
            is_paused: row.get::<i64>("is_paused") != 0,
            drain_to: row.get("drain_to"),
            halt,
            sequence: row.get("sequence"),
        })
    }

    /// Pauses a lane.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pause_lane(&mut self, lane: &str, halt: &Halt) -> Result<(), StoreError> {
        self.set_lane(lane, true, None, Some(halt)).await
    }

    /// Lets a lane deliver what was written so far, and nothing that comes after.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drain_lane(&mut self, lane: &str, halt: &Halt) -> Result<(), StoreError> {
        let last = self.last_of_outbox().await?;
        self.set_lane(lane, false, Some(last), Some(halt)).await
    }

    /// Lets a lane run.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume_lane(&mut self, lane: &str) -> Result<(), StoreError> {
        self.set_lane(lane, false, None, None).await
    }

    async fn set_lane(
        &mut self,
        lane: &str,
        is_paused: bool,
        drain_to: Option<i64>,
        halt: Option<&Halt>,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO lane (jurisdiction, lane, is_paused, sequence, drain_to, reason, halted_by, halted_at) \
             VALUES ($1, $2, $3, 0, $4, $5, $6, $7) \
             ON CONFLICT (jurisdiction, lane) DO UPDATE SET is_paused = $3, drain_to = $4, reason = $5, halted_by = $6, halted_at = $7",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(i64::from(is_paused))
        .bind(drain_to)
        .bind(halt.map(|halt| halt.reason.as_str()))
        .bind(halt.map(|halt| halt.by.as_str()))
        .bind(halt.map(|halt| micros(halt.at)))
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(())
    }

    /// Whether messages of a lane wait for an attempt that were written up to a position.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn waits_up_to(&mut self, lane: &str, position: i64) -> Result<bool, StoreError> {
        for state in ["queued", "failed"] {
            let first: Option<i64> = query_scalar(
                "SELECT position FROM outbox WHERE jurisdiction = $1 AND state = $2 AND lane = $3 \
                 ORDER BY position LIMIT 1",
            )
            .bind(self.jurisdiction())
            .bind(state)
            .bind(lane)
            .fetch_optional(&mut self.inner)
            .await?;
            if first.is_some_and(|first| first <= position) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes so many delivery numbers of a lane, from 1. Returns the last of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take_numbers(&mut self, lane: &str, count: u32) -> Result<i64, StoreError> {
        Ok(query_scalar(
            "INSERT INTO lane (jurisdiction, lane, is_paused, sequence) VALUES ($1, $2, 0, $3) \
             ON CONFLICT (jurisdiction, lane) DO UPDATE SET sequence = lane.sequence + $3 RETURNING sequence",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(i64::from(count))
        .fetch_one(&mut self.inner)
        .await?)
    }
}
