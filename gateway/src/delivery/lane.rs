//! A lane: the messages of one destination, in order per case.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use jiff::Timestamp;
use tandem_adapter_port::conversation::Conclusion;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{
    Delivery, Fault, FormatWriter, WriteContext, Written, WrittenFile,
};
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::{MessageId, SystemId};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::board::Signs;
use super::breaker::{Allowed, Breaker};
use super::carry::{self, Carried, Carrier};
use super::outcome::{self, Attempted};
use super::ready::{Ready, decide};
use super::response::Response;
use crate::config::LaneConfig;
use crate::figures;
use crate::pipeline::core::Core;
use crate::state::partner::{PartnerRowDoc, StoredMemory};
use crate::store::{Handed, OutboxRow, StoreError};
use crate::transport::http::ATTEMPT_LIMIT;

/// How often each of the attempts that a lane makes at one time is made anew before it looks up what is due.
const TURNS: usize = 4;

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
    gate: Gate,
}

/// How much a lane may try.
#[derive(Clone)]
struct Gate {
    rate: Option<Arc<DefaultDirectRateLimiter>>,
    in_flight: usize,
    signs: Signs,
}

impl Gate {
    fn of(system: &SystemId, config: &LaneConfig) -> Self {
        let rate = config.messages_per_second.map(Quota::per_second);
        Self {
            rate: rate.map(|quota| Arc::new(RateLimiter::direct(quota))),
            in_flight: usize::try_from(config.in_flight.get()).unwrap_or(1),
            signs: Signs::new(Breaker::new(system.as_str())),
        }
    }
}

impl Lane {
    /// A lane to a destination.
    #[must_use]
    pub fn new(system: SystemId, carrier: Carrier, form: Form, config: &LaneConfig) -> Self {
        let gate = Gate::of(&system, config);
        Self {
            system,
            carrier,
            form,
            gate,
        }
    }

    /// Takes in what came of an attempt.
    fn ended(&self, core: &Core, delivery: &Delivery, took: Duration) {
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

    /// Batches that are tried at one time. The files of a folder are written in the order of their numbers.
    const fn at_once(&self) -> usize {
        match self.carrier {
            Carrier::Folder(_) => 1,
            Carrier::Push(..) | Carrier::Fhir(_) => self.gate.in_flight,
        }
    }

    /// Messages that are looked up in one turn.
    fn most(&self) -> usize {
        let turns = if self.at_once() == 1 || self.gate.rate.is_some() {
            1
        } else {
            TURNS
        };
        self.batch() * self.at_once() * turns
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
    let mut changed = core.changed.subscribe();
    let _on_board = core
        .lanes
        .show(lane.system.as_str(), lane.gate.signs.clone());
    loop {
        let started_at = core.clock.now();
        let pause = match turn(&core, &lane, &stop).await {
            Ok(true) if !stop.is_cancelled() => continue,
            Ok(true) => return,
            Ok(false) => next_due(&core, &lane, started_at).await,
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
            woken = changed.changed() => if woken.is_err() { return },
        }
    }
}

/// When to look again, after a turn that found nothing due at `started_at`. What falls due while this is asked is
/// looked at again at once.
async fn next_due(core: &Core, lane: &Lane, started_at: Timestamp) -> Option<Timestamp> {
    if let Allowed::NotBefore(until) = lane.gate.signs.breaker().allows(started_at) {
        return Some(until);
    }
    let due = async {
        let mut snapshot = core.store.snapshot().await?;
        match snapshot.lane(lane.system.as_str()).await?.tried_to() {
            Some(up_to) => snapshot.next_due(lane.system.as_str(), up_to).await,
            None => Ok(None),
        }
    };
    let at = due.await.ok().flatten()?;
    // What was due and yet not tried stands in a lane that was paused since: it waits for a change, not for the clock.
    (at > started_at).then_some(at)
}

/// One turn of a lane: claims what is due and tries it. Returns whether there was anything.
///
/// # Errors
/// When the store fails.
pub async fn turn(
    core: &Arc<Core>,
    lane: &Lane,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    let started_at = core.clock.now();
    let most = lane.most();
    let limit = match lane.gate.signs.breaker().allows(started_at) {
        Allowed::All => i64::try_from(most).unwrap_or(100),
        Allowed::Probe => 1,
        Allowed::NotBefore(_) => return Ok(false),
    };
    let mut snapshot = core.store.snapshot().await?;
    if snapshot.hold(lane.system.as_str()).await?.is_some() {
        return Ok(false);
    }
    let Some(up_to) = snapshot.lane(lane.system.as_str()).await?.tried_to() else {
        return Ok(false);
    };
    let mut rows = snapshot
        .due_outbox(lane.system.as_str(), started_at, up_to, limit)
        .await?;
    drop(snapshot);
    if rows.is_empty() {
        return Ok(false);
    }
    // Each batch is decided right before its own attempt. No two rows are of one case.
    let mut batches = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(lane.batch().min(rows.len()));
        batches.push(std::mem::replace(&mut rows, rest));
    }
    let mut attempts = futures::stream::iter(batches)
        .map(|rows| attempt(core, lane, rows, stop))
        .buffer_unordered(lane.at_once());
    while let Some(ended) = attempts.next().await {
        ended?;
    }
    core.wake();
    Ok(true)
}

/// Tries messages that go together, unless the lane was stopped or broken since they were found due.
async fn attempt(
    core: &Arc<Core>,
    lane: &Lane,
    rows: Vec<OutboxRow>,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    lane.paced(rows.len(), stop).await;
    let started_at = core.clock.now();
    if stop.is_cancelled() || lane.gate.signs.breaker().is_closed_to(started_at) {
        return Ok(());
    }
    let ready = decide(core, rows, started_at).await?;
    match &lane.form {
        Form::Files(writer) if !ready.is_empty() => {
            files(core, lane, Arc::clone(writer), ready, started_at).await?;
        }
        Form::Files(_) => {}
        Form::Fhir(config) => {
            for one in ready {
                conversation(core, lane, config, one, started_at).await?;
            }
        }
    }
    Ok(())
}

async fn files(
    core: &Arc<Core>,
    lane: &Lane,
    writer: Arc<dyn FormatWriter>,
    ready: Vec<Ready>,
    started_at: Timestamp,
) -> Result<(), StoreError> {
    let _under_way = lane.gate.signs.begin(ready.len());
    let mut tx = core.store.begin().await?;
    let sequence = tx.next_sequence(lane.system.as_str()).await?;
    let numbered = tx.hand_in().await?;
    let context = WriteContext {
        system: lane.system.clone(),
        organization: ready.first().map_or_else(
            || core.gateway_organization(),
            |one| one.proposal.recipient.clone(),
        ),
        now: started_at,
        zone: core.loaded.zone.clone(),
        sequence: u64::try_from(sequence).unwrap_or(0),
    };
    let batch: Vec<Outbound> = ready.iter().map(|one| one.outbound.clone()).collect();
    let memory = StoredMemory::new(core.store.clone(), lane.system.clone(), Handle::current());
    let written =
        tokio::task::spawn_blocking(move || writer.write(&batch, &memory, &context)).await;
    let Ok(written) = written else {
        return fail_all(
            core,
            ready,
            started_at,
            "writing the messages ended abnormally",
        )
        .await;
    };
    hand_over(core, lane, ready, written, numbered, started_at).await
}

/// Notes which file carries which message before the partner can see it: its acknowledgement may be there before the
/// delivery is recorded.
async fn note_files(
    core: &Core,
    waiting: &HashMap<MessageId, Ready>,
    files: &[WrittenFile],
) -> Result<Handed, StoreError> {
    let mut tx = core.store.begin().await?;
    for file in files {
        for one in file
            .messages
            .iter()
            .filter_map(|message| waiting.get(message))
        {
            let noted = OutboxRow {
                file: Some(file.name.clone()),
                ..one.row.clone()
            };
            tx.move_outbox(&noted, noted.state, core.clock.now())
                .await?;
        }
    }
    tx.hand_in().await
}

async fn hand_over(
    core: &Core,
    lane: &Lane,
    ready: Vec<Ready>,
    written: Written,
    numbered: Handed,
    started_at: Timestamp,
) -> Result<(), StoreError> {
    let mut waiting: HashMap<MessageId, Ready> =
        ready.into_iter().map(|one| (one.row.id, one)).collect();
    let mut ended = Vec::new();
    for (message, delivery) in written.not_written {
        if let Some(one) = waiting.remove(&message) {
            ended.push(attempted(one, started_at, None, Carried::of(delivery)));
        }
    }
    let mut all_handed_over = true;
    let noted = note_files(core, &waiting, &written.files).await?;
    // Neither the number nor the name of a file may come to be another's.
    numbered.durable().await?;
    noted.durable().await?;
    for file in &written.files {
        let started = Instant::now();
        let handed = carry::file(&lane.carrier, file).await;
        lane.ended(core, &handed.delivery, started.elapsed());
        all_handed_over &= matches!(
            handed.delivery,
            Delivery::Delivered { .. } | Delivery::Acknowledged { .. }
        );
        for message in &file.messages {
            if let Some(one) = waiting.remove(message) {
                ended.push(attempted(
                    one,
                    started_at,
                    Some(file.name.clone()),
                    handed.clone(),
                ));
            }
        }
    }
    // A message that the writer forgot is an error of ours, never a loss.
    for (_, one) in waiting.drain() {
        let text = "the writer returned the message neither written nor refused".to_owned();
        ended.push(attempted(
            one,
            started_at,
            None,
            Carried::of(Delivery::Park {
                fault: Fault::Ours,
                text,
            }),
        ));
    }
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    if all_handed_over {
        for row in written.memory {
            tx.put(
                &PartnerRowDoc {
                    system: lane.system.clone(),
                    row,
                },
                now,
            )
            .await?;
        }
    }
    ended.sort_by_key(|one| one.row.position);
    for one in &ended {
        outcome::settle(core, &mut tx, one, now).await?;
    }
    tx.commit().await
}

fn attempted(
    ready: Ready,
    started_at: Timestamp,
    file: Option<String>,
    handed: Carried,
) -> Attempted {
    Attempted {
        decision: ready.decision,
        row: ready.row,
        proposal: ready.proposal,
        permitted: ready.permitted,
        people: ready.people,
        started_at,
        file,
        delivery: handed.delivery,
        response: handed.response,
    }
}

async fn fail_all(
    core: &Core,
    ready: Vec<Ready>,
    started_at: Timestamp,
    text: &str,
) -> Result<(), StoreError> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    for one in ready {
        let delivery = Delivery::Park {
            fault: Fault::Ours,
            text: text.to_owned(),
        };
        outcome::settle(
            core,
            &mut tx,
            &attempted(one, started_at, None, Carried::of(delivery)),
            now,
        )
        .await?;
    }
    tx.commit().await
}

async fn conversation(
    core: &Core,
    lane: &Lane,
    config: &FhirConfig,
    ready: Ready,
    started_at: Timestamp,
) -> Result<(), StoreError> {
    let Carrier::Fhir(client) = &lane.carrier else {
        return fail_all(core, vec![ready], started_at, "the lane has no FHIR server").await;
    };
    let _under_way = lane.gate.signs.begin(1);
    let memory = StoredMemory::new(core.store.clone(), lane.system.clone(), Handle::current());
    let (config, outbound) = (config.clone(), ready.outbound.clone());
    let talk = tokio::task::spawn_blocking(move || {
        tandem_fhir::conversation::deliver(&config, &outbound, &memory)
    })
    .await;
    let Ok(mut talk) = talk else {
        return fail_all(
            core,
            vec![ready],
            started_at,
            "starting the conversation ended abnormally",
        )
        .await;
    };
    let started = Instant::now();
    let mut response = None;
    let talking = carry::heard(client, talk.as_mut(), &core.clock, &mut response);
    let ended = tokio::time::timeout(ATTEMPT_LIMIT, talking).await;
    if ended.is_err() {
        response = Some(Response::TIMEOUT);
    }
    let conclusion = ended.unwrap_or_else(|_| Conclusion {
        delivery: Some(Delivery::Retry {
            fault: Fault::Partner,
            after: None,
            text: format!(
                "the conversation took longer than {} s",
                ATTEMPT_LIMIT.as_secs()
            ),
        }),
        ..Conclusion::default()
    });
    let (now, took) = (core.clock.now(), started.elapsed());
    let delivery = conclusion.delivery.unwrap_or(Delivery::Park {
        fault: Fault::Ours,
        text: "the conversation ended without an outcome".to_owned(),
    });
    lane.ended(core, &delivery, took);
    let mut tx = core.store.begin().await?;
    for row in conclusion.memory {
        tx.put(
            &PartnerRowDoc {
                system: lane.system.clone(),
                row,
            },
            now,
        )
        .await?;
    }
    outcome::settle(
        core,
        &mut tx,
        &attempted(ready, started_at, None, Carried { delivery, response }),
        now,
    )
    .await?;
    tx.commit().await
}
