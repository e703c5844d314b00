//! From which event a message follows, and what of that event an operator may read.

use jiff::Timestamp;
use tandem_mappings::model::id::{EventId, InputId, MessageId};

use super::sql::{Row, query, query_scalar};
use super::tx::{timestamp, uuid};
use super::{StoreError, Tx};

/// The event from which messages follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// An event that was accepted: whatever is written in the transaction follows from it.
    Accepted(i64),
    /// An event that the transaction itself records: what is written after it follows from it.
    Recorded(i64),
}

impl Cause {
    /// The event's position.
    pub(super) const fn position(self) -> i64 {
        match self {
            Self::Accepted(position) | Self::Recorded(position) => position,
        }
    }
}

/// What of an event is not sealed: nothing about a person.
#[derive(Debug, Clone)]
pub struct EventHead {
    /// Its id.
    pub id: EventId,
    /// Who told it.
    pub system: String,
    /// Its type.
    pub kind: String,
    /// The input that it came with.
    pub input: Option<InputId>,
    /// When it was stored.
    pub recorded_at: Timestamp,
}

impl Tx {
    /// The position of the event from which a message follows; `None` for one that was written before that was kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cause_of(&mut self, id: MessageId) -> Result<Option<i64>, StoreError> {
        let cause: Option<Option<i64>> =
            query_scalar("SELECT cause FROM outbox WHERE jurisdiction = $1 AND id = $2")
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&mut self.inner)
                .await?;
        Ok(cause.flatten())
    }

    /// What of an event is not sealed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event_head(&mut self, position: i64) -> Result<Option<EventHead>, StoreError> {
        let row = query(
            "SELECT id, system, type, input, recorded_at FROM event \
             WHERE jurisdiction = $1 AND position = $2",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .fetch_optional(&mut self.inner)
        .await?;
        let head = |row: Row| {
            let (id, input): (Vec<u8>, Option<Vec<u8>>) = (row.get("id"), row.get("input"));
            Ok(EventHead {
                id: EventId(uuid(&id)?),
                system: row.get("system"),
                kind: row.get("type"),
                input: input.map(|id| uuid(&id).map(InputId)).transpose()?,
                recorded_at: timestamp(row.get("recorded_at"))?,
            })
        };
        row.map(head).transpose()
    }

    /// In which format an input came.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn format_of_input(&mut self, id: InputId) -> Result<Option<String>, StoreError> {
        Ok(
            query_scalar("SELECT format FROM input WHERE jurisdiction = $1 AND id = $2")
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&mut self.inner)
                .await?,
        )
    }
}
