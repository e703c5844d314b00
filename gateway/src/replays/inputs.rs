//! Inputs are read once more from the originals that were kept, by the readers and tables of today, in the order in which they came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Report;
use tandem_mappings::model::id::{InputId, SystemId};

use super::{Conditions, Counts};
use crate::intake::Intake;
use crate::pipeline::accept::AcceptError;
use crate::pipeline::accept::gate;
use crate::pipeline::accept::replay::Replay;
use crate::pipeline::core::Core;
use crate::pipeline::original::Damage;
use crate::store::{BlobPart, BlobRow, InputRow, InputState, ReplayRow, StoreError, Tx};

/// Inputs that are looked up at one time.
const PART: i64 = 100;
/// How long inputs are read in one part: whoever asked for it gets an answer, and can stop.
const LONGEST: Duration = Duration::from_secs(2);

/// Why an input is left as it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Obstacle {
    /// Its original is past its term, or was never kept.
    Disposed,
    /// Its original does not open, or its reader ended abnormally.
    Unreadable,
    /// Its system, or the format, is not configured any more, or nobody reads it: a system's own events are the system's to
    /// correct.
    NoReader,
    /// Nothing of its system may enter.
    Closed,
}

impl Obstacle {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Disposed => "original-not-kept",
            Self::Unreadable => "cannot-be-read",
            Self::NoReader => "no-reader",
            Self::Closed => "may-not-enter",
        }
    }
}

/// What reads an input.
pub(super) struct Reading {
    pub(super) reader: Arc<dyn FormatReader>,
    pub(super) context: ReadContext,
}

/// Where the original of an input is.
enum Original {
    /// With the input.
    Here,
    /// In a blob.
    Blob(BlobRow),
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

/// What reads an input of a system in a format, or why nothing can.
pub(super) fn reader_of(
    intake: &Intake,
    system: &SystemId,
    format: Option<Format>,
    (name, came_at): (&str, Timestamp),
) -> Result<Result<Reading, Obstacle>, StoreError> {
    let core = &intake.core;
    let Some(organization) = core.organization_of(system) else {
        return Ok(Err(Obstacle::NoReader));
    };
    if gate::refuses_sender(core, system) {
        return Ok(Err(Obstacle::Closed));
    }
    let reader = format.and_then(|format| intake.adapters.reader(system, format));
    let Some(reader) = reader else {
        return Ok(Err(Obstacle::NoReader));
    };
    let context = intake.context(system, &organization, name, came_at)?;
    Ok(Ok(Reading { reader, context }))
}

/// What reads an input from where, or why nothing can.
async fn reading(
    intake: &Intake,
    tx: &mut Tx,
    row: &InputRow,
) -> Result<Result<(Reading, Original), Obstacle>, StoreError> {
    let Ok(system) = row.system.parse::<SystemId>() else {
        return Ok(Err(Obstacle::NoReader));
    };
    let name = name_of(row);
    let format = row.format.parse().ok();
    let reading = match reader_of(intake, &system, format, (&name, row.received_at))? {
        Ok(reading) => reading,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    if is_without_original(row) || !tx.keeps_original(row.id).await? {
        return Ok(Err(Obstacle::Disposed));
    }
    let blob = tx.blob(row.id, BlobPart::Original).await?;
    Ok(Ok((reading, blob.map_or(Original::Here, Original::Blob))))
}

/// Whether nothing of an input was kept when it came: by reading nothing its report would only get worse.
fn is_without_original(row: &InputRow) -> bool {
    let report = row.report.as_deref();
    let report: Option<Report> = report.and_then(|text| serde_json::from_str(text).ok());
    let mut deviations = report.into_iter().flat_map(|report| report.deviations);
    deviations.any(|deviation| deviation.code == Damage::CODE)
}

/// Under which name an input is read once more: of the one under which it came a keyed hash is kept.
fn name_of(row: &InputRow) -> String {
    format!("input-{}", row.id)
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
            if let Ok(system) = row.system.parse() {
                Before::Events.goes(&intake.core, &system).await?;
            }
            match read_one(intake, replay, row, now).await {
                // A large input of its system is on its way: the next part goes on here.
                Err(AcceptError::Busy(system)) => {
                    Before::LargeInput.goes(&intake.core, &system).await?;
                    reached.is_done = false;
                    break;
                }
                read => read?,
            }
        }
        reached.last = Some((row.received_at, row.id));
    }
    Ok(reached)
}

/// What of a system comes before an input that is read once more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before {
    /// Events that wait to take effect: by what is known it is decided what gets in.
    Events,
    /// A large input on its way into the store.
    LargeInput,
}

impl Before {
    async fn is_there(self, core: &Core, system: &SystemId) -> Result<bool, StoreError> {
        match self {
            Self::Events => core.store.snapshot().await?.has_waiting_of(system).await,
            Self::LargeInput => core.files.has_in_work(&core.store, system).await,
        }
    }

    /// Lets it go first, for as long as somebody waits for an answer.
    pub(super) async fn goes(self, core: &Core, system: &SystemId) -> Result<(), StoreError> {
        let mut changed = core.changed.subscribe();
        let gone = async {
            while self.is_there(core, system).await? {
                if changed.changed().await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        let waited = tokio::time::timeout(LONGEST, gone).await;
        waited.unwrap_or(Ok(()))
    }
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
    let (Reading { reader, context }, original) = match reading(intake, &mut tx, row).await? {
        Ok(reading) => reading,
        Err(obstacle) => return Ok(Some(obstacle)),
    };
    let of = Replay {
        id: replay.id,
        came_at: row.received_at,
        took_effect: row.state != InputState::Rejected.code(),
    };
    let acceptor = &intake.acceptor;
    if let Original::Blob(original) = original {
        drop(tx);
        let named = (&context.system, context.input_name.as_str());
        acceptor
            .replay_large(named, row, &original, (of, now))
            .await?;
        return Ok(None);
    }
    let original = match tx.original(row.id).await {
        Ok(Some(original)) => original,
        Ok(None) => return Ok(Some(Obstacle::Disposed)),
        Err(StoreError::Seal(_)) => return Ok(Some(Obstacle::Unreadable)),
        Err(error) => return Err(error.into()),
    };
    drop(tx);
    let read = acceptor.replay(reader, context, row.id, original, (of, now));
    match read.await {
        Ok(_) => Ok(None),
        Err(error) if is_of_the_input(&error) => Ok(Some(Obstacle::Unreadable)),
        Err(error) => Err(error),
    }
}

/// Whether the same would come of another try: the input is left as it is, and those after it are read.
pub(super) const fn is_of_the_input(error: &AcceptError) -> bool {
    matches!(
        error,
        AcceptError::Reader(_)
            | AcceptError::Io(_)
            | AcceptError::NotCopyable(_)
            | AcceptError::Store(StoreError::Seal(_) | StoreError::Shape { .. })
    )
}

fn place_of(at: Timestamp, id: InputId) -> (i64, Vec<u8>) {
    (at.as_microsecond(), id.as_bytes().to_vec())
}
