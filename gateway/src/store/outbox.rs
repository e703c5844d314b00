//! The outbox: what is to be told, in which lane, in which order, and how far it got.

use jiff::Timestamp;
use tandem_mappings::model::id::{DecisionId, MessageId};

use super::cause::Cause;
use super::logged::Logged;
use super::sql::{Row, query, query_scalar};
use super::tx::{micros, place, timestamp, uuid};
use super::{StoreError, Tx};
use crate::traces::Place;

/// Where a message stands. `Delivered` and `Acknowledged` tell of delivery, not of the referral's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutboxState {
    /// Waits for its first attempt.
    Queued,
    /// An attempt failed; waits for the next.
    Failed,
    /// The destination has it; its acknowledgement is awaited.
    Delivered,
    /// The destination acknowledged it.
    Acknowledged,
    /// Set aside; holds its case until replayed or skipped.
    Parked,
    /// Dropped before delivery: it may no longer be told.
    Withdrawn,
    /// Skipped by an operator.
    Skipped,
}

impl OutboxState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Failed,
        Self::Delivered,
        Self::Acknowledged,
        Self::Parked,
        Self::Withdrawn,
        Self::Skipped,
    ];

    /// The state as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::Parked => "parked",
            Self::Withdrawn => "withdrawn",
            Self::Skipped => "skipped",
        }
    }

    pub(super) fn from_code(code: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|state| state.code() == code)
            .ok_or(StoreError::Shape {
                kind: "outbox state",
            })
    }
}

/// A message in the outbox.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Message id.
    pub id: MessageId,
    /// Order in the lane.
    pub position: i64,
    /// Lane: the destination system.
    pub lane: String,
    /// Keyed hash of the case whose order it keeps.
    pub case_key: Vec<u8>,
    /// Kind of message.
    pub kind: String,
    /// State.
    pub state: OutboxState,
    /// Attempts so far.
    pub attempts: i64,
    /// Not before.
    pub due_at: Timestamp,
    /// When it was written.
    pub created_at: Timestamp,
    /// Last change of state.
    pub changed_at: Timestamp,
    /// The decision at the outbox.
    pub decision: DecisionId,
    /// The file that carried it.
    pub file: Option<String>,
    /// Whether an attempt hands it over and nobody has noted how that ended.
    pub is_handed: bool,
    /// Whose fault the last failure was.
    pub fault: Option<String>,
    /// Why it failed, is parked or withdrawn.
    pub note: Option<String>,
    /// What is to be told, before redaction, as JSON; empty once it was disposed of.
    pub content: Vec<u8>,
    /// Where it was written.
    pub trace: Option<Place>,
}

/// How many messages of a lane stand in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneCount {
    /// Lane.
    pub lane: String,
    /// State.
    pub state: OutboxState,
    /// How many.
    pub count: i64,
    /// When the oldest was written.
    pub oldest: Timestamp,
}

/// One attempt.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// Message.
    pub message: MessageId,
    /// From 1.
    pub number: i64,
    /// Start.
    pub started_at: Timestamp,
    /// End.
    pub ended_at: Timestamp,
    /// `delivered`, `acknowledged`, `retry`, `park`, `withdrawn`.
    pub outcome: String,
    /// Whose fault.
    pub fault: Option<String>,
    /// How the destination answered, as a class: `2xx`, `5xx`, `timeout`, `refused`, `tls`, `stored`; none when it was not asked.
    pub response: Option<String>,
    /// In words.
    pub note: Option<String>,
    /// The decision before the attempt.
    pub decision: DecisionId,
}

impl Tx {
    /// Adds a message; its position is set by the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_outbox(&mut self, row: &OutboxRow) -> Result<(), StoreError> {
        let sealed = self
            .sealer
            .seal("outbox", "sealed", row.id.as_bytes(), &row.content)?;
        query(
            "INSERT INTO outbox (jurisdiction, id, position, lane, case_key, kind, state, attempts, due_at, created_at, changed_at, decision, sealed, cause, trace) \
             SELECT $1, $2, COALESCE(MAX(position), 0) + 1, $3, $4, $5, $6, 0, $7, $8, $8, $9, $10, $11, $12 \
             FROM outbox WHERE jurisdiction = $1",
        )
        .bind(self.jurisdiction())
        .bind(row.id.as_bytes().as_slice())
        .bind(&row.lane)
        .bind(row.case_key.as_slice())
        .bind(&row.kind)
        .bind(row.state.code())
        .bind(micros(row.due_at))
        .bind(micros(row.created_at))
        .bind(row.decision.as_bytes().as_slice())
        .bind(sealed)
        .bind(self.cause.map(Cause::position))
        .bind(row.trace.as_ref().map(ToString::to_string))
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        self.lanes.insert(row.lane.clone());
        Ok(())
    }

    /// Takes a row out that was never a message: the canary's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_outbox(&mut self, id: MessageId) -> Result<(), StoreError> {
        query("DELETE FROM outbox WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// A message by id.
    ///
    /// # Errors
    /// When the store fails or the message does not open.
    pub async fn outbox(&mut self, id: MessageId) -> Result<Option<OutboxRow>, StoreError> {
        let row = query("SELECT * FROM outbox WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut self.inner)
            .await?;
        row.map(|row| self.outbox_row(&row)).transpose()
    }

    /// A message by id without what it tells, which need not open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn outbox_head(&mut self, id: MessageId) -> Result<Option<OutboxRow>, StoreError> {
        let row = query("SELECT * FROM outbox WHERE jurisdiction = $1 AND id = $2")
            .bind(self.jurisdiction())
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut self.inner)
            .await?;
        row.map(|row| outbox_without_content(&row)).transpose()
    }

    /// Where a message stands, unless an attempt hands it over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn untried_state(
        &mut self,
        id: MessageId,
    ) -> Result<Option<OutboxState>, StoreError> {
        let state: Option<String> = query_scalar(
            "SELECT state FROM outbox WHERE jurisdiction = $1 AND id = $2 AND handed = 0",
        )
        .bind(self.jurisdiction())
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        state
            .map(|state| OutboxState::from_code(&state))
            .transpose()
    }

    /// All messages in one of the states, in order.
    ///
    /// # Errors
    /// When the store fails or a message does not open.
    pub async fn outbox_in(
        &mut self,
        states: &[OutboxState],
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut found = Vec::new();
        for state in states {
            let rows = query("SELECT * FROM outbox WHERE jurisdiction = $1 AND state = $2")
                .bind(self.jurisdiction())
                .bind(state.code())
                .fetch_all(&mut self.inner)
                .await?;
            for row in rows {
                found.push(self.outbox_row(&row)?);
            }
        }
        found.sort_by_key(|row| row.position);
        Ok(found)
    }

    /// The messages that a file carried.
    ///
    /// # Errors
    /// When the store fails or a message does not open.
    pub async fn outbox_of_file(
        &mut self,
        lane: &str,
        file: &str,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = query("SELECT * FROM outbox WHERE jurisdiction = $1 AND lane = $2 AND file = $3 ORDER BY position")
            .bind(self.jurisdiction())
            .bind(lane)
            .bind(file)
            .fetch_all(&mut self.inner)
            .await?;
        rows.iter().map(|row| self.outbox_row(row)).collect()
    }

    pub(super) fn outbox_row(&self, row: &Row) -> Result<OutboxRow, StoreError> {
        let disposed_at: Option<i64> = row.get("disposed_at");
        let mut message = outbox_without_content(row)?;
        if disposed_at.is_none() {
            let (id, sealed): (Vec<u8>, Vec<u8>) = (row.get("id"), row.get("sealed"));
            message.content = self.sealer.open("outbox", "sealed", &id, &sealed)?;
        }
        Ok(message)
    }

    /// Moves a message on; the state it had is named, so that nothing is moved twice.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn move_outbox(
        &mut self,
        row: &OutboxRow,
        from: OutboxState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = query(
            "UPDATE outbox SET state = $4, attempts = $5, due_at = $6, changed_at = $7, file = $8, fault = $9, note = $10, handed = $11 \
             WHERE jurisdiction = $1 AND id = $2 AND state = $3",
        )
        .bind(self.jurisdiction())
        .bind(row.id.as_bytes().as_slice())
        .bind(from.code())
        .bind(row.state.code())
        .bind(row.attempts)
        .bind(micros(row.due_at))
        .bind(micros(now))
        .bind(row.file.as_deref())
        .bind(row.fault.as_deref())
        .bind(row.note.as_deref())
        .bind(i64::from(row.is_handed))
        .execute(&mut self.inner)
        .await?;
        if done == 1 {
            self.tells = true;
            self.lanes.insert(row.lane.clone());
        }
        Ok(done == 1)
    }

    /// Records an attempt.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_attempt(&mut self, attempt: &AttemptRow) -> Result<(), StoreError> {
        let written = query(
            "INSERT INTO attempt (jurisdiction, message, number, started_at, ended_at, outcome, fault, note, decision, response) \
             SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, $6, $7, $8, $9 FROM attempt \
             WHERE jurisdiction = $1 AND message = $2 RETURNING *",
        )
        .bind(self.jurisdiction())
        .bind(attempt.message.as_bytes().as_slice())
        .bind(micros(attempt.started_at))
        .bind(micros(attempt.ended_at))
        .bind(&attempt.outcome)
        .bind(attempt.fault.as_deref())
        .bind(attempt.note.as_deref())
        .bind(attempt.decision.as_bytes().as_slice())
        .bind(attempt.response.as_deref())
        .fetch_one(&mut self.inner)
        .await?;
        let logged = Logged::Attempt(attempt.message, written.get("number"));
        self.log_written(&logged, written, None).await
    }

    /// The attempts of a message, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attempts(&mut self, message: MessageId) -> Result<Vec<AttemptRow>, StoreError> {
        let rows =
            query("SELECT * FROM attempt WHERE jurisdiction = $1 AND message = $2 ORDER BY number")
                .bind(self.jurisdiction())
                .bind(message.as_bytes().as_slice())
                .fetch_all(&mut self.inner)
                .await?;
        rows.into_iter()
            .map(|row| {
                let decision: Vec<u8> = row.get("decision");
                Ok(AttemptRow {
                    message,
                    number: row.get("number"),
                    started_at: timestamp(row.get("started_at"))?,
                    ended_at: timestamp(row.get("ended_at"))?,
                    outcome: row.get("outcome"),
                    fault: row.get("fault"),
                    response: row.get("response"),
                    note: row.get("note"),
                    decision: DecisionId(uuid(&decision)?),
                })
            })
            .collect()
    }

    /// How many messages of each lane stand in each state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lane_counts(&mut self) -> Result<Vec<LaneCount>, StoreError> {
        let rows = query(
            "SELECT counted.lane, counted.state, counted.count, first.created_at AS oldest FROM \
             (SELECT state, lane, COUNT(*) AS count, MIN(position) AS position FROM outbox \
             WHERE jurisdiction = $1 GROUP BY state, lane) AS counted \
             JOIN outbox AS first ON first.jurisdiction = $1 AND first.position = counted.position \
             ORDER BY counted.lane, counted.state",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(LaneCount {
                    lane: row.get("lane"),
                    state: OutboxState::from_code(row.get("state"))?,
                    count: row.get("count"),
                    oldest: timestamp(row.get("oldest"))?,
                })
            })
            .collect()
    }
}

/// A message without what it tells.
pub(super) fn outbox_without_content(row: &Row) -> Result<OutboxRow, StoreError> {
    let id: Vec<u8> = row.get("id");
    let decision: Vec<u8> = row.get("decision");
    Ok(OutboxRow {
        id: MessageId(uuid(&id)?),
        position: row.get("position"),
        lane: row.get("lane"),
        case_key: row.get("case_key"),
        kind: row.get("kind"),
        state: OutboxState::from_code(row.get("state"))?,
        attempts: row.get("attempts"),
        due_at: timestamp(row.get("due_at"))?,
        created_at: timestamp(row.get("created_at"))?,
        changed_at: timestamp(row.get("changed_at"))?,
        decision: DecisionId(uuid(&decision)?),
        file: row.get("file"),
        is_handed: row.get::<i64>("handed") != 0,
        fault: row.get("fault"),
        note: row.get("note"),
        content: Vec::new(),
        trace: place(row),
    })
}
