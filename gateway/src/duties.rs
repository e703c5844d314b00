//! What only one gateway at a time may do: to match and apply, to serve a lane, to watch a folder, to sign the audit log.
//! The gateways on one database share these duties by leases; a gateway with a file of its own has them all.
//!
//! A lease lasts longer than an attempt of a delivery and is kept long before it ends, so that a gateway that is alone with
//! its database cut off has stopped before another begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::delivery::STALE;
use crate::store::{Store, StoreError};
use crate::transport::http::ATTEMPT_LIMIT;

/// How long a duty is held without being kept.
const LEASE: Duration = Duration::from_secs(60);
/// Time between two looks.
const BEAT: Duration = Duration::from_secs(4);
/// After so long without a word and without a connection to the database a gateway is taken for dead. One that is alive
/// connects again, and keeps its duties, within two looks.
const SILENCE: Duration = Duration::from_secs(12);

/// Something that one gateway at a time does, until it is told to stop.
pub type Work = Box<dyn Fn(CancellationToken) -> BoxFuture<'static, ()> + Send + Sync>;

/// The duties of a deployment, by name.
#[derive(Default)]
pub struct Duties(BTreeMap<String, Work>);

impl std::fmt::Debug for Duties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Duties {
    /// Adds a duty.
    pub fn add<F, W>(&mut self, name: impl Into<String>, work: F)
    where
        F: Fn(CancellationToken) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let work: Work = Box::new(move |stop| Box::pin(work(stop)));
        self.0.insert(name.into(), work);
    }

    /// Does what falls to this gateway until it stops. Other duties that come take the place of these, each as soon as the one
    /// of its name has ended: none waits for another, and nothing is done twice at one time.
    pub async fn run(self, store: Store, mut anew: mpsc::Receiver<Self>, stop: CancellationToken) {
        let mut held = Held {
            names: self.0.keys().cloned().collect(),
            duties: self,
            kept_at: Instant::now(),
            running: BTreeMap::new(),
            leaving: BTreeMap::new(),
            ended: Arc::default(),
            stop: stop.clone(),
            joined: false,
        };
        while !stop.is_cancelled() {
            held.bury();
            if !store.is_shared() {
                held.start_all();
            } else if let Err(error) = held.look(&store).await {
                tracing::error!(%error, "the duties of this gateway cannot be kept");
                held.doubt();
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(duties) = anew.recv() => held.replace(duties),
                () = held.ended.notified() => {}
                () = tokio::time::sleep(BEAT) => {}
            }
        }
        held.end().await;
        if let Err(error) = in_time(store.leave()).await {
            tracing::warn!(%error, "others take over when this gateway's leases end");
        }
    }
}

struct Running {
    stop: CancellationToken,
    work: JoinHandle<()>,
}

/// What the store is asked about duties. A database that says nothing for as long as between two looks counts as one that fails.
async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answered = tokio::time::timeout(BEAT, asked).await;
    answered.map_err(|_| sqlx::Error::PoolTimedOut)?
}

struct Held {
    duties: Duties,
    names: BTreeSet<String>,
    /// When the leases were last kept, by a clock that nobody sets.
    kept_at: Instant,
    running: BTreeMap<String, Running>,
    /// Those that were told to end, and go to whoever asks once they have. Nobody waits for them here: the leases of all others, and
    /// their own, are to be kept meanwhile.
    leaving: BTreeMap<String, Running>,
    /// Tells that one of them has ended which was told to.
    ended: Arc<Notify>,
    stop: CancellationToken,
    /// Whether the store knows all of the duties by name.
    joined: bool,
}

impl Held {
    async fn look(&mut self, store: &Store) -> Result<(), StoreError> {
        if !self.joined {
            in_time(store.join(&self.names)).await?;
            self.joined = true;
        }
        for name in self.have_left() {
            in_time(store.release(&name)).await?;
        }
        let asked_at = Instant::now();
        let (kept, gateways) = in_time(store.renew(LEASE, SILENCE)).await?;
        self.kept_at = asked_at;
        let lost = self.running.keys().filter(|name| !kept.contains(*name));
        let lost: Vec<String> = lost.cloned().collect();
        if !lost.is_empty() {
            tracing::warn!(
                ?lost,
                "the leases of duties ran out; another gateway may have them"
            );
            self.let_go(lost);
        }
        for name in kept {
            if self.names.contains(&name) {
                self.start(name);
            } else if !self.running.contains_key(&name) && !self.leaving.contains_key(&name) {
                in_time(store.release(&name)).await?;
            }
        }
        let gateways = usize::try_from(gateways).unwrap_or(1).max(1);
        let share = self.names.len().div_ceil(gateways);
        let own = |name: &&String| !self.leaving.contains_key(*name);
        let free: BTreeSet<String> = self.names.iter().filter(own).cloned().collect();
        while self.running.len() < share
            && let Some(name) = in_time(store.claim(&free, LEASE, SILENCE)).await?
        {
            tracing::info!(duty = name, "this gateway takes a duty");
            self.start(name);
        }
        while self.running.len() > share
            && let Some(name) = self.running.keys().next_back().cloned()
        {
            tracing::info!(duty = name, "this gateway gives a duty to another");
            self.let_go(vec![name]);
        }
        metrics::gauge!("tandem_duties_held").set(self.running.len() as f64);
        Ok(())
    }

    /// Tells what runs to end, so that other work takes its place.
    fn replace(&mut self, duties: Duties) {
        for running in self.running.values() {
            running.stop.cancel();
        }
        self.names = duties.0.keys().cloned().collect();
        self.duties = duties;
        self.joined = false;
    }

    /// Stops everything before another gateway may begin it.
    fn doubt(&mut self) {
        // The next look ends two beats later. What a lane has decided by then may still be handed over, and that takes its time.
        if self.kept_at.elapsed() + 2 * BEAT + STALE + ATTEMPT_LIMIT >= LEASE {
            self.let_go(self.running.keys().cloned().collect());
        }
    }

    /// Tells some duties to end.
    fn let_go(&mut self, names: Vec<String>) {
        for name in names {
            if let Some(running) = self.running.remove(&name) {
                running.stop.cancel();
                self.leaving.insert(name, running);
            }
        }
    }

    /// Those that were told to end and have.
    fn have_left(&mut self) -> Vec<String> {
        let left = self.leaving.iter();
        let left = left.filter(|(_, leaving)| leaving.work.is_finished());
        let left: Vec<String> = left.map(|(name, _)| name.clone()).collect();
        self.leaving.retain(|name, _| !left.contains(name));
        left
    }

    fn start_all(&mut self) {
        for name in self.names.clone() {
            self.start(name);
        }
    }

    fn start(&mut self, name: String) {
        if self.running.contains_key(&name) || self.leaving.contains_key(&name) {
            return;
        }
        let Some(work) = self.duties.0.get(&name) else {
            return;
        };
        let stop = self.stop.child_token();
        let (work, told, ended) = (work(stop.clone()), stop.clone(), Arc::clone(&self.ended));
        let work = tokio::spawn(async move {
            work.await;
            if told.is_cancelled() {
                ended.notify_one();
            }
        });
        self.running.insert(name, Running { stop, work });
    }

    /// Forgets the duties that ended, so that they are begun again. That one ended though nobody stopped it is an error of ours.
    fn bury(&mut self) {
        self.running.retain(|name, running| {
            let has_ended = running.work.is_finished();
            if has_ended && !running.stop.is_cancelled() {
                metrics::counter!("tandem_duties_failed_total", "duty" => name.clone())
                    .increment(1);
                tracing::error!(duty = name, "a duty ended abnormally; it is begun again");
            }
            !has_ended
        });
    }

    /// Stops all duties, and waits until they have ended.
    async fn end(&mut self) {
        self.let_go(self.running.keys().cloned().collect());
        for leaving in std::mem::take(&mut self.leaving).into_values() {
            let _ended_abnormally = leaving.work.await;
        }
    }
}
