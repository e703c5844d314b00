//! A lane: the messages of one destination, in order per case.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use jiff::Timestamp;
use tandem_adapter_port::write::{Delivery, FormatWriter};
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::SystemId;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

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
use crate::store::{OutboxRow, Scribe, StoreError};

/// How often each of the attempts that a lane makes at one time is made anew before it looks up what is due.
const TURNS: usize = 8;
/// While so many messages are with the destination, the outcomes of twice as many may be noted.
const NOTING: usize = 2;
/// Numbers of posted files that are taken at one time.
const NUMBERS: u32 = 64;

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
        self.batch() * self.gate.in_flight * turns
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
    let mut all_noted = false;
    loop {
        let turned = async {
            if !all_noted {
                outcome::broke_off(&core, &lane.system).await?;
            }
            turn(&core, &lane, &stop).await
        };
        let turned = turned.await;
        all_noted = turned.is_ok();
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
    let most = lane.most();
    let limit = match lane.gate.signs.breaker().allows(started_at) {
        Allowed::All => i64::try_from(most).unwrap_or(100),
        Allowed::Probe => 1,
        Allowed::NotBefore(until) => return Ok(Turned::Idle(Some(until))),
    };
    let mut snapshot = core.store.snapshot().await?;
    if snapshot.hold(lane.system.as_str()).await?.is_some() {
        return Ok(Turned::Idle(None));
    }
    let Some(up_to) = snapshot.lane(lane.system.as_str()).await?.tried_to() else {
        return Ok(Turned::Idle(None));
    };
    let mut rows = snapshot
        .due_outbox(lane.system.as_str(), started_at, up_to, limit)
        .await?;
    if rows.is_empty() {
        let due = snapshot.next_due(lane.system.as_str(), up_to).await?;
        return Ok(Turned::Idle(due.filter(|at| *at > started_at)));
    }
    drop(snapshot);
    // Each batch is decided right before its own attempt. No two rows are of one case.
    let mut batches = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(lane.batch().min(rows.len()));
        batches.push(std::mem::replace(&mut rows, rest));
    }
    let mut attempts = futures::stream::iter(batches)
        .map(|rows| attempt(core, lane, rows, stop))
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

/// Tries messages that go together, unless the lane was stopped or broken since they were found due.
async fn attempt(
    core: &Arc<Core>,
    lane: &Lane,
    rows: Vec<OutboxRow>,
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
