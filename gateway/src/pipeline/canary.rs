//! The canary: an invented client whose data may never be told. While the gateway runs, messages about it are put where
//! every message is decided: when an outbox row is written, before an attempt, and before a match answer. Each must be
//! denied. One that is permitted shows a gap between the laws and the wiring: it is stopped all the same, and the alarm
//! is raised.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tandem_adapter_port::outbound::{OutboundBody, OutboundPerson, RecallView};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{MessageId, OrganizationId, PersonId, SystemId};
use tandem_mappings::model::purpose::Purpose;
use tokio_util::sync::CancellationToken;

use super::core::{Core, GATEWAY_SYSTEM};
use super::judge::{Ask, AskedItem};
use super::proposal::{Part, Proposal, ProposedItem, ProposedPerson};
use super::tell;
use crate::figures;
use crate::store::{OutboxRow, Stage, StoreError};

/// Kind of the canary's messages in the outbox.
pub const KIND: &str = "canary";
/// The invented person.
const PERSON: PersonId = PersonId(uuid::Uuid::from_u128(
    0x0000_c0de_0000_4000_8000_0000_0000_0001,
));
/// What no law lets the gateway tell anybody (specs consent 5, hard bars).
const NEVER: [Category; 3] = [
    Category::Immigration,
    Category::VspRecord,
    Category::CwReporter,
];

/// What the canary has shown so far.
#[derive(Debug, Default)]
pub struct Canary {
    probes: AtomicU64,
    escapes: AtomicU64,
    /// Microseconds; 0 before the first probe.
    last: AtomicI64,
}

impl Canary {
    /// How many probes were made.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Relaxed)
    }

    /// How many were permitted. Anything but 0 is an alarm.
    #[must_use]
    pub fn escapes(&self) -> u64 {
        self.escapes.load(Ordering::Relaxed)
    }

    /// When the last round began.
    #[must_use]
    pub fn probed_at(&self) -> Option<Timestamp> {
        let micros = self.last.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros)
            .ok()
            .filter(|_| micros > 0)
    }
}

/// Probes until cancelled, each time after so many minutes.
pub async fn run(core: std::sync::Arc<Core>, minutes: u32, stop: CancellationToken) {
    loop {
        if let Err(error) = probe(&core).await {
            tracing::error!(%error, "the canary could not be probed");
        }
        let now = core.clock.now();
        let pause = SignedDuration::from_mins(i64::from(minutes.max(1)));
        let until = now.checked_add(pause).unwrap_or(now);
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.clock.sleep_until(until) => {}
        }
    }
}

/// One round: a message and a question for every system that is told things.
///
/// # Errors
/// When the store fails.
pub async fn probe(core: &Core) -> Result<(), StoreError> {
    let now = core.clock.now();
    core.canary
        .last
        .store(now.as_microsecond(), Ordering::Relaxed);
    let told = core.loaded.config.systems.iter();
    for (system, config) in told.filter(|(_, config)| config.output.is_some()) {
        let proposal = proposal(core, system, &config.organization);
        let id = MessageId(uuid::Uuid::now_v7());
        let mut tx = core.store.begin().await?;
        let ruling = tell::weigh(core, &mut tx, id, &proposal, now).await?;
        ruling.record(&mut tx, Stage::Outbox, now).await?;
        seen(core, "outbox", ruling.outbound.is_some());
        let weighed = core
            .judge
            .weigh(&mut tx, question(core, &config.organization), now)
            .await?;
        core.judge
            .record(&mut tx, &weighed, Stage::Query, now)
            .await?;
        seen(core, "match", weighed.judged.permits_any());
        let row = OutboxRow {
            kind: KIND.to_owned(),
            ..tell::row(&tx, id, &proposal, ruling.decision, now)?
        };
        tx.add_outbox(&row).await?;
        tx.commit().await?;
    }
    core.wake();
    Ok(())
}

/// The places where the canary must be denied.
pub(crate) const PATHS: [&str; 3] = ["outbox", "match", "attempt"];

/// Notes what came out at a place where the canary must be denied.
pub fn seen(core: &Core, path: &'static str, was_permitted: bool) {
    let outcome = if was_permitted { "permitted" } else { "denied" };
    figures::probed(path, outcome, 1);
    core.canary.probes.fetch_add(1, Ordering::Relaxed);
    if was_permitted {
        core.canary.escapes.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            path,
            "ALARM: data that must never be told were permitted: laws and wiring have come apart; pause the lanes and look"
        );
    }
}

/// Whether an outbox row is the canary's.
#[must_use]
pub fn is_one(row: &OutboxRow) -> bool {
    row.kind == KIND
}

/// Somebody else whom the registry knows: of an unknown source everything is denied, whatever the laws say.
fn holder(core: &Core, recipient: &OrganizationId) -> OrganizationId {
    let others = core
        .loaded
        .config
        .systems
        .values()
        .map(|system| &system.organization);
    let mut others = others.filter(|other| *other != recipient);
    others.next().unwrap_or(recipient).clone()
}

fn question<'a>(core: &Core, organization: &'a OrganizationId) -> Ask<'a> {
    let source = holder(core, organization);
    let items = NEVER.map(|category| AskedItem {
        id: category.as_str().to_owned(),
        category,
        labels: BTreeSet::new(),
        labelled_by: BTreeSet::new(),
        source: source.clone(),
        authored: None,
    });
    Ask {
        action: Action::Match,
        purpose: Purpose::CoordinationOfCare,
        requester: organization,
        recipient: organization,
        person: Some(PERSON),
        items: items.into(),
        holds_copy: false,
        serves_subject: true,
    }
}

fn proposal(core: &Core, system: &SystemId, recipient: &OrganizationId) -> Proposal {
    let sender = holder(core, recipient);
    let item = |category: Category| ProposedItem {
        id: category.as_str().to_owned(),
        part: Part::Body,
        category,
        labels: BTreeSet::new(),
        labelled_by: BTreeSet::new(),
        source: sender.clone(),
        authored: None,
    };
    Proposal {
        sender: sender.clone(),
        recipient: recipient.clone(),
        recipient_system: system.clone(),
        action: Action::Disclose,
        people: vec![ProposedPerson {
            person: PERSON,
            view: invented(),
            labels: BTreeSet::new(),
            labelled_by: BTreeSet::new(),
        }],
        recipient_case: None,
        case: format!("{GATEWAY_SYSTEM}:{KIND}"),
        effect_key: format!("{KIND}:{system}"),
        items: NEVER.map(item).into(),
        body: OutboundBody::Recall(Box::new(RecallView {
            messages: Vec::new(),
            duties: Vec::new(),
        })),
        referral: None,
        episode: None,
    }
}

fn invented() -> OutboundPerson {
    OutboundPerson {
        person: None,
        role: "other".to_owned(),
        given: Some("Canary".to_owned()),
        middle: None,
        family: Some("Neverperson".to_owned()),
        birth: None,
        sex: None,
        cin: None,
        address: None,
        phone: None,
    }
}
