//! Reads the configuration anew while the gateway serves.
//!
//! Protocol: everything is read, checked and made before anything is changed. Then what decisions will cite and the audit entry
//! are committed, and what was made takes the place of what was there: the API from the next request on, each duty as soon
//! as the one of its name has ended. The listening socket, the store, the match index and the rules in force stay as they are.
//! One reload at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::adapters::Adapters;
use crate::api::Front;
use crate::assembly::{Assembly, Lanes, check_partners};
use crate::config::{Change, ConfigError, Loaded, Sources, restart_only};
use crate::duties::Duties;
use crate::figures;
use crate::pipeline::core::Core;
use crate::store::StoreError;

/// Whom the audit names when a signal asked.
pub const BY_SIGNAL: &str = "signal";
/// Reloads that may wait for their turn.
const WAITING: usize = 4;

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reloaded {
    /// `applied`, `unchanged`, or `would-apply` for a dry run.
    pub outcome: String,
    /// Hash of the configuration before, without its secrets.
    pub before: String,
    /// Hash of the one in force now; for a dry run, of the one that would be.
    pub after: String,
    /// What differs; no value of either.
    pub changes: Vec<Change>,
}

/// Why the configuration in force stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The new one is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A part can't be made of it.
    #[error("{0:#}")]
    Part(#[from] anyhow::Error),
    /// It holds what only a restart changes.
    #[error("{}", .0.join("\n"))]
    Restart(Vec<String>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gateway stops, or other reloads wait.
    #[error("the gateway cannot read its configuration now")]
    Busy,
}

/// Asks for reloads.
#[derive(Debug, Clone)]
pub struct Reloads(mpsc::Sender<Order>);

/// Somebody asks for a reload.
#[derive(Debug)]
pub struct Order {
    by: String,
    is_dry: bool,
    answer: oneshot::Sender<Result<Reloaded, ReloadError>>,
}

impl Reloads {
    /// Whoever asks, and where the orders arrive.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Order>) {
        let (orders, arriving) = mpsc::channel(WAITING);
        (Self(orders), arriving)
    }

    /// Has the configuration read anew; a dry run only says what would change.
    ///
    /// # Errors
    /// [`ReloadError`]: then the configuration in force stays.
    pub async fn ask(&self, by: &str, is_dry: bool) -> Result<Reloaded, ReloadError> {
        let told = self.send(by, is_dry)?;
        told.await.map_err(|_| ReloadError::Busy)?
    }

    /// Has the configuration read anew without waiting for what comes of it: the log says.
    pub fn order(&self, by: &str) {
        if let Err(error) = self.send(by, false) {
            tracing::warn!(by, %error, "nothing is read: another reload waits");
        }
    }

    fn send(
        &self,
        by: &str,
        is_dry: bool,
    ) -> Result<oneshot::Receiver<Result<Reloaded, ReloadError>>, ReloadError> {
        let (answer, told) = oneshot::channel();
        let by = by.to_owned();
        let order = Order { by, is_dry, answer };
        self.0.try_send(order).map_err(|_| ReloadError::Busy)?;
        Ok(told)
    }
}

/// A configuration that was read and could be put in force.
struct Candidate {
    loaded: Loaded,
    sources: Sources,
    adapters: Adapters,
    changes: Vec<Change>,
}

/// Puts configurations in force.
pub(crate) struct Reloader {
    core: Arc<Core>,
    sources: Sources,
    front: Front,
    duties: mpsc::Sender<Duties>,
    lanes: Lanes,
}

impl Reloader {
    /// For a gateway that has just started: `duties` takes the place of those that run.
    pub(crate) fn new(
        core: Arc<Core>,
        front: Front,
        duties: mpsc::Sender<Duties>,
        lanes: Lanes,
    ) -> Self {
        Self {
            sources: Sources::of(&core.loaded),
            core,
            front,
            duties,
            lanes,
        }
    }

    /// Does what is asked for until the gateway stops. A reload that has begun ends.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
            let order = tokio::select! {
                () = stop.cancelled() => return,
                order = orders.recv() => order,
            };
            let Some(order) = order else { return };
            let done = Box::pin(self.reload(&order)).await;
            self.tell(&order, &done).await;
            // Whoever does not wait any more has the log.
            let _gone = order.answer.send(done);
        }
    }

    async fn reload(&mut self, order: &Order) -> Result<Reloaded, ReloadError> {
        let candidate = self.read().await?;
        let is_same = candidate.sources == self.sources;
        let outcome = match (is_same, order.is_dry) {
            (true, _) => "unchanged",
            (false, true) => "would-apply",
            (false, false) => "applied",
        };
        let reloaded = Reloaded {
            outcome: outcome.to_owned(),
            before: self.sources.hash(),
            after: candidate.sources.hash(),
            changes: candidate.changes.clone(),
        };
        if outcome == "applied" {
            self.put_in_force(candidate, order, &reloaded).await?;
        }
        Ok(reloaded)
    }

    /// Reads and checks the configuration, without any effect.
    async fn read(&self) -> Result<Candidate, ReloadError> {
        let (core, before) = (Arc::clone(&self.core), self.sources.clone());
        let read = move || {
            let loaded = Loaded::from_file(&core.loaded.file)?;
            let sources = Sources::of(&loaded);
            let fixed = restart_only((&core.loaded, &before), (&loaded, &sources));
            if !fixed.is_empty() {
                return Err(ReloadError::Restart(fixed));
            }
            let adapters = Adapters::new(&loaded.config).context("setting up the systems")?;
            check_partners(&loaded.config)?;
            Ok(Candidate {
                changes: before.changes(&sources),
                loaded,
                sources,
                adapters,
            })
        };
        let candidate = tokio::task::spawn_blocking(read).await;
        let candidate = candidate.context("reading the configuration ended abnormally")??;
        self.front.check(&candidate.loaded.config.listen).await?;
        Ok(candidate)
    }

    async fn put_in_force(
        &mut self,
        candidate: Candidate,
        order: &Order,
        reloaded: &Reloaded,
    ) -> Result<(), ReloadError> {
        let Candidate {
            loaded,
            sources,
            adapters,
            ..
        } = candidate;
        let same = |id: &_| sources.says_the_same_of(id, &self.sources);
        let going_on = self.lanes.iter().filter(|(id, _)| same(*id));
        let going_on: Lanes = going_on
            .map(|(id, lane)| (id.clone(), lane.clone()))
            .collect();
        let core = Arc::new(self.core.under(loaded));
        let assembly = Assembly::of(&core, Arc::new(adapters), &going_on)?;
        let ready = self.front.prepare(assembly.intake).await?;
        let mut tx = core.store.begin().await?;
        core.keep_basis(&mut tx).await?;
        let before = format!("before={}", reloaded.before);
        let (now, after) = (core.clock.now(), &reloaded.after);
        tx.audit(now, &order.by, "config.reload", after, &before)
            .await?;
        tx.commit().await?;
        // From here on nothing fails.
        self.front.put(ready);
        if self.duties.send(assembly.duties).await.is_err() {
            tracing::warn!("the duties of the gateway have ended: it stops");
        }
        (self.core, self.sources, self.lanes) = (core, sources, assembly.lanes);
        Ok(())
    }

    /// Tells log, figures and audit what came of a reload.
    async fn tell(&self, order: &Order, done: &Result<Reloaded, ReloadError>) {
        let by = &order.by;
        let error = match done {
            Ok(reloaded) => {
                let (outcome, config) = (&reloaded.outcome, &reloaded.after);
                let changes = reloaded.changes.len();
                tracing::info!(by, outcome, config, changes, "the configuration was read");
                if !order.is_dry {
                    let is_same = outcome == "unchanged";
                    figures::reloaded(if is_same { "unchanged" } else { "applied" }, 1);
                }
                return;
            }
            Err(error) => error,
        };
        tracing::error!(by, %error, "the configuration cannot be put in force; the one before stays");
        if order.is_dry {
            return;
        }
        figures::reloaded("refused", 1);
        if let Err(error) = self.audit_refusal(by, error).await {
            tracing::error!(%error, "a refused configuration could not be audited");
        }
    }

    async fn audit_refusal(&self, by: &str, error: &ReloadError) -> Result<(), StoreError> {
        let keys: BTreeSet<&str> = match error {
            ReloadError::Restart(problems) => problems
                .iter()
                .filter_map(|problem| problem.split(':').next())
                .collect(),
            _ => BTreeSet::from(["the new configuration is wrong"]),
        };
        let keys: Vec<&str> = keys.into_iter().collect();
        let mut tx = self.core.store.begin().await?;
        let (now, in_force) = (self.core.clock.now(), self.sources.hash());
        let action = "config.reload-refused";
        tx.audit(now, by, action, &in_force, &keys.join(", "))
            .await?;
        tx.commit().await
    }
}
