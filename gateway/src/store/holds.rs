//! Lanes that were restored from a backup, what of theirs is in doubt, and who let them go on.

use jiff::Timestamp;
use tandem_mappings::model::id::MessageId;

use super::outbox::OutboxState;
use super::sql::{Row, query};
use super::tx::{micros, timestamp, uuid};
use super::{StoreError, Tx};

/// More deliveries than one lane makes in a second: each takes several commits.
const NUMBERS_A_SECOND: i64 = 100;

/// A lane that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Name: the destination system.
    pub lane: String,
    /// When it was restored.
    pub restored_at: Timestamp,
    /// When the backup was taken.
    pub taken_at: Timestamp,
    /// When somebody said that what happened since then is reconciled, and who.
    pub released: Option<(Timestamp, String)>,
}

/// A message that may have gone further after the backup than the backup knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtfulRow {
    /// Id.
    pub id: MessageId,
    /// Kind.
    pub kind: String,
    /// How it stands.
    pub state: OutboxState,
    /// When it was written.
    pub created_at: Timestamp,
}

impl Tx {
    /// Holds these lanes, and every other that the store knows. Deliveries are numbered on far beyond those that may
    /// have been made since the backup: a recipient takes two under one number for one.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn hold_lanes(
        &mut self,
        lanes: &[String],
        taken_at: Timestamp,
        restored_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut all = lanes.to_vec();
        let known = query("SELECT lane FROM lane WHERE jurisdiction = $1")
            .bind(self.jurisdiction())
            .fetch_all(&mut self.inner)
            .await?;
        all.extend(known.iter().map(|row| row.get::<String>("lane")));
        all.extend(self.lane_counts().await?.into_iter().map(|row| row.lane));
        all.sort();
        all.dedup();
        let elapsed = restored_at.duration_since(taken_at).as_secs().max(0);
        let ahead = elapsed.saturating_add(1).saturating_mul(NUMBERS_A_SECOND);
        for lane in all {
            query(
                "INSERT INTO lane (jurisdiction, lane, is_paused, sequence) VALUES ($1, $2, 0, $3) \
                 ON CONFLICT (jurisdiction, lane) DO UPDATE SET sequence = lane.sequence + $3",
            )
            .bind(self.jurisdiction())
            .bind(&lane)
            .bind(ahead)
            .execute(&mut self.inner)
            .await?;
            query(
                "INSERT INTO lane_hold (jurisdiction, lane, restored_at, taken_at) VALUES ($1, $2, $3, $4)",
            )
            .bind(self.jurisdiction())
            .bind(&lane)
            .bind(micros(restored_at))
            .bind(micros(taken_at))
            .execute(&mut self.inner)
            .await?;
        }
        Ok(())
    }

    /// Why a lane is held, if it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hold(&mut self, lane: &str) -> Result<Option<HoldRow>, StoreError> {
        let row = query(
            "SELECT * FROM lane_hold WHERE jurisdiction = $1 AND lane = $2 AND released_at IS NULL \
             ORDER BY restored_at DESC LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .fetch_optional(&mut self.inner)
        .await?;
        row.as_ref().map(hold).transpose()
    }

    /// Every lane that was ever restored, each with its last restoration.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds(&mut self) -> Result<Vec<HoldRow>, StoreError> {
        let rows = query(
            "SELECT * FROM lane_hold h WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM lane_hold l \
             WHERE l.jurisdiction = $1 AND l.lane = h.lane AND l.restored_at > h.restored_at) ORDER BY lane",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(hold).collect()
    }

    /// Lets a lane go on: somebody says that what was revoked and delivered since the backup is reconciled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release_lane(
        &mut self,
        lane: &str,
        at: Timestamp,
        by: &str,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE lane_hold SET released_at = $3, released_by = $4 \
             WHERE jurisdiction = $1 AND lane = $2 AND released_at IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(micros(at))
        .bind(by)
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(())
    }

    /// The messages of a lane that have not come to an end, in order: each may have gone further since a backup.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn doubtful(&mut self, lane: &str) -> Result<Vec<DoubtfulRow>, StoreError> {
        let mut found = Vec::new();
        // One by one, so that each goes by an index.
        for state in ["queued", "failed", "parked", "delivered"] {
            let rows = query(
                "SELECT id, position, kind, created_at FROM outbox \
                 WHERE jurisdiction = $1 AND lane = $2 AND state = $3 ORDER BY position",
            )
            .bind(self.jurisdiction())
            .bind(lane)
            .bind(state)
            .fetch_all(&mut self.inner)
            .await?;
            for row in &rows {
                let doubtful = DoubtfulRow {
                    id: MessageId(uuid(&row.get::<Vec<u8>>("id"))?),
                    kind: row.get("kind"),
                    state: OutboxState::from_code(state)?,
                    created_at: timestamp(row.get("created_at"))?,
                };
                found.push((row.get::<i64>("position"), doubtful));
            }
        }
        found.sort_by_key(|(position, _)| *position);
        Ok(found.into_iter().map(|(_, row)| row).collect())
    }
}

fn hold(row: &Row) -> Result<HoldRow, StoreError> {
    let released_at: Option<i64> = row.get("released_at");
    let released_by: Option<String> = row.get("released_by");
    Ok(HoldRow {
        lane: row.get("lane"),
        restored_at: timestamp(row.get("restored_at"))?,
        taken_at: timestamp(row.get("taken_at"))?,
        released: released_at
            .map(|at| Ok::<_, StoreError>((timestamp(at)?, released_by.unwrap_or_default())))
            .transpose()?,
    })
}
