//! Starts and stops the gateway: the store, the processor, one lane per destination, the intakes and the API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use tandem_consent::{Bundle, Facts};
use tandem_coordination::referral::Rules;
use tandem_mappings::model::id::SystemId;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapters::Adapters;
use crate::api;
use crate::audit::{self, AuditKeys, AuditLog};
use crate::blob::BlobFolder;
use crate::clock::Clock;
use crate::config::{Config, Loaded, SystemConfig};
use crate::delivery::lane::{self, Form, Lane};
use crate::delivery::{Board, Carrier};
use crate::duties::Duties;
use crate::intake::{self, Intake};
use crate::keys;
use crate::lock::DataLock;
use crate::pipeline::accept::Acceptor;
use crate::pipeline::canary::{self, Canary};
use crate::pipeline::core::{Core, GATEWAY_SYSTEM};
use crate::pipeline::files::{self, Files};
use crate::pipeline::judge::Judge;
use crate::pipeline::labelling::Labeller;
use crate::pipeline::matcher::{self, Matcher};
use crate::pipeline::{learning, processor, retention, timers};
use crate::policy;
use crate::seal::Sealer;
use crate::sharing;
use crate::store::{Evidence, EvidenceKind, Recorder, Recordings, Store, StoreError};
use crate::transport::folder::ExchangeFolder;
use crate::transport::http::PartnerClient;

/// How long a stop waits for what is under way.
const STOP_LIMIT: Duration = Duration::from_secs(35);

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its parts share.
    pub core: Arc<Core>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Ends after the tasks: what they still ask is recorded.
    stop_recording: CancellationToken,
    recording: JoinHandle<()>,
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
        let (core, recordings) = Box::pin(core(loaded, clock)).await?;
        let core = Arc::new(core);
        started(&core).await.context("noting the start")?;
        Box::pin(learning::keep_up(&core))
            .await
            .context("learning the match model")?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let labeller = Labeller::new(Arc::clone(&core.loaded));
        let intake = Intake {
            core: Arc::clone(&core),
            adapters: Arc::clone(&adapters),
            acceptor: Acceptor::new(core.store.clone())
                .guarding(core.loaded.config.refresh.clone())
                .keeping_large(Arc::clone(&core.files))
                .labelling(Arc::new(labeller)),
        };
        let stop_recording = CancellationToken::new();
        let recording = tokio::spawn(recordings.run(stop_recording.clone()));
        let mut duties = Duties::default();
        pipeline_duty(&core, &mut duties);
        let sealing = Arc::clone(&core);
        duties.add("keys", move |stop| keys::run(Arc::clone(&sealing), stop));
        let log = Arc::clone(&core);
        duties.add("audit", move |stop| audit::run(Arc::clone(&log), stop));
        let large = Arc::clone(&core);
        duties.add("files", move |stop| files::run(Arc::clone(&large), stop));
        let kept = Arc::clone(&core);
        duties.add("retention", move |stop| {
            retention::duty::run(Arc::clone(&kept), stop)
        });
        for (id, system) in &core.loaded.config.systems {
            system_duties(&intake, id, system, &mut duties)
                .with_context(|| format!("starting systems.{id}"))?;
        }
        tasks.spawn(duties.run(core.store.clone(), stop.clone()));
        tasks.spawn(sharing::run(Arc::clone(&core), stop.clone()));
        let address = api::listen(intake, stop.clone(), &tasks)
            .await
            .context("starting to listen")?;
        tasks.close();
        Ok(Self {
            address,
            core,
            stop,
            tasks,
            stop_recording,
            recording,
            lock,
        })
    }

    /// Stops: nothing new is taken, what is under way ends, the store is closed. Bounded in time.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP_LIMIT, self.tasks.wait())
            .await
            .is_err()
        {
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
        self.core.store.close().await;
        drop(self.lock);
    }

    /// Runs until a signal asks to stop.
    ///
    /// # Errors
    /// When signals can't be waited for.
    pub async fn run_until_signal(self) -> anyhow::Result<()> {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
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

async fn core(loaded: Loaded, clock: Clock) -> anyhow::Result<(Core, Recordings)> {
    let config = &loaded.config;
    let sealer = Sealer::open_or_create(&config.data.join("root.key"), config.jurisdiction.clone())
        .context("opening the key file")?;
    let store = Store::of(config, sealer)
        .await
        .context("opening the store")?;
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
    // Before anything is written that gets a leaf: what stands in the store by now enters a log that is new.
    let keys = AuditKeys::open_or_create(&config.data, &config.jurisdiction)
        .context("opening the keys of the audit log")?;
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
    let mut tx = store
        .begin()
        .await
        .context("opening the store for writing")?;
    judge
        .keep_basis(&mut tx, clock.now())
        .await
        .context("keeping the rules in force")?;
    let labels = Evidence {
        kind: EvidenceKind::LabelTables,
        hash: loaded.labels.hash.clone(),
        content: loaded.labels.tables.content(),
    };
    tx.keep(&labels, clock.now())
        .await
        .context("keeping the label tables in force")?;
    tx.commit().await.context("keeping the rules in force")?;
    let (recorder, recordings) = Recorder::new(store.clone());
    let core = Core {
        store,
        recorder,
        audit,
        clock,
        judge,
        engine,
        referral_rules: Rules::shipped().context("loading the referral reasons")?,
        matcher: Mutex::new(index),
        gateway: GATEWAY_SYSTEM.parse()?,
        changed: watch::Sender::new(0),
        arrived: Notify::default(),
        room: AtomicU64::default(),
        lanes: Board::default(),
        canary: Canary::default(),
        timers: Notify::new(),
        retention: Notify::new(),
        files,
        loaded: Arc::new(loaded),
    };
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

/// To match, to apply, to learn and to look at the time is one duty: all of it goes by one index in one order.
fn pipeline_duty(core: &Arc<Core>, duties: &mut Duties) {
    let core = Arc::clone(core);
    duties.add("pipeline", move |stop| {
        let core = Arc::clone(&core);
        async move {
            let minutes = core.loaded.config.policy.canary_minutes;
            let probing = async {
                if minutes > 0 {
                    canary::run(Arc::clone(&core), minutes, stop.clone()).await;
                }
            };
            tokio::join!(
                processor::run(Arc::clone(&core), stop.clone()),
                learning::run(Arc::clone(&core), stop.clone()),
                timers::run(Arc::clone(&core), stop.clone()),
                probing
            );
        }
    });
}

fn system_duties(
    intake: &Intake,
    id: &SystemId,
    system: &SystemConfig,
    duties: &mut Duties,
) -> anyhow::Result<()> {
    let mut carrier = None;
    if let Some(config) = &system.folder {
        let folder =
            Arc::new(ExchangeFolder::open(&config.path).context("opening the exchange folder")?);
        carrier = Some(Carrier::Folder(Arc::clone(&folder)));
        let (intake, id, config) = (intake.clone(), id.clone(), config.clone());
        duties.add(format!("folder/{id}"), move |stop| {
            let folder = Arc::clone(&folder);
            intake::folder::watch(intake.clone(), id.clone(), config.clone(), folder, stop)
        });
    }
    if let Some(push) = &system.push {
        let client = PartnerClient::new(push.token_file.as_deref(), push.authority.as_deref())?;
        carrier = Some(Carrier::Push(client, push.url.clone()));
    }
    let mut form = intake.adapters.writer(id).map(Form::Files);
    if let Some(server) = &system.fhir {
        let client = PartnerClient::new(server.token_file.as_deref(), server.authority.as_deref())?;
        let every = Duration::from_secs(u64::from(server.poll_seconds.max(1)));
        let (intake_of, id_of, client_of) = (intake.clone(), id.clone(), client.clone());
        duties.add(format!("pull/{id}"), move |stop| {
            intake::pull::watch(
                intake_of.clone(),
                id_of.clone(),
                client_of.clone(),
                every,
                stop,
            )
        });
        if let (None, Some(config)) = (&form, intake.adapters.fhir(id)) {
            form = system
                .output
                .is_some()
                .then(|| Form::Fhir(Box::new(config.clone())));
            carrier = Some(Carrier::Fhir(client));
        }
    }
    if let (Some(form), Some(carrier)) = (form, carrier) {
        let lane = Lane::new(id.clone(), carrier, form, &system.lane);
        let core = Arc::clone(&intake.core);
        duties.add(format!("lane/{id}"), move |stop| {
            lane::run(Arc::clone(&core), lane.clone(), stop)
        });
    }
    Ok(())
}
