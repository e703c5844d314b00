//! The gateway with four offices of child welfare, one of which can be dead.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::deployment;
use tandem::demo::office::Office;
use tandem::serve::Gateway;
use tandem::store::OutboxState;

use crate::county::deploy;
use crate::messages;
use crate::partner::{Back, Partner};
use crate::told::{applied, consents, tell, until};
use crate::{SAYS, load};

/// Name of each office's system; the first is the one that dies.
const SYSTEMS: [&str; 4] = ["cws-demo", "cws-north", "cws-south", "cws-west"];
/// Families, who are dealt out to the offices.
const FAMILIES: usize = 200;
/// Messages a second that the lane of the first may carry.
pub(crate) const RATE: u32 = 250;
/// Events of one input while the queue fills.
const TOGETHER: usize = 50;
/// Inputs after which the filling waits until they took effect: the gateway takes no more than it can hold.
const INPUTS: usize = 40;

pub(crate) struct Offices {
    gateway: Gateway,
    partners: Vec<Partner>,
    folder: tempfile::TempDir,
    office: Office,
    families: Vec<usize>,
    /// Messages that were told so far.
    told: std::sync::atomic::AtomicUsize,
}

impl Offices {
    pub(crate) async fn start(database: Option<String>) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (mut partners, mut inboxes) = (Vec::new(), Vec::new());
        for _ in SYSTEMS {
            let (partner, inbox) = Partner::start().await;
            partners.push(partner);
            inboxes.push(inbox);
        }
        configure(folder.path(), &inboxes, database);
        let loaded = Loaded::from_file(&folder.path().join("gateway.toml")).unwrap();
        let gateway = Box::pin(Gateway::start(loaded, Clock::System)).await;
        let gateway = gateway.unwrap();
        let office = Office::new(format!("http://{}", gateway.address), folder.path()).unwrap();
        let offices = Self {
            gateway,
            partners,
            folder,
            office,
            families: messages::families(FAMILIES),
            told: std::sync::atomic::AtomicUsize::new(0),
        };
        offices.introduce().await;
        Arc::new(offices)
    }

    async fn introduce(&self) {
        let families = &self.families;
        tell(&self.office, "calworks", &messages::of_calworks(families)).await;
        for (number, system) in SYSTEMS.iter().enumerate() {
            let who = if number == 0 { "cws" } else { system };
            let theirs = messages::of_office(&self.dealt(number));
            tell(&self.office, who, &theirs).await;
        }
        let core = &self.gateway.core;
        applied(core).await;
        for family in families {
            consents(&self.office, *family).await;
        }
        tell(&self.office, "calworks", &messages::starts(families)).await;
        applied(core).await;
        until(core, async || self.under_way(&SYSTEMS).await == 0).await;
        for partner in &self.partners {
            partner.forget();
        }
    }

    /// The families of an office.
    fn dealt(&self, office: usize) -> Vec<usize> {
        let theirs = self.families.iter().skip(office);
        theirs.step_by(SYSTEMS.len()).copied().collect()
    }

    pub(crate) fn dead(&self) -> &Partner {
        &self.partners[0]
    }

    /// Messages that wait for the dead one.
    pub(crate) async fn waiting(&self) -> i64 {
        self.under_way(&SYSTEMS[..1]).await
    }

    async fn under_way(&self, systems: &[&str]) -> i64 {
        let mut tx = self.gateway.core.store.snapshot().await.unwrap();
        let counts = tx.lane_counts().await.unwrap();
        let waits = |state| {
            matches!(
                state,
                OutboxState::Queued | OutboxState::Failed | OutboxState::Parked
            )
        };
        counts
            .iter()
            .filter(|one| systems.contains(&one.lane.as_str()) && waits(one.state))
            .map(|one| one.count)
            .sum()
    }

    /// Tells so many messages to the three others, and waits until they have them. Returns how many a second.
    pub(crate) async fn carry(&self, count: usize) -> f64 {
        let families: Vec<usize> = (1..SYSTEMS.len())
            .flat_map(|office| self.dealt(office))
            .collect();
        let bodies = (0..count).map(|place| {
            let message = self.message(families[place % families.len()]);
            serde_json::json!([message]).to_string()
        });
        let bodies = Arc::new(bodies.collect::<Vec<_>>());
        let token = std::fs::read_to_string(self.folder.path().join("calworks.token")).unwrap();
        let living = || self.partners.iter().skip(1).map(Partner::count).sum();
        let (before, start): (usize, _) = (living(), Instant::now());
        load::post(self.gateway.address, "/v1/events", &token, bodies).await;
        until(&self.gateway.core, async || living() >= before + count).await;
        count as f64 / start.elapsed().as_secs_f64()
    }

    /// Tells so many messages to the dead one.
    pub(crate) async fn fill(&self, count: usize, mebibytes: impl Fn() -> u64) {
        let families = self.dealt(0);
        let mut said = Instant::now();
        for (number, first) in (0..count).step_by(TOGETHER).enumerate() {
            let places = first..(first + TOGETHER).min(count);
            let events = places.map(|place| self.message(families[place % families.len()]));
            tell(&self.office, "calworks", &events.collect()).await;
            if number % INPUTS == 0 {
                applied(&self.gateway.core).await;
            }
            if said.elapsed() > SAYS {
                println!("  {first} told; resident {} MiB", mebibytes());
                said = Instant::now();
            }
        }
        applied(&self.gateway.core).await;
    }

    /// Waits until the dead one has all that waited for it.
    pub(crate) async fn drained(&self, count: usize, mebibytes: impl Fn() -> u64) -> Back {
        let mut said = Instant::now();
        while self.dead().count() < count {
            let _more = tokio::time::timeout(SAYS, self.dead().more.notified()).await;
            if said.elapsed() > SAYS {
                let arrived = self.dead().count();
                println!("  {arrived} arrived; resident {} MiB", mebibytes());
                said = Instant::now();
            }
        }
        until(&self.gateway.core, async || self.waiting().await == 0).await;
        self.dead().back()
    }

    /// The next message about a family: a standing or a change of a plan, both of the family's one case.
    fn message(&self, family: usize) -> serde_json::Value {
        let number = self.told.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        messages::message(number + number / 2 + number % 2, family)
    }

    pub(crate) async fn stop(self) {
        self.gateway.stop().await;
    }
}

/// The demo county with four offices.
fn configure(folder: &Path, inboxes: &[String], database: Option<String>) {
    deploy(folder);
    let file = folder.join("gateway.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text = text
        .replace("http://127.0.0.1:9/\"", &format!("{}\"", inboxes[0]))
        .replace(
            "[systems.cws-demo]\n",
            &format!(
                "[systems.cws-demo]\nlane = {{ in_flight = 16, messages_per_second = {RATE} }}\n"
            ),
        );
    // A destination that is away for minutes, and not for days: it is asked again within seconds.
    text = format!("delivery = {{ breaker_longest_seconds = 10 }}\n{text}");
    if let Some(database) = database {
        text = format!("store = {{ postgres = \"{database}\" }}\n{text}");
    }
    let registry = folder.join("registry/systems.toml");
    let mut systems = std::fs::read_to_string(&registry).unwrap();
    let callers = folder.join("tokens.toml");
    let mut tokens = std::fs::read_to_string(&callers).unwrap();
    for (system, inbox) in SYSTEMS.iter().zip(inboxes).skip(1) {
        write!(
            text,
            "\n[systems.{system}]\norganization = \"org-cws\"\nprogram = \"child-welfare\"\n\
             output = \"child-welfare/niem\"\nlane = {{ in_flight = 16 }}\n\
             push = {{ url = \"{inbox}\", token_file = \"partner.token\" }}\n"
        )
        .unwrap();
        write!(
            systems,
            "\n[[system]]\nid = \"{system}\"\nname = \"Office {system}\"\norganization = \"org-cws\"\n\
             default_category = \"CW_CASE\"\n"
        )
        .unwrap();
        let token = deployment::token().unwrap();
        let hash = Sha256::digest(&token);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        write!(
            tokens,
            "[[tokens]]\nname = \"{system}\"\nrole = \"system\"\norganization = \"org-cws\"\n\
             system = \"{system}\"\nsha256 = \"{hash}\"\n\n"
        )
        .unwrap();
        std::fs::write(folder.join(format!("{system}.token")), token).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    std::fs::write(registry, systems).unwrap();
    std::fs::write(callers, tokens).unwrap();
}
