//! What did not get through on the way in and can be tried again: events that are parked, and inputs of which something could not be
//! used.

use jiff::Timestamp;
use tandem_mappings::model::id::{EventId, InputId};

use super::inputs::{InputRow, input_row};
use super::sql::{Row, query, query_scalar};
use super::tx::{timestamp, uuid};
use super::{EventState, StoreError, Tx, WaitingEvent};
use crate::seal::SealError;

/// An event that was set aside: nothing of it that is sealed.
#[derive(Debug, Clone)]
pub struct ParkedRow {
    /// Its id.
    pub id: EventId,
    /// Place in the order of acceptance.
    pub position: i64,
    /// Who told it.
    pub system: String,
    /// Type.
    pub kind: String,
    /// Why it was set aside.
    pub note: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Tx {
    /// Parked events after a position and up to another, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn parked_events(
        &mut self,
        after: i64,
        up_to: i64,
        limit: i64,
    ) -> Result<Vec<ParkedRow>, StoreError> {
        let rows = query(
            "SELECT id, position, system, type, COALESCE(note, '') AS note, recorded_at FROM event \
             WHERE jurisdiction = $1 AND state = 'parked' AND position > $2 AND position <= $3 \
             ORDER BY position LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(parked_row).collect()
    }

    /// Events that stand in a state, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn events_aside(
        &mut self,
        state: EventState,
        limit: i64,
    ) -> Result<Vec<ParkedRow>, StoreError> {
        let rows = query(
            "SELECT id, position, system, type, COALESCE(note, '') AS note, recorded_at FROM event \
             WHERE jurisdiction = $1 AND state = $2 ORDER BY position DESC LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(state.code())
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(parked_row).collect()
    }

    /// An event by its place, if it stands in a state and its content is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event_aside(
        &mut self,
        position: i64,
        state: EventState,
    ) -> Result<Option<ParkedRow>, StoreError> {
        let row = query(
            "SELECT id, position, system, type, COALESCE(note, '') AS note, recorded_at FROM event \
             WHERE jurisdiction = $1 AND position = $2 AND state = $3 AND disposed_at IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .bind(state.code())
        .fetch_optional(&mut self.inner)
        .await?;
        row.as_ref().map(parked_row).transpose()
    }

    /// Parked events that ask for a referral, in order, as far as they open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn parked_requests(&mut self) -> Result<Vec<WaitingEvent>, StoreError> {
        let rows = query(
            "SELECT position, id, sealed, trace FROM event WHERE jurisdiction = $1 AND state = 'parked' \
             AND type IN ('referral.drafted', 'referral.requested') ORDER BY position",
        )
        .bind(self.jurisdiction())
        .fetch_all(&mut self.inner)
        .await?;
        self.those_that_open(&rows)
    }

    /// Lets a parked event try again, in its place in the order. Returns whether it was parked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unpark_event(&mut self, position: i64) -> Result<bool, StoreError> {
        let done = query(
            "UPDATE event SET state = 'waiting', note = NULL \
             WHERE jurisdiction = $1 AND position = $2 AND state = 'parked'",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .execute(&mut self.inner)
        .await?;
        self.tells |= done == 1;
        Ok(done == 1)
    }

    /// Inputs of which something could not be used, in the order in which they came: after one (its time in microseconds, its id), up
    /// to a time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unclean_inputs(
        &mut self,
        (time, id): (i64, &[u8]),
        up_to: i64,
        limit: i64,
    ) -> Result<Vec<InputRow>, StoreError> {
        let rows = query(
            "SELECT id, system, format, received_at, state, outcome, report FROM input \
             WHERE jurisdiction = $1 AND outcome IN ('rejected', 'partially-accepted', 'accepted-with-errors') \
             AND (received_at, id) > ($2, $3) AND received_at <= $4 AND state IN ('published', 'rejected') \
             ORDER BY received_at, id LIMIT $5",
        )
        .bind(self.jurisdiction())
        .bind(time)
        .bind(id)
        .bind(up_to)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(input_row).collect()
    }

    /// Whether the original of an input is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keeps_original(&mut self, id: InputId) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM input WHERE jurisdiction = $1 AND id = $2 AND disposed_at IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// Whether anything of its system took effect, or is about to, that came after an input.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_superseded(&mut self, id: InputId) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM input AS own JOIN input AS later ON later.jurisdiction = $1 \
             AND (later.received_at, later.id) > (own.received_at, own.id) AND later.system = own.system \
             AND later.state IN ('published', 'staging') WHERE own.jurisdiction = $1 AND own.id = $2 LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut self.inner)
        .await?;
        Ok(found.is_some())
    }
}

/// Whether a failure lies in the one event alone, and not in the keys.
pub(super) const fn is_of_event(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Shape { .. } | StoreError::Seal(SealError::DoesNotOpen)
    )
}

fn parked_row(row: &Row) -> Result<ParkedRow, StoreError> {
    let id: Vec<u8> = row.get("id");
    Ok(ParkedRow {
        id: EventId(uuid(&id)?),
        position: row.get("position"),
        system: row.get("system"),
        kind: row.get("type"),
        note: row.get("note"),
        recorded_at: timestamp(row.get("recorded_at"))?,
    })
}
