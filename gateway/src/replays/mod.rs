//! Replay: what did not get through is tried again, chosen by conditions: messages that were set aside, or delivered and lost by the
//! partner; events that could not take effect; inputs of which something could not be used.
//!
//! A replay looks at them in the order in which they came, a part at a time, and keeps how far it came. It can end after any part and
//! go on from there. What comes after it began is not chosen.

mod conditions;
mod events;
mod inputs;
pub mod large;
mod messages;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::conditions::{Conditions, Wanted};
use crate::intake::Intake;
use crate::pipeline::accept::AcceptError;
use crate::store::{EventState, InputState, Of, OutboxState, ReplayRow, StoreError, Tx};

/// What became of what was chosen: the four add up to `selected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Chosen so far.
    pub selected: i64,
    /// Put back, and waiting for an attempt or its turn. In a dry run: would be tried again.
    pub queued: i64,
    /// Put back, and since then delivered; an event took effect; of an input everything was used.
    pub delivered: i64,
    /// Put back, and since then parked, withdrawn, skipped or refused; of an input something still could not be used.
    pub failed: i64,
    /// Left as they were.
    pub skipped: i64,
    /// Why, with how many of each.
    pub skipped_for: BTreeMap<String, i64>,
}

impl Counts {
    /// Counts one that is chosen in a dry run, and why it would be left as it is.
    fn foresee(&mut self, obstacle: Option<&str>) {
        self.selected += 1;
        match obstacle {
            Some(why) => {
                self.skipped += 1;
                *self.skipped_for.entry(why.to_owned()).or_default() += 1;
            }
            None => self.queued += 1,
        }
    }
}

/// What a replay would do now. Nothing is changed.
///
/// # Errors
/// When the store fails.
pub async fn foresee(intake: &Intake, wanted: &Wanted) -> Result<Counts, StoreError> {
    let mut tx = intake.core.store.snapshot().await?;
    match wanted.of {
        Of::Messages => messages::foresee(&intake.core, &mut tx, &wanted.conditions).await,
        Of::Events => events::foresee(&mut tx, &wanted.conditions).await,
        Of::Inputs => inputs::foresee(intake, &mut tx, &wanted.conditions).await,
    }
}

/// Begins a replay; nothing is tried yet.
///
/// # Errors
/// When the store fails.
pub async fn begin(intake: &Intake, by: &str, wanted: &Wanted) -> Result<ReplayRow, StoreError> {
    let core = &intake.core;
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let row = ReplayRow {
        id: Uuid::now_v7(),
        started_at: now,
        started_by: by.to_owned(),
        conditions: wanted.text()?,
        up_to: match wanted.of {
            Of::Messages => tx.last_of_outbox().await?,
            Of::Events => tx.last_position().await?,
            Of::Inputs => now.as_microsecond(),
        },
        at_lane: String::new(),
        at_position: 0,
        is_done: false,
    };
    tx.put_replay(&row).await?;
    let id = row.id.to_string();
    tx.audit(now, by, "replay.start", &id, &row.conditions)
        .await?;
    tx.commit().await?;
    Ok(row)
}

/// Tries the next part of a replay. Returns the replay as it stands then; `None` for one that nobody began.
///
/// # Errors
/// When the store fails; of inputs also when one can't be read now.
pub async fn go_on(intake: &Intake, by: &str, id: Uuid) -> Result<Option<ReplayRow>, AcceptError> {
    let core = &intake.core;
    let now = core.clock.now();
    let row = core.store.snapshot().await?.replay(id).await?;
    let Some(row) = row.filter(|row| !row.is_done) else {
        return Ok(core.store.snapshot().await?.replay(id).await?);
    };
    let wanted = Wanted::of(&row.conditions)?;
    let reached = match wanted.of {
        // What was read stays so, whatever becomes of this request.
        Of::Inputs => Some(inputs::read(intake, &wanted.conditions, &row, now).await?),
        Of::Messages | Of::Events => None,
    };
    let mut tx = core.store.begin().await?;
    let Some(mut row) = tx.replay(id).await?.filter(|row| !row.is_done) else {
        return Ok(tx.replay(id).await?);
    };
    match reached {
        Some(reached) => reached.keep(&mut row),
        None if wanted.of == Of::Events => {
            events::put_back(&mut tx, &wanted.conditions, &mut row).await?;
        }
        None => messages::put_back(core, &mut tx, &wanted.conditions, &mut row, now).await?,
    }
    tx.put_replay(&row).await?;
    if row.is_done {
        let counts = counts(&mut tx, id, wanted.of).await?;
        let tried = counts.selected - counts.skipped;
        let detail = format!(
            "{} selected, {tried} queued, {} skipped",
            counts.selected, counts.skipped
        );
        tx.audit(now, by, "replay.end", &id.to_string(), &detail)
            .await?;
    }
    tx.commit().await?;
    core.wake();
    Ok(Some(row))
}

/// What became by now of what a replay has chosen.
///
/// # Errors
/// When the store fails.
pub async fn counts(tx: &mut Tx, id: Uuid, of: Of) -> Result<Counts, StoreError> {
    let (states, skipped_for) = tx.replayed(id, of).await?;
    let (waiting, through): (&[&str], &[&str]) = match of {
        Of::Messages => (
            &[OutboxState::Queued.code(), OutboxState::Failed.code()],
            &[
                OutboxState::Delivered.code(),
                OutboxState::Acknowledged.code(),
            ],
        ),
        Of::Events => (
            &[EventState::Waiting.code(), EventState::Deferred.code()],
            &[EventState::Applied.code()],
        ),
        Of::Inputs => (&[InputState::Staging.code()], &["accepted"]),
    };
    let sum =
        |wanted: &[&str]| -> i64 { wanted.iter().filter_map(|state| states.get(*state)).sum() };
    let (tried, skipped): (i64, i64) = (states.values().sum(), skipped_for.values().sum());
    let (queued, delivered) = (sum(waiting), sum(through));
    Ok(Counts {
        selected: tried + skipped,
        queued,
        delivered,
        failed: tried - queued - delivered,
        skipped,
        skipped_for,
    })
}
