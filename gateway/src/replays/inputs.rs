//! Inputs are read once more from the originals that were kept, by the readers and tables of today, in the order in which they came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_mappings::model::id::{InputId, SystemId};

use super::{Conditions, Counts};
use crate::intake::Intake;
use crate::pipeline::accept::AcceptError;
use crate::pipeline::accept::gate;
use crate::pipeline::accept::replay::Replay;
use crate::pipeline::core::Core;
use crate::store::{InputRow, InputState, ReplayRow, StoreError, Tx};

/// Inputs that are looked up at one time.
const PART: i64 = 100;
/// How long inputs are read in one part: whoever asked for it gets an answer, and can stop.
const LONGEST: Duration = Duration::from_secs(2);

/// Why an input is left as it is.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    /// Its original is in a blob: it is sent once more, under another name.
    Large,
    /// Its original is past its term.
    Disposed,
    /// Its original does not open, or its reader ended abnormally.
    Unreadable,
    /// Its system, or the format, is not configured any more.
    NoReader,
    /// Nothing of its system may enter.
    Closed,
}

impl Obstacle {
    const fn code(self) -> &'static str {
        match self {
            Self::Large => "large-file",
            Self::Disposed => "original-not-kept",
            Self::Unreadable => "cannot-be-read",
            Self::NoReader => "no-reader",
            Self::Closed => "may-not-enter",
        }
    }
}

/// What reads an input.
struct Reading {
    reader: Arc<dyn FormatReader>,
    context: ReadContext,
}

/// How far the reading came.
pub(super) struct Reached {
    last: Option<(Timestamp, InputId)>,
    is_done: bool,
}

impl Reached {
    /// Keeps it with the replay.
    pub(super) fn keep(self, row: &mut ReplayRow) {
        if let Some((at, id)) = self.last {
            (row.at_position, row.at_lane) = (at.as_microsecond(), id.to_string());
        }
        row.is_done = self.is_done;
    }
}

/// What reads an input, or why nothing can.
async fn reading(
    intake: &Intake,
    tx: &mut Tx,
    row: &InputRow,
) -> Result<Result<Reading, Obstacle>, StoreError> {
    let core = &intake.core;
    let system = row.system.parse::<SystemId>().ok();
    let known = system.and_then(|system| Some((core.organization_of(&system)?, system)));
    let Some((organization, system)) = known else {
        return Ok(Err(Obstacle::NoReader));
    };
    if gate::refuses_sender(core, &system) {
        return Ok(Err(Obstacle::Closed));
    }
    let format: Option<Format> = row.format.parse().ok();
    let reader = format.and_then(|format| intake.adapters.reader(&system, format));
    let Some(reader) = reader else {
        return Ok(Err(Obstacle::NoReader));
    };
    if tx.has_blob(row.id).await? {
        return Ok(Err(Obstacle::Large));
    }
    if !tx.keeps_original(row.id).await? {
        return Ok(Err(Obstacle::Disposed));
    }
    // Of the name under which it came a keyed hash is kept.
    let name = format!("input-{}", row.id);
    let context = intake.context(&system, &organization, &name, row.received_at)?;
    Ok(Ok(Reading { reader, context }))
}

/// What a replay would do now.
pub(super) async fn foresee(
    intake: &Intake,
    tx: &mut Tx,
    conditions: &Conditions,
) -> Result<Counts, StoreError> {
    let up_to = intake.core.clock.now().as_microsecond();
    let mut counts = Counts::default();
    let mut after = (i64::MIN, Vec::new());
    loop {
        let rows = tx.unclean_inputs((after.0, &after.1), up_to, PART).await?;
        let Some(last) = rows.last() else { break };
        after = place_of(last.received_at, last.id);
        for row in rows.iter().filter(|row| conditions.choose_input(row)) {
            let obstacle = reading(intake, tx, row).await?.err();
            counts.foresee(obstacle.map(Obstacle::code));
        }
    }
    Ok(counts)
}

/// Reads the next inputs. Each is kept with what came of it before the next is read; one that is read twice, because how far this came
/// could not be kept, is the same.
pub(super) async fn read(
    intake: &Intake,
    conditions: &Conditions,
    replay: &ReplayRow,
    now: Timestamp,
) -> Result<Reached, AcceptError> {
    let started = Instant::now();
    let after = match replay.at_lane.parse::<InputId>() {
        Ok(id) => (replay.at_position, id.as_bytes().to_vec()),
        Err(_) => (i64::MIN, Vec::new()),
    };
    let mut tx = intake.core.store.snapshot().await?;
    let rows = tx
        .unclean_inputs((after.0, &after.1), replay.up_to, PART)
        .await?;
    drop(tx);
    let mut reached = Reached {
        last: None,
        is_done: i64::try_from(rows.len()).is_ok_and(|count| count < PART),
    };
    for row in &rows {
        if reached.last.is_some() && started.elapsed() >= LONGEST {
            reached.is_done = false;
            break;
        }
        if conditions.choose_input(row) {
            others_first(&intake.core).await?;
            read_one(intake, replay, row, now).await?;
        }
        reached.last = Some((row.received_at, row.id));
    }
    Ok(reached)
}

/// Lets what waits take effect, for as long as somebody waits for an answer: by what is known it is decided what gets in.
async fn others_first(core: &Core) -> Result<(), StoreError> {
    let mut changed = core.changed.subscribe();
    let gone = async {
        while core.store.snapshot().await?.count_waiting().await? > 0 {
            if changed.changed().await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let waited = tokio::time::timeout(LONGEST, gone).await;
    waited.unwrap_or(Ok(()))
}

async fn read_one(
    intake: &Intake,
    replay: &ReplayRow,
    row: &InputRow,
    now: Timestamp,
) -> Result<(), AcceptError> {
    let Some(obstacle) = tried(intake, replay, row, now).await? else {
        return Ok(());
    };
    let mut tx = intake.core.store.begin().await?;
    tx.add_to_replay(replay.id, row.id.0, Some(obstacle.code()))
        .await?;
    Ok(tx.commit().await?)
}

/// Reads an input. Returns why that cannot be done.
async fn tried(
    intake: &Intake,
    replay: &ReplayRow,
    row: &InputRow,
    now: Timestamp,
) -> Result<Option<Obstacle>, AcceptError> {
    let mut tx = intake.core.store.snapshot().await?;
    let Reading { reader, context } = match reading(intake, &mut tx, row).await? {
        Ok(reading) => reading,
        Err(obstacle) => return Ok(Some(obstacle)),
    };
    let original = match tx.original(row.id).await {
        Ok(Some(original)) => original,
        Ok(None) => return Ok(Some(Obstacle::Disposed)),
        Err(StoreError::Seal(_)) => return Ok(Some(Obstacle::Unreadable)),
        Err(error) => return Err(error.into()),
    };
    drop(tx);
    let of = Replay {
        id: replay.id,
        came_at: row.received_at,
        took_effect: row.state != InputState::Rejected.code(),
    };
    let acceptor = &intake.acceptor;
    let read = acceptor.replay(reader, context, row.id, original, (of, now));
    match read.await {
        Ok(_) => Ok(None),
        Err(error) if is_of_the_input(&error) => Ok(Some(Obstacle::Unreadable)),
        Err(error) => Err(error),
    }
}

/// Whether the same would come of another try: the input is left as it is, and those after it are read.
const fn is_of_the_input(error: &AcceptError) -> bool {
    matches!(
        error,
        AcceptError::Reader(_)
            | AcceptError::Io(_)
            | AcceptError::Store(StoreError::Seal(_) | StoreError::Shape { .. })
    )
}

fn place_of(at: Timestamp, id: InputId) -> (i64, Vec<u8>) {
    (at.as_microsecond(), id.as_bytes().to_vec())
}
