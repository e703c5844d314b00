//! The append-only events, in the order in which they were accepted.

use jiff::Timestamp;
use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{EventId, InputId, SourcePersonId, SystemId};

use super::cause::Cause;
use super::retried::is_of_event;
use super::sql::{Row, query, query_scalar};
use super::tx::{micros, place, uuid};
use super::{StoreError, Tx};
use crate::traces::Place;

/// Where an event stands in the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// Of an input that is not yet complete.
    Staged,
    /// Accepted; its effects are still to come.
    Waiting,
    /// Its effects are in the state.
    Applied,
    /// Taken, but what it asks for waits for consent: an event of the gateway carries it out later.
    Deferred,
    /// Refused by a rule of the state machines; the note says why.
    Refused,
    /// Set aside: it could not be resolved; the note says why. Can be replayed.
    Parked,
    /// Set aside, and given up by an operator; the note says why. Can be taken up again.
    GivenUp,
}

impl EventState {
    /// The state as text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Waiting => "waiting",
            Self::Applied => "applied",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::Parked => "parked",
            Self::GivenUp => "given-up",
        }
    }
}

/// An event with its position.
#[derive(Debug, Clone)]
pub struct WaitingEvent {
    /// Position in the order of acceptance, from 1.
    pub position: i64,
    /// The event.
    pub event: Event,
    /// Where it was appended.
    pub trace: Option<Place>,
}

impl Tx {
    /// Appends an event. Returns its position.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn append_event(
        &mut self,
        event: &Event,
        input: Option<InputId>,
        state: EventState,
    ) -> Result<i64, StoreError> {
        let plain = serde_json::to_vec(event).map_err(|_| StoreError::Shape { kind: "event" })?;
        let sealed = self
            .sealer
            .seal("event", "sealed", event.id.as_bytes(), &plain)?;
        let about = self.about(&event.system, event.told.source_person_id.as_ref())?;
        let position = self.last_position().await? + 1;
        query(
            "INSERT INTO event (jurisdiction, position, id, input, system, type, occurred_at, recorded_at, state, sealed, about, trace, applied) \
             VALUES ($1, $12, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
             CASE WHEN $8 = 'applied' THEN (SELECT COALESCE(MAX(applied), 0) + 1 FROM event WHERE jurisdiction = $1) END)",
        )
        .bind(self.jurisdiction())
        .bind(event.id.as_bytes().as_slice())
        .bind(input.map(|id| id.as_bytes().to_vec()))
        .bind(event.system.as_str())
        .bind(event.told.body.event_type())
        .bind(micros(event.told.occurred_at))
        .bind(micros(event.recorded_at))
        .bind(state.code())
        .bind(sealed)
        .bind(about.as_slice())
        .bind(Place::here().map(|place| place.to_string()))
        .bind(position)
        .execute(&mut self.inner)
        .await?;
        self.inner.known.last_event = Some(position);
        self.tells |= state == EventState::Waiting;
        let is_of_delivery = event.told.body.event_type().starts_with("delivery.");
        let has_accepted = matches!(self.cause, Some(Cause::Accepted(_)));
        if state == EventState::Applied && !is_of_delivery && !has_accepted {
            self.cause = Some(Cause::Recorded(position));
        }
        Ok(position)
    }

    /// Lets all staged events of an input go on to their effects.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn publish_events(&mut self, input: InputId) -> Result<(), StoreError> {
        query(
            "UPDATE event SET state = 'waiting' \
             WHERE jurisdiction = $1 AND input = $2 AND state = 'staged'",
        )
        .bind(self.jurisdiction())
        .bind(input.as_bytes().as_slice())
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        Ok(())
    }

    /// The staged events of an input from a position on, in order.
    ///
    /// # Errors
    /// When the store fails or an event does not open.
    pub async fn staged_events(
        &mut self,
        input: InputId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<WaitingEvent>, StoreError> {
        let rows = query(
            "SELECT position, id, sealed, trace FROM event \
             WHERE jurisdiction = $1 AND input = $2 AND state = 'staged' AND position > $3 \
             ORDER BY position LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(input.as_bytes().as_slice())
        .bind(after)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        self.open_events(rows)
    }

    /// Drops a staged event that turned out to be a repeat.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_event(&mut self, position: i64) -> Result<(), StoreError> {
        self.inner.known.last_event = None;
        query("DELETE FROM event WHERE jurisdiction = $1 AND position = $2 AND state = 'staged'")
            .bind(self.jurisdiction())
            .bind(position)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Forgets an event that was taken and must leave no trace.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_event(&mut self, position: i64) -> Result<(), StoreError> {
        self.inner.known.last_event = None;
        query("DELETE FROM event WHERE jurisdiction = $1 AND position = $2")
            .bind(self.jurisdiction())
            .bind(position)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Drops the staged events of an input that was rejected as a whole; its original is kept for replay.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn discard_staged(&mut self, input: InputId) -> Result<(), StoreError> {
        self.inner.known.last_event = None;
        query("DELETE FROM event WHERE jurisdiction = $1 AND input = $2 AND state = 'staged'")
            .bind(self.jurisdiction())
            .bind(input.as_bytes().as_slice())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// The next events whose effects are still to come, oldest first.
    ///
    /// # Errors
    /// When the store fails or an event does not open.
    pub async fn waiting_events(&mut self, limit: i64) -> Result<Vec<WaitingEvent>, StoreError> {
        let rows = self.waiting_rows(limit).await?;
        self.open_events(rows)
    }

    /// The same events as far as they open, and of the others where they stand, their ids and why they do not.
    ///
    /// # Errors
    /// When the store fails, or a key is not there: then it is nothing of the event's.
    pub async fn waiting_each(
        &mut self,
        limit: i64,
    ) -> Result<(Vec<WaitingEvent>, Vec<(i64, EventId, StoreError)>), StoreError> {
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for row in self.waiting_rows(limit).await? {
            match self.open_event(&row) {
                Ok(event) => open.push(event),
                Err(error) if is_of_event(&error) => {
                    let id: Vec<u8> = row.get("id");
                    closed.push((row.get("position"), EventId(uuid(&id)?), error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((open, closed))
    }

    async fn waiting_rows(&mut self, limit: i64) -> Result<Vec<Row>, StoreError> {
        let rows = query(
            "SELECT position, id, sealed, trace FROM event \
             WHERE jurisdiction = $1 AND state = 'waiting' ORDER BY position LIMIT $2",
        )
        .bind(self.jurisdiction())
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        Ok(rows)
    }

    /// The events of a person's record whose effects are still to come: it was told or sealed. In order. One that does not open is
    /// passed over: it takes no effect.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn waiting_of(
        &mut self,
        system: &SystemId,
        person: &SourcePersonId,
    ) -> Result<Vec<WaitingEvent>, StoreError> {
        let about = self.about(system, Some(person))?;
        let rows = query(
            "SELECT position, id, sealed, trace FROM event WHERE jurisdiction = $1 AND state = 'waiting' AND about = $2 \
             AND type IN ('record.received', 'record.sealed') \
             UNION ALL \
             SELECT position, id, sealed, trace FROM event WHERE jurisdiction = $1 AND state = 'waiting' AND about IS NULL \
             AND type IN ('record.received', 'record.sealed')",
        )
        .bind(self.jurisdiction())
        .bind(about.as_slice())
        .fetch_all(&mut self.inner)
        .await?;
        let mut events = self.those_that_open(&rows)?;
        // In the order of the store the planner would go through all that wait.
        events.sort_by_key(|one| one.position);
        events.retain(|one| {
            one.event.system == *system && one.event.told.source_person_id.as_ref() == Some(person)
        });
        Ok(events)
    }

    /// The keyed hash of whom an event is about; one of its own where that is nobody.
    fn about(
        &self,
        system: &SystemId,
        person: Option<&SourcePersonId>,
    ) -> Result<[u8; 32], StoreError> {
        let whom = person.map(|person| format!("{system}\n{person}"));
        self.mac("event.about", whom.as_deref().unwrap_or_default())
    }

    /// How many events lie between the first that waits and the last: at least as many as wait.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn backlog(&mut self) -> Result<u64, StoreError> {
        let ends = [
            "SELECT position FROM event WHERE jurisdiction = $1 AND state = 'waiting' ORDER BY position LIMIT 1",
            "SELECT position FROM event WHERE jurisdiction = $1 AND state = 'waiting' ORDER BY position DESC LIMIT 1",
        ];
        let mut found: [Option<i64>; 2] = [None; 2];
        for (end, text) in found.iter_mut().zip(ends) {
            *end = query_scalar(text)
                .bind(self.jurisdiction())
                .fetch_optional(&mut self.inner)
                .await?;
        }
        Ok(match found {
            [Some(first), Some(last)] => u64::try_from(last - first).unwrap_or(0) + 1,
            _ => 0,
        })
    }

    /// Applied events from a position on whose content is kept, in order.
    ///
    /// # Errors
    /// When the store fails or an event does not open.
    pub async fn events_after(
        &mut self,
        position: i64,
        limit: i64,
    ) -> Result<Vec<WaitingEvent>, StoreError> {
        let rows = query(
            "SELECT position, id, sealed, trace FROM event \
             WHERE jurisdiction = $1 AND position > $2 AND state = 'applied' AND disposed_at IS NULL \
             ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        self.open_events(rows)
    }

    pub(super) fn open_events(&self, rows: Vec<Row>) -> Result<Vec<WaitingEvent>, StoreError> {
        rows.into_iter().map(|row| self.open_event(&row)).collect()
    }

    fn open_event(&self, row: &Row) -> Result<WaitingEvent, StoreError> {
        let id: Vec<u8> = row.get("id");
        let sealed: Vec<u8> = row.get("sealed");
        let plain = self.sealer.open("event", "sealed", &id, &sealed)?;
        let event =
            serde_json::from_slice(&plain).map_err(|_| StoreError::Shape { kind: "event" })?;
        Ok(WaitingEvent {
            position: row.get("position"),
            event,
            trace: place(row),
        })
    }

    pub(super) fn those_that_open(&self, rows: &[Row]) -> Result<Vec<WaitingEvent>, StoreError> {
        let mut events = Vec::new();
        for row in rows {
            match self.open_event(row) {
                Ok(event) => events.push(event),
                Err(error) if is_of_event(&error) => {
                    let position: i64 = row.get("position");
                    tracing::error!(position, %error, "an event does not open; it is passed over");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Takes an event whose effects are still to come, as one that has them: it stands in the order of effects before whatever
    /// follows from it. Whoever finds that it comes out otherwise says so ([`Tx::settle_event`]). Returns whether there was such
    /// an event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_event(&mut self, position: i64) -> Result<bool, StoreError> {
        // PostgreSQL would go by the index of those that wait, through all that ever did and were not yet cleared away.
        let done = query(
            "UPDATE event SET state = 'applied', \
             applied = (SELECT COALESCE(MAX(applied), 0) + 1 FROM event WHERE jurisdiction = $1) \
             WHERE jurisdiction = $1 AND position = $2 AND COALESCE(state, '') = 'waiting'",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .execute(&mut self.inner)
        .await?;
        if done == 1 {
            self.cause = Some(Cause::Accepted(position));
        }
        Ok(done == 1)
    }

    /// Applied events in the order in which they took effect, after a place in it, as far as their content is kept. Returns
    /// the last place, too.
    ///
    /// # Errors
    /// When the store fails or an event does not open.
    pub async fn events_as_applied(
        &mut self,
        after: i64,
        limit: i64,
    ) -> Result<(i64, Vec<WaitingEvent>), StoreError> {
        let rows = query(
            "SELECT position, id, sealed, trace, applied FROM event \
             WHERE jurisdiction = $1 AND applied > $2 AND state = 'applied' AND disposed_at IS NULL \
             ORDER BY applied LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(after)
        .bind(limit)
        .fetch_all(&mut self.inner)
        .await?;
        let last = rows.last().map_or(after, |row| row.get("applied"));
        Ok((last, self.open_events(rows)?))
    }

    /// Says how an event came out. The note holds no personal data.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_event(
        &mut self,
        position: i64,
        state: EventState,
        note: Option<&str>,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE event SET state = $3, note = $4, applied = CASE WHEN $3 = 'applied' THEN \
             COALESCE(applied, (SELECT COALESCE(MAX(applied), 0) + 1 FROM event WHERE jurisdiction = $1)) END \
             WHERE jurisdiction = $1 AND position = $2",
        )
        .bind(self.jurisdiction())
        .bind(position)
        .bind(state.code())
        .bind(note)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// The last position.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_position(&mut self) -> Result<i64, StoreError> {
        if let Some(position) = self.inner.known.last_event {
            return Ok(position);
        }
        let position =
            query_scalar("SELECT COALESCE(MAX(position), 0) FROM event WHERE jurisdiction = $1")
                .bind(self.jurisdiction())
                .fetch_one(&mut self.inner)
                .await?;
        self.inner.known.last_event = Some(position);
        Ok(position)
    }

    /// How many events stand in a state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_events(&mut self, state: EventState) -> Result<i64, StoreError> {
        Ok(
            query_scalar("SELECT COUNT(*) FROM event WHERE jurisdiction = $1 AND state = $2")
                .bind(self.jurisdiction())
                .bind(state.code())
                .fetch_one(&mut self.inner)
                .await?,
        )
    }

    /// How far the events of an input got: type, state and note of each, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn input_events(
        &mut self,
        input: InputId,
    ) -> Result<Vec<(String, String, String)>, StoreError> {
        let rows = query(
            "SELECT type, state, COALESCE(note, '') AS note FROM event \
             WHERE jurisdiction = $1 AND input = $2 ORDER BY position",
        )
        .bind(self.jurisdiction())
        .bind(input.as_bytes().as_slice())
        .fetch_all(&mut self.inner)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.get("type"), row.get("state"), row.get("note")))
            .collect())
    }

    /// When an event of this id was recorded, for look-ups by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event_exists(&mut self, id: uuid::Uuid) -> Result<bool, StoreError> {
        let found: Option<i64> =
            query_scalar("SELECT position FROM event WHERE jurisdiction = $1 AND id = $2")
                .bind(self.jurisdiction())
                .bind(id.as_bytes().as_slice())
                .fetch_optional(&mut self.inner)
                .await?;
        Ok(found.is_some())
    }

    /// A new event id that sorts after all earlier ones of the same time.
    #[must_use]
    pub fn new_event_id(&self, at: Timestamp) -> uuid::Uuid {
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
        uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
    }
}
