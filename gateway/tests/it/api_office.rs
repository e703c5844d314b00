//! A gateway in a temporary folder with its API on a loopback port, and callers of every role.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::config::{Loaded, hash_of};
use tandem::pipeline::core::Core;
use tandem::serve::Gateway;
use tempfile::TempDir;

/// The story's first morning.
pub(crate) const START: &str = "2026-02-02T09:00:00-08:00";

/// Callers: name (which is also the token), role, organisation, system.
pub(crate) const CALLERS: [(&str, &str, &str, Option<&str>); 10] = [
    ("calworks", "system", "org-calworks", Some("calworks-demo")),
    ("cws", "system", "org-cws", Some("cws-demo")),
    ("clinic", "system", "org-clinic", Some("clinic-demo")),
    ("bh", "system", "org-bh", Some("bh-demo")),
    ("steward", "steward", "org-calworks", None),
    ("privacy", "privacy-officer", "org-calworks", None),
    ("privacy-second", "privacy-officer", "org-calworks", None),
    ("operator", "operator", "org-calworks", None),
    ("auditor", "auditor", "org-calworks", None),
    ("administrator", "administrator", "org-calworks", None),
];

const GENEROUS: &str = "limits = { requests_per_second = 1000, burst = 1000, body_bytes = 200000, match_quantum_ms = 20 }";

/// A running gateway and a client. The folder goes with it.
pub(crate) struct Office {
    gateway: Option<Gateway>,
    client: reqwest::Client,
    url: String,
    folder: TempDir,
}

/// An answer, taken whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Office {
    /// A gateway with generous limits.
    pub(crate) async fn open() -> Self {
        Self::with(GENEROUS).await
    }

    /// A gateway with these limits.
    pub(crate) async fn with(limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start(folder, &config(limits, &registry())).await
    }

    /// A gateway whose configuration is changed before it starts; the folder is there for what it names.
    pub(crate) async fn changed(change: impl FnOnce(&Path, String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = config(GENEROUS, &registry());
        let text = change(folder.path(), text);
        Self::start(folder, &text).await
    }

    /// A gateway with these limits to whose registry entries are added.
    pub(crate) async fn with_entries(limits: &str, entries: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("registry");
        std::fs::create_dir(&own).unwrap();
        for entry in std::fs::read_dir(registry()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), own.join(entry.file_name())).unwrap();
        }
        let text = format!("jurisdiction = \"demo-county\"\n{entries}");
        std::fs::write(own.join("more.toml"), text).unwrap();
        Self::start(folder, &config(limits, &own)).await
    }

    /// A gateway to whose registry an organisation of the example is a victim service provider.
    pub(crate) async fn of_victim_service(organization: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("registry");
        std::fs::create_dir(&own).unwrap();
        for entry in std::fs::read_dir(registry()).unwrap() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let name = format!("id = \"{organization}\"");
            let text = match text.split_once(&name) {
                Some((before, after)) if after.contains("victim_service_provider") => {
                    let (fact, other) = ("victim_service_provider = ", "false");
                    let after =
                        after.replacen(&format!("{fact}{other}"), &format!("{fact}true"), 1);
                    format!("{before}{name}{after}")
                }
                _ => text,
            };
            std::fs::write(own.join(entry.file_name()), text).unwrap();
        }
        Self::start(folder, &config("", &own)).await
    }

    /// The gateway stops and starts again on its folder, with these limits.
    pub(crate) async fn restarted(self, limits: &str) -> Self {
        Self::reopened(self.stopped().await, limits).await
    }

    /// The gateway stops. Its folder.
    pub(crate) async fn stopped(mut self) -> TempDir {
        self.gateway.take().unwrap().stop().await;
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// A gateway starts again on its folder, with these limits.
    pub(crate) async fn reopened(folder: TempDir, limits: &str) -> Self {
        Self::start(folder, &config(limits, &registry())).await
    }

    /// A gateway starts again on its folder, by the configuration that lies there.
    pub(crate) async fn again(folder: TempDir) -> Self {
        let text = std::fs::read_to_string(folder.path().join("gateway.toml")).unwrap();
        Self::start(folder, &text).await
    }

    async fn start(folder: TempDir, config: &str) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        std::fs::write(folder.path().join("tokens.toml"), tokens()).unwrap();
        std::fs::write(folder.path().join("gateway.toml"), config).unwrap();
        let loaded = Loaded::from_file(&folder.path().join("gateway.toml")).unwrap();
        let clock = Clock::standing_at(START.parse().unwrap());
        let gateway = Gateway::start(loaded, clock).await.unwrap();
        let url = format!("http://{}", gateway.address);
        Self {
            gateway: Some(gateway),
            client: reqwest::Client::new(),
            url,
            folder,
        }
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.gateway.as_ref().unwrap().address
    }

    pub(crate) fn core(&self) -> Arc<Core> {
        Arc::clone(&self.gateway.as_ref().unwrap().core)
    }

    /// Sends a request; `who` is a caller's name, or nobody.
    pub(crate) async fn send(
        &self,
        who: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if !who.is_empty() {
            request = request.bearer_auth(who);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer {
            status,
            headers,
            text: answer.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.send(
            who,
            Method::POST,
            path,
            &[("content-type", "application/json")],
            Some(body.to_string()),
        )
        .await
    }

    /// Waits until nothing waits in the processor.
    pub(crate) async fn settle(&self) {
        let core = self.core();
        let mut changed = core.changed.subscribe();
        core.wake();
        let settled = async {
            loop {
                let waiting = core
                    .store
                    .snapshot()
                    .await
                    .unwrap()
                    .count_events(tandem::store::EventState::Waiting)
                    .await;
                if waiting.unwrap() == 0 {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(120), settled)
            .await
            .expect("the processor settles");
    }

    /// Waits until a message of a lane stands so.
    pub(crate) async fn message(
        &self,
        lane: &str,
        state: tandem::store::OutboxState,
    ) -> tandem::store::OutboxRow {
        let core = self.core();
        let mut changed = core.changed.subscribe();
        let found = async {
            loop {
                let rows = core
                    .store
                    .snapshot()
                    .await
                    .unwrap()
                    .outbox_in(&[state])
                    .await
                    .unwrap();
                if let Some(row) = rows.into_iter().find(|row| row.lane == lane) {
                    return row;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found)
            .await
            .expect("the lane gets there")
    }

    /// Waits until a message of a lane was tried so often and stands delivered.
    pub(crate) async fn attempted(&self, lane: &str, attempts: i64) -> tandem::store::OutboxRow {
        self.row(|row| row.lane == lane && row.attempts >= attempts)
            .await
    }

    /// Waits until a message is delivered.
    pub(crate) async fn delivered(&self, lane: &str, id: tandem_mappings::model::id::MessageId) {
        self.row(|row| row.lane == lane && row.id == id).await;
    }

    /// Waits until a message that is wanted stands delivered.
    pub(crate) async fn row(
        &self,
        is_wanted: impl Fn(&tandem::store::OutboxRow) -> bool,
    ) -> tandem::store::OutboxRow {
        let core = self.core();
        let mut changed = core.changed.subscribe();
        let found = async {
            loop {
                let mut tx = core.store.snapshot().await.unwrap();
                let state = tandem::store::OutboxState::Delivered;
                let rows = tx.outbox_in(&[state]).await.unwrap();
                drop(tx);
                if let Some(row) = rows.into_iter().find(&is_wanted) {
                    return row;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found)
            .await
            .expect("the message gets there")
    }

    fn exchange(&self, system: &str) -> std::path::PathBuf {
        self.folder.path().join("exchange").join(system)
    }

    /// The folder of the gateway, its configuration among it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A system puts a file into its folder.
    pub(crate) fn drop_file(&self, system: &str, name: &str, bytes: &[u8]) {
        let unfinished = self.exchange(system).join(format!("in/{name}.part"));
        std::fs::write(&unfinished, bytes).unwrap();
        std::fs::rename(&unfinished, self.exchange(system).join("in").join(name)).unwrap();
    }

    /// A system answers a file that it took out of its folder.
    pub(crate) fn drop_answer(&self, system: &str, name: &str, bytes: &[u8]) {
        let unfinished = self.exchange(system).join("answer.part");
        std::fs::write(&unfinished, bytes).unwrap();
        let answer = self.exchange(system).join(format!("out/{name}.ack"));
        std::fs::rename(&unfinished, answer).unwrap();
    }

    /// The error file of an input, once it is there.
    pub(crate) async fn error_file(&self, system: &str, name: &str) -> String {
        let file = self
            .exchange(system)
            .join(format!("error/{name}.error.json"));
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let found = async {
            loop {
                if let Ok(text) = std::fs::read_to_string(&file) {
                    return text;
                }
                ticks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found)
            .await
            .expect("the error file gets there")
    }

    /// Whether anything that was written for a system holds a word.
    pub(crate) fn was_written(&self, system: &str, word: &str) -> bool {
        let files = std::fs::read_dir(self.exchange(system).join("out")).unwrap();
        let mut texts = files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok());
        texts.any(|text| text.contains(word))
    }

    /// Asks until the answer is there, whenever something in the gateway has changed.
    pub(crate) async fn get_once_there(&self, who: &str, path: &str) -> Answer {
        let mut changed = self.core().changed.subscribe();
        let found = async {
            loop {
                let answer = self.get(who, path).await;
                if answer.status == StatusCode::OK {
                    return answer;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found)
            .await
            .expect("it comes to be there")
    }

    /// A system tells of a person.
    pub(crate) async fn record(&self, who: &str, id: &str, person: &Value) {
        let event = json!([record_received(id, person)]);
        let answer = self.post(who, "/v1/events", &event).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        self.settle().await;
    }

    /// How often an action stands in the audit.
    pub(crate) async fn audited(&self, action: &str) -> usize {
        let answer = self
            .get("auditor", &format!("/v1/audit?action={action}"))
            .await
            .json();
        answer["entries"].as_array().unwrap().len()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // The runtime of the test ends with it, and with that every task of the gateway.
        self.gateway.take();
    }
}

/// An invented person.
pub(crate) fn person(given: &str, family: &str, birth: &str, cin: &str) -> Value {
    json!({
        "names": [{ "given": given, "family": family, "name_use": "official", "quality": "full" }],
        "birth": { "date": birth, "quality": "exact" },
        "sex": "female",
        "identifiers": [{ "kind": "cin", "value": cin }],
    })
}

pub(crate) fn marisol() -> Value {
    let mut person = person("Marisol", "Demofield", "1994-05-17", "91234567A");
    person["ssn"] = json!({ "ssn": "900123456", "quality": "full" });
    person
}

pub(crate) fn tokens() -> String {
    let mut text = String::new();
    for (name, role, organization, system) in CALLERS {
        let system = system
            .map(|system| format!("system = \"{system}\"\n"))
            .unwrap_or_default();
        writeln!(
            text,
            "[[tokens]]\nname = \"{name}\"\nrole = \"{role}\"\norganization = \"{organization}\"\n{system}sha256 = \"{}\"\n",
            hash_of(name)
        )
        .unwrap();
    }
    text
}

pub(crate) fn registry() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/registry")
}

pub(crate) fn config(limits: &str, registry: &Path) -> String {
    // Nobody listens on the discard port: what the gateway would pull or push there fails at once.
    let fhir = r#"{ base = "http://127.0.0.1:9/fhir", organizations = [
    { organization = "org-bh", reference = "Organization/org-bh", service = "svc-counselling" },
    { organization = "org-clinic", reference = "Organization/org-clinic" },
] }"#;
    format!(
        r#"jurisdiction = "demo-county"
zone = "America/Los_Angeles"
data = "data"
registry = {registry:?}
tokens = "tokens.toml"
public_url = "https://tandem.demo-county.example/"
listen = {{ address = "127.0.0.1:0" }}
# Its rounds would stand among the decisions that tests look at.
policy = {{ canary_minutes = 0 }}
{limits}

[systems.calworks-demo]
organization = "org-calworks"
program = "calworks"
output = "calworks/linkages"
own_matches = true
folder = {{ path = "exchange/calworks-demo", poll_ms = 20, inputs = [{{ prefix = "linkages", format = "calworks/linkages" }}] }}

[systems.cws-demo]
organization = "org-cws"
program = "child-welfare"
output = "child-welfare/niem"
folder = {{ path = "exchange/cws-demo", poll_ms = 20 }}

[systems.clinic-demo]
organization = "org-clinic"
program = "health"
output = "fhir/bundle"
fhir = {fhir}

[systems.bh-demo]
organization = "org-bh"
program = "behavioral-health"
"#
    )
}

/// Every header that does not change from answer to answer by itself.
pub(crate) fn steady(headers: &HeaderMap) -> HashMap<String, String> {
    let changing = ["date", "x-request-id"];
    let all = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    all.filter(|(name, _)| !changing.contains(&name.as_str()))
        .collect()
}

/// The event by which a system tells of a person.
pub(crate) fn record_received(id: &str, person: &Value) -> Value {
    json!({
        "occurred_at": "2026-02-02T08:00:00-08:00",
        "source_event_id": format!("record-{id}"),
        "source_person_id": id,
        "type": "record.received",
        "payload": { "record_kind": "Client", "person": person },
    })
}
