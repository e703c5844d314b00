//! The county under the crash test: gateways, their database, and child welfare's exchange partner behind a liar.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::deployment::{self, Places};
use tandem::demo::directives;
use tandem::demo::office::Office;
use tandem::seal::Sealer;
use tandem::store::{EventState, Store};
use tandem_simulators::calworks::{CalworksSettings, CalworksSystem};
use tandem_simulators::cws::{ExchangePartner, ExchangePartnerSettings};
use tandem_simulators::postgres::Cluster;
use tandem_simulators::{Liar, SimClock};
use tempfile::TempDir;

use crate::family::Family;
use crate::process::Process;

/// Families that are served at one time.
const FAMILIES: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(120);
const SETTINGS: &str = "
[delivery]
first_retry_seconds = 1
longest_retry_seconds = 1
attempts = 1000
breaker_seconds = 1
breaker_longest_seconds = 1
";

/// Where the gateways keep their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One gateway on a file.
    Sqlite,
    /// Two gateways on one database.
    Postgres,
}

pub(crate) struct County {
    pub(crate) gateways: Vec<Process>,
    pub(crate) partner: ExchangePartner,
    pub(crate) calworks: CalworksSystem,
    pub(crate) liar: Liar,
    pub(crate) families: Vec<Family>,
    /// Those whose consent was taken back: their part is played.
    pub(crate) gone: Vec<Family>,
    pub(crate) cluster: Option<Cluster>,
    /// The address of the database.
    database: Option<String>,
    pub(crate) kills: u32,
    /// Messages that the partner refused and the operator sent again.
    pub(crate) sent_again: AtomicU32,
    next: u32,
    folders: Vec<TempDir>,
}

impl County {
    /// Opens with families that are linked, have consented and are co-managed.
    pub(crate) async fn open(engine: Engine, seed: u64) -> Self {
        let now = Clock::System.now();
        let token = deployment::token().unwrap();
        let partner = ExchangePartner::start(ExchangePartnerSettings {
            organization: "org-cws".to_owned(),
            token: Some(token.clone()),
            clock: SimClock::starting_at(now).unwrap(),
        })
        .await
        .unwrap();
        let liar = Liar::start().await.unwrap();
        liar.stands_before(partner.inbox_url());
        let cluster = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Cluster::start(false).unwrap()),
        };
        let database = cluster.as_ref().map(|one| one.database().unwrap());
        let postgres = database.as_ref().map(|address| address.parse().unwrap());
        let nobody = "http://127.0.0.1:9/fhir".to_owned();
        let places = Places {
            cws_inbox: liar.address(),
            clinic: nobody.clone(),
            behavioral_health: nobody,
            partner_token: token,
            postgres,
        };
        let first = tempfile::tempdir().unwrap();
        deployment::write(first.path(), &places).unwrap();
        hurry(first.path());
        let calworks = CalworksSystem::start(CalworksSettings {
            folder: first.path().join("exchange/calworks-demo"),
            organization: "org-calworks".to_owned(),
            clock: SimClock::starting_at(now).unwrap(),
            seed,
        })
        .await
        .unwrap();
        let mut county = Self {
            gateways: vec![deploy(first.path())],
            partner,
            calworks,
            liar,
            families: Vec::new(),
            gone: Vec::new(),
            cluster,
            database,
            kills: 0,
            sent_again: AtomicU32::new(0),
            next: 0,
            folders: vec![first],
        };
        county.gateways[0].start().await;
        if engine == Engine::Postgres {
            let second = tempfile::tempdir().unwrap();
            copy(county.folders[0].path(), second.path());
            // Both exchange files in one place.
            let file = second.path().join("gateway.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            let shared = format!("path = \"{}/exchange/", county.folders[0].path().display());
            std::fs::write(&file, text.replace("path = \"exchange/", &shared)).unwrap();
            let mut gateway = deploy(second.path());
            gateway.start().await;
            county.gateways.push(gateway);
            county.folders.push(second);
        }
        for _ in 0..FAMILIES {
            county.add_family().await;
        }
        county.liar.misbehaves_by_chance(seed);
        county
    }

    /// Another family is linked, consents and is co-managed.
    pub(crate) async fn add_family(&mut self) {
        self.next += 1;
        let family = Family::new(self.next);
        for (who, events) in family.introduction() {
            self.tell(who, &events).await;
        }
        let office = self.office(0);
        let directive = directives::coordination(&family.consent(), "self");
        let known = async {
            // Until what was accepted took effect, nobody of that name is known.
            let person = family.in_calworks();
            while office
                .consent(&directive, "calworks-demo", &person)
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, known).await.unwrap();
        // Both are one family by now: the partner is told so.
        let case = family.cws_case().replace('-', "");
        let told = self.partner.wait_for(
            "the notice of a mutual client",
            |message| {
                message
                    .case_ids
                    .iter()
                    .any(|id| id.replace('-', "") == case)
            },
            PATIENCE,
        );
        told.await.unwrap();
        self.tell("calworks", &family.start()).await;
        // A consent that is taken back counts at once: what waited until then would come too late.
        let started = tokio::time::timeout(PATIENCE, self.nothing_waits());
        started.await.unwrap();
        self.families.push(family);
    }

    /// Waits until whatever was accepted took effect.
    async fn nothing_waits(&self) {
        let store = self.store().await;
        loop {
            let mut tx = store.snapshot().await.unwrap();
            if tx.count_events(EventState::Waiting).await.unwrap() == 0 {
                break;
            }
            drop(tx);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        store.close().await;
    }

    pub(crate) fn office(&self, gateway: usize) -> Office {
        let gateway = &self.gateways[gateway % self.gateways.len()];
        Office::new(gateway.url.clone(), self.folders[0].path()).unwrap()
    }

    /// Tells the first gateway something that must succeed.
    async fn tell(&self, who: &str, events: &Value) {
        self.office(0)
            .post(who, "/v1/events", events)
            .await
            .unwrap();
    }

    /// Opens what the gateways have stored.
    pub(crate) async fn store(&self) -> Store {
        let folder = self.folders[0].path();
        let config = Loaded::from_file(&folder.join("gateway.toml"))
            .unwrap()
            .config;
        let key = config.data.join("root.key");
        let sealer = Sealer::from_file(&key, config.jurisdiction.clone()).unwrap();
        Store::to_read(&config, sealer).await.unwrap()
    }

    /// Keeps what is stored for whoever looks for the reason, and tells where, with what the gateways said last.
    pub(crate) fn post_mortem(&self) -> String {
        let place = std::env::temp_dir().join(format!("tandem-crash-{}", std::process::id()));
        let kept = std::fs::create_dir_all(&place).and_then(|()| {
            copy(self.folders[0].path(), &place);
            let Some(database) = &self.database else {
                return Ok(());
            };
            let dump = Command::new("pg_dump")
                .arg(database)
                .stdout(std::fs::File::create(place.join("database.sql"))?)
                .status()?;
            match dump.success() {
                true => Ok(()),
                false => Err(std::io::Error::other(format!("pg_dump: {dump}"))),
            }
        });
        let place = place.display();
        format!("kept in {place}: {kept:?}\n{}", self.last_words())
    }

    /// What the gateways said last.
    fn last_words(&self) -> String {
        let logs = self.folders.iter().map(|folder| {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(25)..].join("\n")
        });
        logs.collect::<Vec<_>>().join("\n\n")
    }

    pub(crate) fn counts(&self) -> Value {
        let families = self.families.iter().chain(&self.gone);
        json!({
            "kills": self.kills,
            "sent_again": self.sent_again.load(Ordering::Relaxed),
            "families": self.next,
            "told": families.map(|family| family.told.by_calworks + family.told.by_cws).sum::<u32>(),
            "received": self.partner.received().len() + self.calworks.received().len(),
            "requests": self.liar.seen().len(),
        })
    }
}

/// Settings that let a round end within seconds.
fn hurry(folder: &Path) {
    let file = folder.join("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text
        .replace("limits = {", "linking = { learn = false }\nlimits = {")
        .replace("= 200, burst = 400", "= 10000, burst = 10000");
    std::fs::write(&file, format!("{text}{SETTINGS}")).unwrap();
}

/// A gateway on a folder under an address that is free now.
fn deploy(folder: &Path) -> Process {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let file = folder.join("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let listens = text.lines().map(|line| {
        if line.starts_with("listen =") {
            format!("listen = {{ address = \"{address}\" }}\n")
        } else {
            format!("{line}\n")
        }
    });
    std::fs::write(&file, listens.collect::<String>()).unwrap();
    Process::on(folder, format!("http://{address}"))
}

/// The deployment of another gateway on the same database: the same keys and tokens.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            if name != "exchange" {
                std::fs::create_dir_all(&target).unwrap();
                copy(&entry.path(), &target);
            }
        } else if name != "log" && name != "gateway.lock" {
            match std::fs::copy(entry.path(), target) {
                // The gateway that runs there writes a file beside the old one and renames it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}
