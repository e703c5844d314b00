//! Those that write at one time share a commit: waiting for the disk costs as much for fifty as for one.
//!
//! One transaction of the engine passes from writer to writer in the order in which they came. Whoever is done waits; when
//! nobody is next in line, or the transaction has grown old or large, it is committed and all that wait are told. A
//! writer that gives up is taken back to the mark at which it began and costs nobody else anything; when the engine fails, all that
//! share the transaction fail together, and each of them is told so.

mod order;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};

pub(super) use self::order::Ahead;
use self::order::Order;
use super::bells::Bells;
use super::engine::{Engine, PATIENCE};
use super::sql::Session;
use super::{Stage, StoreError, listen};
use crate::figures;

/// Writers that share a commit.
const TOGETHER: usize = 64;
/// How long a transaction may be open before nobody else joins it. The tests of this file say themselves when it is closed,
/// however slow their machine is.
const OLDEST: Duration = Duration::from_millis(if cfg!(test) { 60_000 } else { 20 });

/// The place at which the writers of this process take turns.
#[derive(Clone)]
pub(super) struct Writers {
    slot: Arc<Mutex<Slot>>,
    order: Order,
    /// Counts the leaves of the audit log that became durable.
    logged: watch::Sender<u64>,
    /// Counts what was lost: transactions that failed after others may have read them, and writers that gave up whom something in memory
    /// had followed.
    losses: Arc<AtomicU64>,
    /// What other gateways are told when something was written that they wait for.
    told: Arc<str>,
    /// Ring for the lanes in which something was written.
    bells: Bells,
}

/// What came of a transaction.
type Ended = Result<(), Arc<sqlx::Error>>;

/// What passes from writer to writer.
#[derive(Default)]
struct Slot {
    /// The open transaction, while no writer has it.
    session: Option<Session>,
    since: Option<Instant>,
    waiting: Vec<oneshot::Sender<Ended>>,
    /// How many wait outside for what they have written.
    answers: usize,
    /// Whether the last writer gave up: what it wrote is taken back before anybody goes on.
    is_abandoned: bool,
    /// Leaves of the audit log that those who wait have added.
    logged: u64,
    /// The stages of decisions of those who wait that permit nothing.
    denied: Vec<Stage>,
    /// Whether those who wait have written something that other gateways wait for.
    tells: bool,
    /// The lanes in which those who wait have written.
    lanes: BTreeSet<String>,
    /// Counts the transactions: whoever sees to a commit means the one in which it has written, and none that was begun since.
    number: u64,
}

/// What a writer has written, for those who count it or wait for it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Leaves of the audit log.
    pub(super) logged: u64,
    /// The stages of decisions that permit nothing.
    pub(super) denied: Vec<Stage>,
    /// Whether other gateways wait for it.
    pub(super) tells: bool,
    /// The lanes of its messages.
    pub(super) lanes: BTreeSet<String>,
    /// How many wait for it outside.
    pub(super) answers: usize,
}

/// A writer's turn. Dropped, the writer has given up.
pub(super) struct Turn {
    slot: OwnedMutexGuard<Slot>,
    writers: Writers,
    /// The transaction in which the writer writes.
    pub(super) session: Session,
    /// Whether something in memory follows what the writer writes, before it is durable.
    pub(super) is_followed: bool,
}

/// What a writer that is done waits for.
#[must_use = "nothing is durable before this has ended"]
pub struct Handed {
    durable: oneshot::Receiver<Ended>,
    /// What came of it, once it was asked.
    ended: Option<Ended>,
    /// Sees to the commit of the transaction of a number once somebody waits for it, or nobody does any more.
    closing: Option<(Writers, u64)>,
}

impl std::fmt::Debug for Writers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writers")
    }
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handed")
    }
}

impl Writers {
    pub(super) fn new(logged: watch::Sender<u64>, told: String) -> Self {
        Self {
            slot: Arc::default(),
            order: Order::default(),
            logged,
            losses: Arc::default(),
            told: told.into(),
            bells: Bells::default(),
        }
    }

    /// The bell of a lane: it rings when something of the lane's own was written and is durable.
    pub(super) fn bell(&self, lane: &str) -> watch::Receiver<u64> {
        self.bells.of(lane)
    }

    /// Rings the bell of every lane.
    pub(super) fn ring_all_bells(&self) {
        self.bells.ring_all();
    }

    /// How often a transaction failed in which others may have read what then did not become durable, or a writer gave up whom something
    /// in memory had followed.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }

    fn note_lost(&self) {
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    /// Somebody who will write on behalf of somebody: until this is dropped, work that nobody waits for lets him go first.
    pub(super) fn ahead(&self) -> Ahead {
        self.order.ahead()
    }

    /// A turn in a transaction that others share, or in a new one.
    pub(super) async fn begin(&self, engine: &Engine) -> Result<Turn, StoreError> {
        self.begin_in(engine, true).await
    }

    /// A turn in a new transaction: whatever was written before is durable, or has failed.
    pub(super) async fn begin_apart(&self, engine: &Engine) -> Result<Turn, StoreError> {
        self.begin_in(engine, false).await
    }

    /// A turn as [`Writers::begin`], after those whom somebody waits for, as far as they do not keep coming.
    pub(super) async fn begin_behind(&self, engine: &Engine) -> Result<Turn, StoreError> {
        self.order.let_go().await;
        let slot = self.slot().await?;
        self.begin_with(slot, engine, true).await
    }

    async fn begin_in(&self, engine: &Engine, joins: bool) -> Result<Turn, StoreError> {
        let waits = self.order.ahead();
        let slot = self.slot().await?;
        drop(waits);
        self.begin_with(slot, engine, joins).await
    }

    async fn slot(&self) -> Result<OwnedMutexGuard<Slot>, StoreError> {
        let locked = tokio::time::timeout(PATIENCE, Arc::clone(&self.slot).lock_owned()).await;
        Ok(locked.map_err(|_| sqlx::Error::PoolTimedOut)?)
    }

    async fn begin_with(
        &self,
        slot: OwnedMutexGuard<Slot>,
        engine: &Engine,
        joins: bool,
    ) -> Result<Turn, StoreError> {
        let mut turn = Turn::of(slot, self);
        if turn.slot.session.is_some() {
            // Whoever does not wait for it any more must not leave the transaction half way between two writers.
            let next = tokio::spawn(turn.next(joins)).await;
            turn = next.map_err(|_| sqlx::Error::WorkerCrashed)?;
            if !turn.session.is_over() {
                return Ok(turn);
            }
        }
        turn.session = engine.begin().await?;
        turn.slot.since = Some(Instant::now());
        Ok(turn)
    }

    /// Commits the transaction of a number, once those that came before have had their turn, unless somebody else has.
    async fn close(self, number: u64) {
        let slot = Arc::clone(&self.slot).lock_owned().await;
        if slot.number == number {
            Turn::of(slot, &self).close().await;
        }
    }
}

impl Turn {
    fn of(slot: OwnedMutexGuard<Slot>, writers: &Writers) -> Self {
        Self {
            slot,
            writers: writers.clone(),
            session: Session::over(),
            is_followed: false,
        }
    }

    /// Goes on in the open transaction, where a writer may join it; else commits it.
    async fn next(mut self, joins: bool) -> Self {
        let is_young = self
            .slot
            .since
            .is_some_and(|since| since.elapsed() < OLDEST);
        if !joins || !is_young {
            self.close_open().await;
            return self;
        }
        let Some(mut session) = self.slot.session.take() else {
            return self;
        };
        let marked = if std::mem::take(&mut self.slot.is_abandoned) {
            session.back_to_mark().await
        } else {
            session.mark().await
        };
        match marked {
            Ok(()) => self.session = session,
            Err(error) => self.tell(&Err(Arc::new(error))),
        }
        self
    }

    /// Some of what the writer has written, or all of it, is taken back.
    pub(super) fn takes_back(&self) {
        if self.is_followed {
            self.writers.note_lost();
        }
    }

    /// The writer is done: its transaction goes to whoever is next.
    pub(super) fn hand_in(mut self, written: Written) -> Result<Handed, StoreError> {
        if self.session.is_broken() {
            let text = "a statement of the transaction has failed";
            return Err(sqlx::Error::Protocol(text.to_owned()).into());
        }
        // From here on whoever follows it is told with all others what comes of it.
        self.is_followed = false;
        let (told, durable) = oneshot::channel();
        let closing = (self.writers.clone(), self.slot.number);
        self.slot.waiting.push(told);
        self.slot.answers += written.answers;
        self.slot.logged = self.slot.logged.saturating_add(written.logged);
        self.slot.denied.extend(written.denied);
        self.slot.tells |= written.tells;
        self.slot.lanes.extend(written.lanes);
        self.slot.session = Some(self.session.take());
        let is_full = self.slot.waiting.len() >= TOGETHER
            || self
                .slot
                .since
                .is_none_or(|since| since.elapsed() >= OLDEST);
        if is_full {
            tokio::spawn(self.close());
        }
        Ok(Handed {
            durable,
            ended: None,
            closing: (!is_full).then_some(closing),
        })
    }

    /// Tells all that wait what came of the transaction, which is over.
    fn tell(&mut self, ended: &Ended) {
        if ended.is_err() {
            self.writers.note_lost();
        }
        let next = Slot {
            number: self.slot.number.wrapping_add(1),
            ..Slot::default()
        };
        for waiting in std::mem::replace(&mut *self.slot, next).waiting {
            // Whoever does not wait any more reads it in the store.
            let _gone = waiting.send(ended.clone());
        }
    }

    async fn close(mut self) {
        self.close_open().await;
    }

    async fn close_open(&mut self) {
        let Some(mut session) = self.slot.session.take() else {
            return;
        };
        let started = Instant::now();
        let together = self.slot.waiting.len();
        let ended = async {
            if std::mem::take(&mut self.slot.is_abandoned) {
                session.back_to_mark().await?;
            }
            if self.slot.tells {
                listen::tell(&mut session, &self.writers.told).await?;
            }
            session.commit().await
        };
        let ended = ended.await.map_err(Arc::new);
        if ended.is_ok() {
            let logged = self.slot.logged;
            if logged > 0 {
                self.writers
                    .logged
                    .send_modify(|count| *count = count.wrapping_add(logged));
            }
            self.writers.order.answered(self.slot.answers);
            self.writers.bells.ring(&self.slot.lanes);
            figures::committed(started.elapsed(), together);
            for stage in &self.slot.denied {
                figures::denied(stage.code(), 1);
            }
        }
        self.tell(&ended);
    }
}

impl Drop for Turn {
    /// The writer gives up. Others that share the transaction lose nothing, unless the engine has failed.
    fn drop(&mut self) {
        self.takes_back();
        if self.session.is_over() {
            return;
        }
        let session = self.session.take();
        if self.slot.waiting.is_empty() {
            // Nobody else's: the engine takes it back.
            self.slot.since = None;
        } else if session.is_broken() && !session.is_postgres() {
            let text = "the transaction failed under another writer";
            let error = sqlx::Error::Protocol(text.to_owned());
            self.tell(&Err(Arc::new(error)));
        } else {
            self.slot.session = Some(session);
            self.slot.is_abandoned = true;
        }
    }
}

impl Handed {
    /// What whoever has written nothing waits for.
    pub(super) fn nothing() -> Self {
        let (told, durable) = oneshot::channel();
        let _kept = told.send(Ok(()));
        Self {
            durable,
            ended: None,
            closing: None,
        }
    }

    /// Whether it has failed by now. Whoever has a turn after it either goes on in the same transaction, and fails with it, or knows
    /// the answer: what builds on it asks within that turn, and writes nothing if it has.
    pub fn has_failed(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = match self.durable.try_recv() {
                Ok(ended) => Some(ended),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Closed) => Some(Err(Arc::new(sqlx::Error::WorkerCrashed))),
            };
        }
        matches!(self.ended, Some(Err(_)))
    }

    /// Waits until it is durable.
    ///
    /// # Errors
    /// When the database fails; then nothing was written.
    pub async fn durable(mut self) -> Result<(), StoreError> {
        self.see_to_it();
        let told = match self.ended.take() {
            Some(ended) => ended,
            None => (&mut self.durable)
                .await
                .map_err(|_| sqlx::Error::WorkerCrashed)?,
        };
        // Each of those that fail together gets the error of the engine.
        told.map_err(|error| StoreError::Database(sqlx::Error::AnyDriverError(Box::new(error))))
    }

    /// Begins to make it durable, for whoever waits for it later: until then other processes that write to the store wait.
    pub fn see_to_it(&mut self) {
        // Without a runtime the process is at its end, and so is the transaction.
        if let (Some((writers, number)), Ok(runtime)) = (self.closing.take(), Handle::try_current())
        {
            runtime.spawn(writers.close(number));
        }
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.see_to_it();
    }
}

#[cfg(test)]
mod tests;
