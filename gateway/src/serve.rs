//! Starts and stops the gateway: the store, what is made of the configuration (`assembly`), and the API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tandem_consent::{Bundle, Facts};
use tandem_coordination::referral::Rules;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapters::Adapters;
use crate::api::Front;
use crate::assembly::{Assembly, Lanes};
use crate::audit::{AuditKeys, AuditLog};
use crate::blob::BlobFolder;
use crate::clock::Clock;
use crate::config::{Config, Loaded};
use crate::lock::DataLock;
use crate::pipeline::core::{Core, GATEWAY_SYSTEM};
use crate::pipeline::files::Files;
use crate::pipeline::judge::Judge;
use crate::pipeline::learning;
use crate::pipeline::matcher::{self, Matcher};
use crate::policy;
use crate::reload::{BY_SIGNAL, Reloader, Reloads};
use crate::seal::Sealer;
use crate::sharing;
use crate::store::{Recorder, Recordings, Store, StoreError};
use crate::traces::{self, Traces};

/// How long a stop waits for what is under way.
const STOP_LIMIT: Duration = Duration::from_secs(35);
/// How long it waits for the store after that.
const CLOSE_LIMIT: Duration = Duration::from_secs(15);

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its parts share, as at the start: under the configuration that was read then.
    pub core: Arc<Core>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Ends after the tasks: what they still ask is recorded.
    stop_recording: CancellationToken,
    recording: JoinHandle<()>,
    /// Sends what the tasks leave, for a bounded time.
    exporting: Option<JoinHandle<()>>,
    /// Reads the configuration anew.
    pub reloads: Reloads,
    lock: DataLock,
}

/// The rules that a configuration asks for.
///
/// # Errors
/// When they can't be loaded.
pub fn bundle(config: &Config) -> anyhow::Result<Bundle> {
    let jurisdiction = config.jurisdiction.as_str();
    match (&config.rules, &config.overrides) {
        (Some(folder), _) => Bundle::load(folder).context("loading the rules"),
        (None, Some(folder)) => Bundle::load(folder).context("loading the county's rules"),
        (None, None) => Bundle::default_for(jurisdiction).context("loading the rules"),
    }
}

impl Gateway {
    /// Starts a gateway and waits until it can serve.
    ///
    /// # Errors
    /// When a part can't be set up.
    pub async fn start(loaded: Loaded, clock: Clock) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&loaded.config.data).context("making the data folder")?;
        let lock = DataLock::take(&loaded.config.data)?;
        let adapters = Arc::new(Adapters::new(&loaded.config)?);
        let (traces, exporting) = traces::start(&loaded.config.telemetry)?;
        let (core, recordings) = Box::pin(core(loaded, traces, clock)).await?;
        let core = Arc::new(core);
        started(&core).await.context("noting the start")?;
        Box::pin(learning::keep_up(&core))
            .await
            .context("learning the match model")?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let stop_recording = CancellationToken::new();
        let recording = tokio::spawn(recordings.run(stop_recording.clone()));
        let exporting = exporting.map(|spans| tokio::spawn(spans.run(stop_recording.clone())));
        let assembly =
            Assembly::of(&core, adapters, &Lanes::new()).context("starting the systems")?;
        let (anew, replaced) = mpsc::channel(1);
        let duties = assembly.duties;
        tasks.spawn(duties.run(core.store.clone(), replaced, stop.clone()));
        tasks.spawn(sharing::run(Arc::clone(&core), stop.clone()));
        let (reloads, orders) = Reloads::channel();
        let (front, address) = Front::open(assembly.intake, reloads.clone(), stop.clone(), &tasks)
            .await
            .context("starting to listen")?;
        let reloader = Reloader::new(Arc::clone(&core), front, anew, assembly.lanes);
        tasks.spawn(reloader.run(orders, stop.clone()));
        tasks.close();
        Ok(Self {
            address,
            core,
            stop,
            tasks,
            stop_recording,
            recording,
            exporting,
            reloads,
            lock,
        })
    }

    /// Stops: nothing new is taken, what is under way ends, the store is closed. Bounded in time, also where a database or a folder does not
    /// answer any more.
    pub async fn stop(self) {
        let stopping = self.stop_all();
        if tokio::time::timeout(STOP_LIMIT + CLOSE_LIMIT, stopping)
            .await
            .is_err()
        {
            tracing::warn!(
                "the store was not closed in time; what was not committed is repeated at the next start"
            );
        }
    }

    async fn stop_all(self) {
        self.stop.cancel();
        self.core.owed.close();
        let ended = async {
            self.tasks.wait().await;
            self.core.owed.wait().await;
        };
        if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
            tracing::warn!(
                "some tasks did not end in time; what they had not committed is repeated at the next start"
            );
        }
        self.stop_recording.cancel();
        if self.recording.await.is_err() {
            tracing::error!(
                "the recorder of decisions had failed; whoever waited for it was not answered"
            );
        }
        if let Some(exporting) = self.exporting {
            let _lost_and_counted = exporting.await;
        }
        self.core.store.close().await;
        drop(self.lock);
    }

    /// Runs until a signal asks to stop. A hang-up asks to read the configuration anew.
    ///
    /// # Errors
    /// When signals can't be waited for.
    pub async fn run_until_signal(self) -> anyhow::Result<()> {
        let (mut terminate, mut hang_up) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        );
        loop {
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => { interrupted?; break },
                _ = terminate.recv() => break,
                _ = hang_up.recv() => self.reloads.order(BY_SIGNAL),
            }
        }
        self.stop().await;
        Ok(())
    }
}

/// Serves a configuration until a signal asks to stop.
///
/// # Errors
/// When a part can't be set up.
pub async fn run(loaded: Loaded, clock: Clock) -> anyhow::Result<()> {
    let gateway = Gateway::start(loaded, clock).await?;
    tracing::info!(address = %gateway.address, "the gateway is serving");
    gateway.run_until_signal().await
}

/// Notes in the audit that the gateway started, and by which rules it decides: a change of rules is seen by it.
async fn started(core: &Core) -> Result<(), StoreError> {
    let mut tx = core.store.begin().await?;
    let (now, rules) = (core.clock.now(), core.judge.bundle());
    let actor = core.gateway.as_str();
    let version = env!("CARGO_PKG_VERSION");
    tx.audit(now, actor, "gateway.start", rules.hash(), version)
        .await?;
    tx.commit().await
}

async fn core(loaded: Loaded, traces: Traces, clock: Clock) -> anyhow::Result<(Core, Recordings)> {
    let config = &loaded.config;
    AuditKeys::expect_store(config).context("looking for the store")?;
    let sealer = Sealer::for_store(&config.data.join("root.key"), config.jurisdiction.clone())
        .context("opening the key file")?;
    let store = Store::of(config, sealer)
        .await
        .context("opening the store")?;
    // Before anything is written that gets a leaf: what stands in the store by now enters a log that is new. And before blobs are
    // swept: a store that was emptied knows none of them.
    let keys = AuditKeys::for_store(&config.data, &config.jurisdiction, &store)
        .await
        .context("opening the keys of the audit log")?;
    let files = large_files(config, &store)
        .await
        .context("putting the folder of blobs in order")?;
    let settings = config
        .matching
        .as_deref()
        .map(std::fs::read_to_string)
        .transpose()
        .context("reading the matching settings")?;
    let engine = matcher::engine(settings.as_deref(), &config.linking)
        .context("setting up the matching engine")?;
    let index = Box::pin(Matcher::load(&engine, &store, config))
        .await
        .context("loading the match index")?;
    let audit = AuditLog::load(&store, keys, clock.now())
        .await
        .context("loading the audit log")?;
    let rules = policy::in_force(config, bundle(config)?, &store, clock.now())
        .await
        .context("putting the rules in force")?;
    let judge = Judge::new(
        rules,
        Facts::from_registry(&loaded.registry),
        config.jurisdiction.clone(),
    );
    let (recorder, recordings) = Recorder::new(store.clone());
    let core = Core {
        store,
        recorder,
        audit: Arc::new(audit),
        loaded_at: clock.now(),
        traces,
        clock,
        judge,
        engine,
        referral_rules: Rules::shipped().context("loading the referral reasons")?,
        matcher: Arc::new(Mutex::new(index)),
        gateway: GATEWAY_SYSTEM.parse()?,
        changed: watch::Sender::new(0),
        losses_known: Arc::default(),
        arrived: Arc::default(),
        room: Arc::default(),
        releases: Arc::default(),
        lanes: Arc::default(),
        canary: Arc::default(),
        timers: Arc::default(),
        rules: Arc::default(),
        retention: Arc::default(),
        files,
        owed: TaskTracker::new(),
        loaded: Arc::new(loaded),
    };
    let mut tx = core.store.begin().await?;
    core.keep_basis(&mut tx).await?;
    tx.commit().await.context("keeping the rules in force")?;
    Ok((core, recordings))
}

/// The folder of large files, without those whose acceptance was cut off: nothing is accepted yet.
async fn large_files(config: &Config, store: &Store) -> anyhow::Result<Arc<Files>> {
    let folder = BlobFolder::open(&config.files.folder(&config.data))?;
    let files = Files::new(folder, config.files.large_over);
    let orphans = files.sweep(store, Clock::System.now()).await?;
    if orphans > 0 {
        tracing::warn!(
            orphans,
            "blobs whose acceptance was cut off are removed; their files come again"
        );
    }
    files.changed(store).await?;
    Ok(Arc::new(files))
}
