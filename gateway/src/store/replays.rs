//! Messages, events and inputs that are tried again, many at a time: which were chosen, and what became of each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::MessageId;
use uuid::Uuid;

use super::sql::{Row, query, query_scalar};
use super::tx::{micros, timestamp, uuid};
use super::{OutboxState, StoreError, Tx};

/// What is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// Messages that wait in no lane any more.
    #[default]
    Messages,
    /// Events that could not take effect.
    Events,
    /// Inputs of which something could not be used.
    Inputs,
}

/// A replay as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub started_at: Timestamp,
    /// Who began it.
    pub started_by: String,
    /// What is chosen, and by what, as JSON.
    pub conditions: String,
    /// The last position when it began, for inputs the time in microseconds: what comes later is not chosen.
    pub up_to: i64,
    /// The lane in which it stands; for inputs the id of the one that was looked at last.
    pub at_lane: String,
    /// The position that was looked at last; for inputs its time.
    pub at_position: i64,
    /// Whether everything was looked at.
    pub is_done: bool,
}

/// What of a message is needed to choose it: nothing that is sealed.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its id.
    pub id: MessageId,
    /// Order in the lane.
    pub position: i64,
    /// Keyed hash of its case.
    pub case_key: Vec<u8>,
    /// State.
    pub state: OutboxState,
    /// Whose fault the last failure was.
    pub fault: Option<String>,
    /// Why it is parked.
    pub note: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

impl Tx {
    /// Keeps a replay, or how far it came.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_replay(&mut self, row: &ReplayRow) -> Result<(), StoreError> {
        query(
            "INSERT INTO replay (jurisdiction, id, started_at, started_by, conditions, up_to, at_lane, at_position, is_done) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (jurisdiction, id) DO UPDATE SET at_lane = $7, at_position = $8, is_done = $9",
        )
        .bind(self.jurisdiction())
        .bind(row.id.as_bytes().as_slice())
        .bind(micros(row.started_at))
        .bind(&row.started_by)
        .bind(&row.conditions)
        .bind(row.up_to)
        .bind(&row.at_lane)
        .bind(row.at_position)
        .bind(i64::from(row.is_done))
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// A replay by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replay(&mut self, id: Uuid) -> Result<Option<ReplayRow>, StoreError> {
        let row = query("SELECT * FROM replay WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut self.inner)
            .await?;
        let replay = |row: Row| {
            Ok(ReplayRow {
                id,
                started_at: timestamp(row.get("started_at"))?,
                started_by: row.get("started_by"),
                conditions: row.get("conditions"),
                up_to: row.get("up_to"),
                at_lane: row.get("at_lane"),
                at_position: row.get("at_position"),
                is_done: row.get::<i64>("is_done") != 0,
            })
        };
        row.map(replay).transpose()
    }

    /// The last position of the outbox.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_of_outbox(&mut self) -> Result<i64, StoreError> {
        Ok(
            query_scalar("SELECT COALESCE(MAX(position), 0) FROM outbox WHERE jurisdiction = $1")
                .bind(self.jurisdiction())
                .fetch_one(&mut self.inner)
                .await?,
        )
    }

    /// Messages of a lane in one state whose content is kept, after a position and up to another, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn choices(
        &mut self,
        lane: &str,
        state: OutboxState,
        after: i64,
        up_to: i64,
        limit: i64,
    ) -> Result<Vec<Choice>, StoreError> {
        let rows = query(
            "SELECT id, position, case_key, fault, note, created_at FROM outbox \
             WHERE jurisdiction = $1 AND state = $2 AND lane = $3 AND position > $4 AND position <= $5 \
             AND disposed_at IS NULL ORDER BY position LIMIT $6",
        )
        .bind(self.jurisdiction())
        .bind(state.code())
        .bind(lane)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.into_iter()
            .map(|row| {
                let id: Vec<u8> = row.get("id");
                Ok(Choice {
                    id: MessageId(uuid(&id)?),
                    position: row.get("position"),
                    case_key: row.get("case_key"),
                    state,
                    fault: row.get("fault"),
                    note: row.get("note"),
                    created_at: timestamp(row.get("created_at"))?,
                })
            })
            .collect()
    }

    /// Lets a message wait for an attempt again, with a fresh count of attempts; its place in the order stays. Returns
    /// whether it stood in that state with its content.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn requeue(
        &mut self,
        message: MessageId,
        from: OutboxState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = query(
            "UPDATE outbox SET state = 'queued', attempts = 0, due_at = $4, changed_at = $4, fault = NULL, note = NULL \
             WHERE jurisdiction = $1 AND id = $2 AND state = $3 AND disposed_at IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(message.as_bytes().as_slice())
        .bind(from.code())
        .bind(micros(now))
        .execute(&mut self.inner)
        .await?;
        self.tells |= done == 1;
        Ok(done == 1)
    }

    /// Keeps that a replay has chosen something, and why it was left as it was. What was chosen before stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_to_replay(
        &mut self,
        replay: Uuid,
        chosen: Uuid,
        skipped: Option<&str>,
    ) -> Result<(), StoreError> {
        query("INSERT INTO replay_message (jurisdiction, replay, message, skipped) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (jurisdiction, replay, message) DO NOTHING")
            .bind(self.jurisdiction())
            .bind(replay.as_bytes().as_slice())
            .bind(chosen.as_bytes().as_slice())
            .bind(skipped)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Keeps why something that a replay has chosen was left as it was after all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn skip_in_replay(
        &mut self,
        replay: Uuid,
        chosen: Uuid,
        why: &str,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE replay_message SET skipped = $4 WHERE jurisdiction = $1 AND replay = $2 AND message = $3",
        )
        .bind(self.jurisdiction())
        .bind(replay.as_bytes().as_slice())
        .bind(chosen.as_bytes().as_slice())
        .bind(why)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// How many of what a replay has chosen stand in each state now, and how many were left as they were, by reason. An event of which
    /// nothing stays counts as one that took effect; an input that was taken stands where its outcome says.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replayed(
        &mut self,
        replay: Uuid,
        of: Of,
    ) -> Result<(BTreeMap<String, i64>, BTreeMap<String, i64>), StoreError> {
        let text = match of {
            Of::Messages => {
                "SELECT r.skipped AS skipped, o.state AS state, COUNT(*) AS count FROM replay_message r \
                 JOIN outbox o ON o.jurisdiction = r.jurisdiction AND o.id = r.message \
                 WHERE r.jurisdiction = $1 AND r.replay = $2 GROUP BY r.skipped, o.state"
            }
            Of::Events => {
                "SELECT r.skipped AS skipped, COALESCE(e.state, 'applied') AS state, COUNT(*) AS count FROM replay_message r \
                 LEFT JOIN event e ON e.jurisdiction = r.jurisdiction AND e.id = r.message \
                 WHERE r.jurisdiction = $1 AND r.replay = $2 GROUP BY r.skipped, e.state"
            }
            Of::Inputs => {
                "SELECT r.skipped AS skipped, CASE i.state WHEN 'published' THEN i.outcome ELSE i.state END AS state, \
                 COUNT(*) AS count FROM replay_message r \
                 JOIN input i ON i.jurisdiction = r.jurisdiction AND i.id = r.message \
                 WHERE r.jurisdiction = $1 AND r.replay = $2 \
                 GROUP BY r.skipped, CASE i.state WHEN 'published' THEN i.outcome ELSE i.state END"
            }
        };
        let rows = query(text)
            .bind(self.jurisdiction())
            .bind(replay.as_bytes().as_slice())
            .fetch_all(&mut self.inner)
            .await?;
        let (mut states, mut skipped) = (BTreeMap::new(), BTreeMap::new());
        for row in rows {
            let count: i64 = row.get("count");
            let of = match row.get::<Option<String>>("skipped") {
                Some(reason) => skipped.entry(reason).or_default(),
                None => states.entry(row.get::<String>("state")).or_default(),
            };
            *of += count;
        }
        Ok((states, skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, contract, now, row};
    use super::*;
    use crate::store::OutboxRow;

    async fn what_is_put_back_keeps_its_place_and_is_counted_by_where_it_stands(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let mut ids = Vec::new();
        for case in ["case-1", "case-2", "case-3"] {
            let queued = row(&tx, case);
            tx.add_outbox(&queued).await.unwrap();
            let parked = OutboxRow {
                state: OutboxState::Parked,
                attempts: 9,
                fault: Some("network".to_owned()),
                note: Some("timed out".to_owned()),
                ..queued
            };
            tx.move_outbox(&parked, OutboxState::Queued, now())
                .await
                .unwrap();
            ids.push(parked.id);
        }
        let up_to = tx.last_of_outbox().await.unwrap();
        let parked = OutboxState::Parked;
        let found = tx.choices("hmis-demo", parked, 0, up_to, 2).await.unwrap();
        assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), ids[..2]);
        assert_eq!(found[0].fault.as_deref(), Some("network"));
        let after = found[1].position;
        let rest = tx
            .choices("hmis-demo", parked, after, up_to, 2)
            .await
            .unwrap();
        assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), ids[2..]);
        assert!(
            tx.choices("hmis-demo", parked, after, after, 2)
                .await
                .unwrap()
                .is_empty()
        );

        let replay = ReplayRow {
            id: Uuid::now_v7(),
            started_at: now(),
            started_by: "operator".to_owned(),
            conditions: "{}".to_owned(),
            up_to,
            at_lane: String::new(),
            at_position: 0,
            is_done: false,
        };
        tx.put_replay(&replay).await.unwrap();
        for (place, id) in ids.iter().enumerate() {
            let skipped = (place == 2).then_some("cannot-be-delivered-again");
            if skipped.is_none() {
                assert!(tx.requeue(*id, parked, now()).await.unwrap());
                assert!(!tx.requeue(*id, parked, now()).await.unwrap(), "once");
            }
            tx.add_to_replay(replay.id, id.0, skipped).await.unwrap();
        }
        let again = tx.outbox(ids[0]).await.unwrap().unwrap();
        assert_eq!(
            (again.attempts, again.position, again.note),
            (0, found[0].position, None)
        );
        let (states, skipped) = tx.replayed(replay.id, Of::Messages).await.unwrap();
        assert_eq!(states, BTreeMap::from([("queued".to_owned(), 2)]));
        assert_eq!(
            skipped,
            BTreeMap::from([("cannot-be-delivered-again".to_owned(), 1)])
        );
        let done = ReplayRow {
            at_lane: "hmis-demo".to_owned(),
            at_position: up_to,
            is_done: true,
            ..replay
        };
        tx.put_replay(&done).await.unwrap();
        assert_eq!(tx.replay(done.id).await.unwrap(), Some(done));
        assert_eq!(tx.replay(Uuid::now_v7()).await.unwrap(), None);
    }

    contract!(what_is_put_back_keeps_its_place_and_is_counted_by_where_it_stands);
}
