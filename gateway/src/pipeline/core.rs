//! What every part of the pipeline shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tandem_adapter_port::report::Report;
use tandem_consent::Facts;
use tandem_coordination::referral::Rules;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{EventId, OrganizationId, SourceEventId, SystemId};
use tandem_matching::Engine;
use tokio::sync::{Mutex, MutexGuard, Notify, watch};
use tokio_util::task::TaskTracker;

use super::canary::Canary;
use super::files::Files;
use super::judge::Judge;
use super::matcher::Matcher;
use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::config::{Loaded, SystemConfig};
use crate::delivery::Board;
use crate::state::sensitivity::Sensitivity;
use crate::store::{EventState, Evidence, EvidenceKind, Recorder, Store, StoreError, Tx};
use crate::traces::Traces;

/// Name under which the gateway writes its own events.
pub const GATEWAY_SYSTEM: &str = "gateway";

/// Inputs between which it is counted again how many events wait.
const COUNTED_EVERY: u64 = 64;

/// What every part of the pipeline shares. A configuration that is read while the gateway serves makes another one of it
/// ([`Core::under`]), with its own configuration and facts and everything else in common.
#[derive(Debug, Clone)]
pub struct Core {
    /// Configuration and registry.
    pub loaded: Arc<Loaded>,
    /// When they were read.
    pub loaded_at: Timestamp,
    /// The store.
    pub store: Store,
    /// Makes decisions durable that are made at one time.
    pub recorder: Recorder,
    /// The audit log.
    pub audit: Arc<AuditLog>,
    /// Makes spans of what is done.
    pub traces: Traces,
    /// The clock.
    pub clock: Clock,
    /// The consent engine.
    pub judge: Judge,
    /// The rules of referrals.
    pub referral_rules: Rules,
    /// The matching engine.
    pub engine: Engine,
    /// The match index.
    pub matcher: Arc<Mutex<Matcher>>,
    /// How many losses of the store the match index has been read after.
    pub losses_known: Arc<AtomicU64>,
    /// The gateway's own system id.
    pub gateway: SystemId,
    /// Counts up whenever something waits or was done, for all but the lanes, which have bells of their own.
    pub changed: watch::Sender<u64>,
    /// Tells the processor that events were accepted.
    pub arrived: Arc<Notify>,
    /// Events that may be accepted before it is counted again how many wait.
    pub room: Arc<AtomicU64>,
    /// Releases of held inputs take turns, under whatever configuration.
    pub releases: Arc<Mutex<()>>,
    /// The lanes that this gateway serves.
    pub lanes: Arc<Board>,
    /// What the canary has shown.
    pub canary: Arc<Canary>,
    /// Tells that something was written that a timer must know.
    pub timers: Arc<Notify>,
    /// Tells that rules came into force, by which what was told is decided again.
    pub rules: Arc<Notify>,
    /// Tells that a run of the disposal was asked for.
    pub retention: Arc<Notify>,
    /// Large files.
    pub files: Arc<Files>,
    /// What was begun for callers and comes about though they hang up.
    pub owed: TaskTracker,
}

impl Core {
    /// The same gateway under another configuration.
    #[must_use]
    pub fn under(&self, loaded: Loaded) -> Self {
        Self {
            judge: self.judge.knowing(Facts::from_registry(&loaded.registry)),
            loaded_at: self.clock.now(),
            loaded: Arc::new(loaded),
            ..self.clone()
        }
    }

    /// Keeps on what it is decided from now on: rules, facts about organisations, label tables.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_basis(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.judge.keep_basis(tx, now).await?;
        let labels = Evidence {
            kind: EvidenceKind::LabelTables,
            hash: self.loaded.labels.hash.clone(),
            content: self.loaded.labels.tables.content(),
        };
        tx.keep(&labels, now).await
    }

    /// Wakes the processor and the lanes.
    pub fn wake(&self) {
        self.wake_all_but_lanes();
        self.store.ring_all_bells();
    }

    /// Wakes all but the lanes: those for which messages were written have heard their bells.
    pub fn wake_all_but_lanes(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes the processor alone: nothing waits for a lane yet.
    pub fn wake_processor(&self) {
        self.arrived.notify_one();
    }

    /// Lets the timers look again at what is due.
    pub fn wake_timers(&self) {
        self.timers.notify_one();
    }

    /// Begins a transaction that writes, with a match index that knows everything committed before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.begin_knowing(true).await
    }

    /// The same for work that nobody waits for: whoever answers somebody goes first, for a moment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_behind(&self) -> Result<Tx, StoreError> {
        self.begin_knowing(false).await
    }

    async fn begin_knowing(&self, is_awaited: bool) -> Result<Tx, StoreError> {
        loop {
            let tx = match is_awaited {
                true => self.store.begin().await?,
                false => self.store.begin_behind().await?,
            };
            if let Some(tx) = self.knowing(tx).await? {
                return Ok(tx);
            }
        }
    }

    /// The transaction, when the index knows what it sees; else the index was read anew, and it is to be begun again. That an earlier
    /// transaction was lost is known to whoever has a turn after it, and not before.
    async fn knowing(&self, mut tx: Tx) -> Result<Option<Tx>, StoreError> {
        if self.index_is_true() {
            self.follow(&mut tx).await?;
            return Ok(Some(tx));
        }
        drop(tx);
        // The index may know what was written and then lost.
        let writer = self.store.begin_apart().await?;
        if !self.index_is_true() {
            Box::pin(self.read_index(writer)).await?;
        }
        Ok(None)
    }

    /// Whether nothing was lost since the index was read, as far as is known to whoever has a turn.
    fn index_is_true(&self) -> bool {
        self.losses_known.load(Ordering::Acquire) == self.store.losses()
    }

    /// The match index, to follow what a transaction writes: should that not become durable, it is read anew.
    pub async fn index_of(&self, tx: &mut Tx) -> MutexGuard<'_, Matcher> {
        tx.note_followed();
        self.matcher.lock().await
    }

    /// Brings the match index up to what is committed by now, where other gateways may have written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        if !self.store.is_shared() {
            return Ok(());
        }
        self.follow(&mut self.store.snapshot().await?).await
    }

    /// Brings the match index up to what a transaction sees, where other gateways may have written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow(&self, tx: &mut Tx) -> Result<(), StoreError> {
        if !tx.is_shared() {
            return Ok(());
        }
        let mut matcher = self.matcher.lock().await;
        while !matcher.follow(tx).await? {
            tx.stands_still().await?;
            let anew = Matcher::load(&self.engine, &self.store, &self.loaded.config);
            matcher.replace(Box::pin(anew).await?);
        }
        Ok(())
    }

    /// Builds the match index anew from the store: after a transaction that had touched it did not commit, or when the
    /// names that it compares by have changed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reload_index(&self) -> Result<(), StoreError> {
        let writer = self.store.begin_apart().await?;
        Box::pin(self.read_index(writer)).await
    }

    /// Reads the index while nobody else writes: nobody commits a record or a steward's word between what is read here and the index that
    /// then has it. Who is dropped meanwhile leaves the index for the next to read.
    async fn read_index(&self, mut writer: Tx) -> Result<(), StoreError> {
        writer.stands_still().await?;
        let losses = self.store.losses();
        let index = Matcher::load(&self.engine, &self.store, &self.loaded.config);
        let index = Box::pin(index).await?;
        self.matcher.lock().await.replace(index);
        self.losses_known.store(losses, Ordering::Release);
        Ok(())
    }

    /// Whether more may be accepted: a queue without an end would fill the disk before anybody is told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_room(&self) -> Result<bool, StoreError> {
        let take = |room: u64| room.checked_sub(1);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        if self.room.fetch_update(set, fetch, take).is_ok() {
            return Ok(true);
        }
        let mut tx = self.store.snapshot().await?;
        let most = u64::from(self.loaded.config.limits.waiting_events);
        let mut backlog = tx.backlog().await?;
        if backlog > most {
            // What a large file has staged may lie between the first and the last.
            backlog = tx.count_waiting().await?;
        }
        let Some(room) = most.checked_sub(backlog) else {
            tracing::warn!(backlog, "nothing is accepted: too many events wait");
            return Ok(false);
        };
        self.room.store(room.min(COUNTED_EVERY), Ordering::Release);
        Ok(true)
    }

    /// Takes the room of the events of an input, of which one has its room by now.
    pub fn has_taken(&self, report: &Report) {
        let events: u64 = report.events.values().sum();
        let take = |room: u64| Some(room.saturating_sub(events.saturating_sub(1)));
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        let _room = self.room.fetch_update(set, fetch, take);
    }

    /// The configuration of a system.
    #[must_use]
    pub fn system(&self, id: &SystemId) -> Option<&SystemConfig> {
        self.loaded.config.systems.get(id)
    }

    /// The organisation of a system; the gateway's operator for an unknown one.
    #[must_use]
    pub fn organization_of(&self, system: &SystemId) -> Option<OrganizationId> {
        self.system(system)
            .map(|config| config.organization.clone())
    }

    /// The operator's own organisation.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a literal that is a valid id")]
    pub fn gateway_organization(&self) -> OrganizationId {
        tandem_consent::GATEWAY
            .parse()
            .expect("a valid organisation id")
    }

    /// The name of an organisation.
    #[must_use]
    pub fn name_of(&self, organization: &OrganizationId) -> String {
        self.loaded
            .registry
            .organization(organization)
            .map_or_else(|| organization.to_string(), |known| known.name.clone())
    }

    /// The category of what a system sends without a label.
    #[must_use]
    pub fn default_category(&self, system: &SystemId) -> Category {
        // An unknown system's data are treated as the strictest that may be routed at all.
        self.loaded
            .registry
            .system(system)
            .map_or(Category::SudPart2, |known| known.default_category)
    }

    /// The category of something that a system told: its own word, else what the system sends without one.
    #[must_use]
    pub fn category(&self, system: &SystemId, told: &Sensitivity) -> Category {
        told.category
            .unwrap_or_else(|| self.default_category(system))
    }

    /// The system in which an organisation is told things.
    #[must_use]
    pub fn system_of(&self, organization: &OrganizationId) -> Option<SystemId> {
        self.loaded
            .config
            .systems
            .iter()
            .find(|(_, system)| system.organization == *organization && system.output.is_some())
            .map(|(id, _)| id.clone())
    }

    /// The local day of an instant.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> jiff::civil::Date {
        at.to_zoned(self.loaded.zone.clone()).date()
    }

    /// Appends an event of the gateway itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, tx: &mut Tx, body: Body, now: Timestamp) -> Result<(), StoreError> {
        self.record_of(tx, &self.gateway, body, now, now).await
    }

    /// Appends an event that follows from what a system told, under that system's name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_of(
        &self,
        tx: &mut Tx,
        system: &SystemId,
        body: Body,
        occurred_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let event = self.own_event(tx, system, body, occurred_at, now)?;
        tx.append_event(&event, None, EventState::Applied).await?;
        Ok(())
    }

    /// An event of the gateway's making, under the name of the system from whose facts it follows.
    ///
    /// # Errors
    /// When no id can be made.
    pub fn own_event(
        &self,
        tx: &Tx,
        system: &SystemId,
        body: Body,
        occurred_at: Timestamp,
        now: Timestamp,
    ) -> Result<Event, StoreError> {
        let id = tx.new_event_id(now);
        let source_event_id = SourceEventId::new(format!("{GATEWAY_SYSTEM}:{id}"))
            .map_err(|_| StoreError::Shape { kind: "event id" })?;
        Ok(Event {
            id: EventId(id),
            recorded_at: now,
            system: system.clone(),
            jurisdiction: self.loaded.config.jurisdiction.clone(),
            decision_id: None,
            payload_version: 1,
            told: NewEvent::new(occurred_at, source_event_id, body),
        })
    }
}
