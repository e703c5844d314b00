//! A lane: the messages of one destination, in order per case.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use jiff::Timestamp;
use tandem_adapter_port::write::{Delivery, FormatWriter};
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::SystemId;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use super::backoff;
use super::board::Signs;
use super::breaker::{Allowed, Breaker};
use super::carry::Carrier;
use super::numbers::Numbers;
use super::outcome::{self, Ended};
use super::ready::{self, Decided};
use super::{conversation, files};
use crate::config::LaneConfig;
use crate::figures;
use crate::pipeline::core::Core;
use crate::store::{Heads, OutboxRow, OutboxState, Scribe, StoreError, Tx, Wanted};

/// How often each of the attempts that a lane makes at one time is made anew before it looks up what is due.
const TURNS: usize = 8;
/// While so many messages are with the destination, the outcomes of twice as many may be noted.
const NOTING: usize = 2;
/// Numbers of posted files that are taken at one time.
const NUMBERS: u32 = 64;
/// Messages that are looked up in one turn at most, however many go together: they are in memory until it has ended.
const MOST: usize = 1_000;
/// How long a lane goes on without looking whether it was stopped.
const LOOK: Duration = Duration::from_secs(1);

/// How a lane's messages are written.
#[derive(Clone)]
pub enum Form {
    /// Files or posted messages.
    Files(Arc<dyn FormatWriter>),
    /// FHIR conversations.
    Fhir(Box<FhirConfig>),
}

/// One destination.
#[derive(Clone)]
pub struct Lane {
    /// The destination.
    pub system: SystemId,
    /// How it is reached.
    pub carrier: Carrier,
    /// How its messages are written.
    pub form: Form,
    pub(super) gate: Gate,
}

/// How much a lane may try, and where its attempts meet.
#[derive(Clone)]
pub(super) struct Gate {
    rate: Option<Arc<DefaultDirectRateLimiter>>,
    in_flight: usize,
    places: Arc<Semaphore>,
    /// Counts the lane's turns.
    turns: Arc<AtomicU64>,
    pub(super) signs: Signs,
    pub(super) numbers: Arc<Numbers>,
    pub(super) decided: Arc<Scribe<Decided>>,
    pub(super) ended: Arc<Scribe<Ended>>,
}

impl Gate {
    fn of(system: &SystemId, carrier: &Carrier, config: &LaneConfig) -> Self {
        let rate = config.messages_per_second.map(Quota::per_second);
        let numbers = match carrier {
            // A partner who reads a folder may miss a number.
            Carrier::Folder(_) => 1,
            Carrier::Push(..) | Carrier::Fhir(_) => NUMBERS,
        };
        let in_flight = match carrier {
            // The files of a folder are written in the order of their numbers.
            Carrier::Folder(_) => 1,
            Carrier::Push(..) | Carrier::Fhir(_) => {
                usize::try_from(config.in_flight.get()).unwrap_or(1)
            }
        };
        Self {
            rate: rate.map(|quota| Arc::new(RateLimiter::direct(quota))),
            in_flight,
            places: Arc::new(Semaphore::new(in_flight)),
            turns: Arc::default(),
            signs: Signs::new(Breaker::new(system.as_str())),
            numbers: Arc::new(Numbers::taking(numbers)),
            decided: Arc::default(),
            ended: Arc::default(),
        }
    }
}

impl Lane {
    /// A lane to a destination.
    #[must_use]
    pub fn new(system: SystemId, carrier: Carrier, form: Form, config: &LaneConfig) -> Self {
        let gate = Gate::of(&system, &carrier, config);
        Self {
            system,
            carrier,
            form,
            gate,
        }
    }

    /// Goes on at the pace of an earlier lane to the same destination: its rate and its breaker have no new beginning.
    pub(crate) fn go_on_as(&mut self, earlier: &Self) {
        self.gate = earlier.gate.clone();
    }

    /// Takes in what came of an attempt.
    pub(super) fn ended(&self, core: &Core, delivery: &Delivery, took: Duration) {
        figures::attempt_took(self.system.as_str(), took);
        let config = &core.loaded.config.delivery;
        self.gate
            .signs
            .breaker()
            .ended(config, delivery, core.clock.now());
    }

    /// Messages that go together.
    fn batch(&self) -> usize {
        match &self.form {
            Form::Files(writer) => writer.batch_limit().max(1),
            Form::Fhir(_) => 1,
        }
    }

    /// Batches that are tried or noted at one time.
    const fn at_once(&self) -> usize {
        match self.gate.in_flight {
            1 => 1,
            in_flight => in_flight * (1 + NOTING),
        }
    }

    /// Messages that are looked up in one turn.
    fn most(&self) -> usize {
        let turns = if self.gate.in_flight == 1 || self.gate.rate.is_some() {
            1
        } else {
            TURNS
        };
        let all = self.batch() * self.gate.in_flight * turns;
        all.min(self.batch().max(MOST))
    }

    /// Up to which position messages are tried now; `None` while the lane is paused or held.
    async fn tried_to(&self, tx: &mut Tx) -> Result<Option<i64>, StoreError> {
        let name = self.system.as_str();
        if tx.hold(name).await?.is_some() {
            return Ok(None);
        }
        Ok(tx.lane(name).await?.tried_to())
    }

    /// Waits until so many messages may go, by real time: a moved clock lets nothing through.
    async fn paced(&self, messages: usize, stop: &CancellationToken) {
        let Some(rate) = &self.gate.rate else { return };
        for _ in 0..messages {
            tokio::select! {
                () = stop.cancelled() => return,
                () = rate.until_ready() => {}
            }
        }
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(writer) => write!(f, "Form::Files({})", writer.format()),
            Self::Fhir(_) => f.write_str("Form::Fhir"),
        }
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lane({})", self.system)
    }
}

/// Runs a lane until cancelled.
pub async fn run(core: Arc<Core>, lane: Lane, stop: CancellationToken) {
    let mut bell = core.store.bell(lane.system.as_str());
    let _on_board = core
        .lanes
        .show(lane.system.as_str(), lane.gate.signs.clone());
    // Attempts may have ended, here or at a gateway before this one, without a note of how: when a lane begins, and whenever the store
    // has failed since.
    let begun_at = core.clock.now();
    let mut all_noted = false;
    loop {
        let turned = async {
            let mut left = None;
            if !all_noted {
                left = outcome::broke_off(&core, &lane.system, begun_at).await?;
            }
            Ok::<_, StoreError>((turn(&core, &lane, &stop).await?, left))
        };
        let turned = turned.await;
        all_noted = turned.as_ref().is_ok_and(|(_, left)| left.is_none());
        let turned = turned.map(|(turned, left)| turned.not_after(left));
        let pause = match turned {
            Ok(Turned::Tried) if !stop.is_cancelled() => continue,
            Ok(Turned::Tried) => return,
            Ok(Turned::Idle(until)) => until,
            Err(error) => {
                tracing::error!(lane = %lane.system, %error, "the lane cannot go on; it tries again at the next change");
                None
            }
        };
        let due = async {
            match pause {
                Some(at) => core.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = due => {}
            rung = bell.changed() => if rung.is_err() { return },
        }
    }
}

/// What came of a turn.
enum Turned {
    /// Something was due.
    Tried,
    /// Nothing was. When something will be, by the clock; before that only a change can make it so.
    Idle(Option<Timestamp>),
}

impl Turned {
    /// The same, with another turn at a time at the latest.
    fn not_after(self, at: Option<Timestamp>) -> Self {
        match self {
            Self::Idle(until) => Self::Idle(until.into_iter().chain(at).min()),
            Self::Tried => Self::Tried,
        }
    }
}

/// Up to which position a lane tries messages, and when it looked.
struct Looked {
    up_to: Option<i64>,
    at: Instant,
}

/// One turn of a lane: claims what is due and tries it.
///
/// # Errors
/// When the store fails.
async fn turn(
    core: &Arc<Core>,
    lane: &Lane,
    stop: &CancellationToken,
) -> Result<Turned, StoreError> {
    let started_at = core.clock.now();
    let limit = match lane.gate.signs.breaker().allows(started_at) {
        Allowed::All => lane.most(),
        Allowed::Probe => 1,
        Allowed::NotBefore(until) => return Ok(Turned::Idle(Some(until))),
    };
    let mut snapshot = core.store.snapshot().await?;
    let at = Instant::now();
    let Some(up_to) = lane.tried_to(&mut snapshot).await? else {
        return Ok(Turned::Idle(None));
    };
    let name = lane.system.as_str();
    let wanted = Wanted {
        lane: name,
        now: started_at,
        up_to,
        limit,
        turn: lane.gate.turns.fetch_add(1, Ordering::Relaxed),
    };
    let Heads {
        mut rows,
        unreadable,
    } = snapshot.due_outbox(&wanted).await?;
    let latest = backoff::latest(&core.loaded.config.delivery, started_at);
    let is_late = snapshot.last_due(name).await?.filter(|at| *at > latest);
    let has_changed = !unreadable.is_empty() || is_late.is_some();
    if rows.is_empty() && !has_changed {
        let due = snapshot.next_due(name, up_to).await?;
        return Ok(Turned::Idle(due.filter(|at| *at > started_at)));
    }
    drop(snapshot);
    if has_changed {
        mend(core, lane, unreadable, latest, started_at).await?;
    }
    // Each batch is decided right before its own attempt. No two rows are of one case.
    let mut batches = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(lane.batch().min(rows.len()));
        batches.push(std::mem::replace(&mut rows, rest));
    }
    let up_to = Some(up_to);
    let looked = Mutex::new(Looked { up_to, at });
    let mut attempts = futures::stream::iter(batches)
        .map(|rows| attempt(core, lane, rows, &looked, stop))
        .buffer_unordered(lane.at_once());
    let mut all = Ok(());
    while let Some(ended) = attempts.next().await {
        // The others go on: what came of them is noted as far as the store takes it.
        all = all.and(ended);
    }
    all?;
    core.wake_all_but_lanes();
    Ok(Turned::Tried)
}

/// Sets aside what does not open, which holds up its own case alone, and lets be due what a clock that was ahead has put off for
/// longer than any wait.
///
/// # Errors
/// When the store fails.
async fn mend(
    core: &Core,
    lane: &Lane,
    unreadable: Vec<(OutboxRow, StoreError)>,
    latest: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = core.store.begin().await?;
    for (row, error) in unreadable {
        tracing::error!(message = %row.id, lane = %row.lane, %error, "a message does not open; it is parked");
        let parked = OutboxRow {
            state: OutboxState::Parked,
            fault: Some("ours".to_owned()),
            note: Some(format!("the stored message does not open: {error}")),
            ..row.clone()
        };
        if tx.move_outbox(&parked, row.state, now).await? {
            outcome::record(core, &mut tx, &parked, now).await?;
        }
    }
    let moved = tx.due_now(lane.system.as_str(), latest, now).await?;
    if moved > 0 {
        tracing::warn!(lane = %lane.system, moved, "messages were put off by a clock that was ahead; they are due now");
    }
    tx.commit().await
}

/// Tries messages that go together, unless the lane was stopped or broken since they were found due.
async fn attempt(
    core: &Arc<Core>,
    lane: &Lane,
    mut rows: Vec<OutboxRow>,
    looked: &Mutex<Looked>,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    // Until the destination has answered, not until that is noted.
    let Ok(place) = Arc::clone(&lane.gate.places).acquire_owned().await else {
        return Ok(());
    };
    lane.paced(rows.len(), stop).await;
    let started_at = core.clock.now();
    if stop.is_cancelled() || lane.gate.signs.breaker().is_closed_to(started_at) {
        return Ok(());
    }
    {
        let mut looked = looked.lock().await;
        if looked.at.elapsed() >= LOOK {
            looked.at = Instant::now();
            looked.up_to = lane.tried_to(&mut core.store.snapshot().await?).await?;
        }
        rows.retain(|row| looked.up_to.is_some_and(|up_to| row.position <= up_to));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let drafts = ready::weigh(core, rows, started_at).await?;
    match &lane.form {
        Form::Files(writer) => {
            files::send(core, lane, Arc::clone(writer), drafts, started_at, place).await
        }
        Form::Fhir(config) => {
            conversation::hold(core, lane, config, drafts, started_at, place).await
        }
    }
}
