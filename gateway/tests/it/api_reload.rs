//! The configuration is read anew while the gateway serves: nothing is lost, doubled or refused by it.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::OutboxState;
use tokio::sync::{Semaphore, mpsc};

use crate::api_lanes::{command_of, lane};
use crate::api_office::{Office, marisol, record_received, tokens};
use crate::api_referrals::{asked, referred, request};

const FOLDER: &str = "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }";
const PATIENCE: Duration = Duration::from_secs(60);

/// Child welfare's inbox: how often each message came and what it said, as long as it may answer.
#[derive(Clone)]
struct Inbox {
    came: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    open: Arc<Semaphore>,
    news: mpsc::UnboundedSender<()>,
}

async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: String) -> StatusCode {
    let id = headers["tandem-message-id"].to_str().unwrap().to_owned();
    inbox.came.lock().unwrap().entry(id).or_default().push(body);
    let _gone = inbox.news.send(());
    drop(inbox.open.acquire().await.unwrap());
    StatusCode::OK
}

impl Inbox {
    /// An inbox that answers, or lets everybody wait until it is opened.
    async fn start(is_open: bool) -> (Self, SocketAddr, mpsc::UnboundedReceiver<()>) {
        let (news, heard) = mpsc::unbounded_channel();
        let inbox = Self {
            came: Arc::default(),
            open: Arc::new(Semaphore::new(if is_open { 1_000 } else { 0 })),
            news,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/", post(take))
            .with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (inbox, address, heard)
    }

    fn messages(&self) -> BTreeMap<String, Vec<String>> {
        self.came.lock().unwrap().clone()
    }
}

fn pushing(address: SocketAddr) -> String {
    format!("push = {{ url = \"http://{address}/\" }}")
}

/// Writes the configuration anew.
fn rewrite(office: &Office, change: impl FnOnce(String) -> String) {
    let file = office.folder().join("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "the change is one");
    std::fs::write(&file, changed).unwrap();
}

/// Child welfare's messages, once it has so many and none waits.
async fn all_told(office: &Office, least: usize) -> Vec<String> {
    let core = office.core();
    let mut changed = core.changed.subscribe();
    let all_told = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            let waiting = [
                OutboxState::Queued,
                OutboxState::Failed,
                OutboxState::Parked,
            ];
            let left = tx.outbox_in(&waiting).await.unwrap();
            let told = tx.outbox_in(&[OutboxState::Acknowledged]).await.unwrap();
            drop(tx);
            let told = told.iter().filter(|row| row.lane == "cws-demo");
            let told: Vec<String> = told.map(|row| row.id.to_string()).collect();
            if left.iter().all(|row| row.lane != "cws-demo") && told.len() >= least {
                return told;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, all_told).await.unwrap()
}

async fn reload(office: &Office) -> Value {
    let answer = office.post("administrator", "/v1/reload", &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// The tokens of all callers but one.
fn without(name: &str) -> String {
    let all = tokens();
    let others = all.split("[[tokens]]").filter(|token| {
        !token.trim().is_empty() && !token.contains(&format!("name = \"{name}\"\n"))
    });
    others.map(|token| format!("[[tokens]]{token}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_accepted_message_is_delivered_once_and_no_request_is_refused() {
    let (inbox, address, _heard) = Inbox::start(true).await;
    let office = Office::changed(|_, text| text.replace(FOLDER, &pushing(address))).await;
    asked(&office).await;
    office.message("cws-demo", OutboxState::Acknowledged).await;
    let office = Arc::new(office);

    let callers = (0..4).map(|caller| {
        let office = Arc::clone(&office);
        tokio::spawn(async move {
            let mut asked = Vec::new();
            for number in 0..12 {
                let body = request(&format!("R-{caller}-{number}"));
                let answer = office.post("calworks", "/v1/referrals", &body).await;
                assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
                asked.push(answer.json()["id"].as_str().unwrap().to_owned());
                let event = json!([record_received(&format!("p-{caller}-{number}"), &marisol())]);
                let answer = office.post("bh", "/v1/events", &event).await;
                assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
            }
            asked
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut reloads = 0;
    while reloads < 8 || callers.iter().any(|caller| !caller.is_finished()) {
        let in_flight = 1 + reloads % 3;
        rewrite(&office, |text| {
            let kept = text.lines().filter(|line| !line.starts_with("lane = "));
            let kept: Vec<&str> = kept.collect();
            let lane =
                format!("output = \"child-welfare/niem\"\nlane = {{ in_flight = {in_flight} }}");
            kept.join("\n")
                .replace("output = \"child-welfare/niem\"", &lane)
        });
        assert_eq!(reload(&office).await["outcome"], "applied");
        reloads += 1;
    }
    let mut asked = Vec::new();
    for caller in callers {
        asked.extend(caller.await.unwrap());
    }
    office.settle().await;
    let told = all_told(&office, 49).await;
    // Each of the requests reached child welfare, and each message of the outbox once.
    let came = inbox.messages();
    for id in &told {
        assert_eq!(came[id].len(), 1, "{id} came once");
    }
    assert_eq!(came.len(), told.len());
    for referral in asked {
        let with = came
            .values()
            .flatten()
            .filter(|text| text.contains(&referral));
        assert_eq!(with.count(), 1, "{referral} reached child welfare");
    }
    assert!(office.audited("config.reload").await >= 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_under_way_ends_as_it_began_and_what_waits_goes_to_the_new_address() {
    let (before, old, mut heard) = Inbox::start(false).await;
    let (after, new, _) = Inbox::start(true).await;
    let office = Office::changed(|_, text| {
        text.replace(FOLDER, &pushing(old)).replace(
            "output = \"child-welfare/niem\"",
            "output = \"child-welfare/niem\"\nlane = { in_flight = 1 }",
        )
    })
    .await;
    asked(&office).await;
    heard.recv().await.unwrap();
    // The first is on its way; the second waits behind it.
    let answer = office
        .post("calworks", "/v1/referrals", &request("R-205"))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    rewrite(&office, |text| {
        text.replace(&old.to_string(), &new.to_string())
    });
    let reloaded = reload(&office).await;
    let what = json!([{ "change": "changed", "what": "systems.cws-demo.push.url" }]);
    assert_eq!(reloaded["changes"], what);
    assert_eq!(
        before.messages().len(),
        1,
        "the old address hears nothing more"
    );
    before.open.add_permits(10);
    all_told(&office, 2).await;
    let (before, after) = (before.messages(), after.messages());
    assert_eq!(before.values().map(Vec::len).sum::<usize>(), 1);
    assert!(!after.is_empty() && after.values().all(|came| came.len() == 1));
    assert!(before.keys().all(|id| !after.contains_key(id)));
}

/// How the breaker of child welfare's lane stands, once the lane is served.
async fn breaker(office: &Office) -> String {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let served = async {
        loop {
            if let Value::String(standing) = &lane(office, "cws-demo").await["breaker"] {
                return standing.clone();
            }
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, served).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_left_alone_stays_so_until_something_of_it_changes() {
    let office = Office::changed(|_, text| {
        let nobody = pushing("127.0.0.1:9".parse().unwrap());
        text.replace(FOLDER, &nobody).replace(
            "[systems.calworks-demo]",
            "[delivery]\nbreaker_failures = 1\n\n[systems.calworks-demo]",
        )
    })
    .await;
    asked(&office).await;
    office.message("cws-demo", OutboxState::Failed).await;
    assert_eq!(breaker(&office).await, "open");
    rewrite(&office, |text| text.replace("burst = 1000", "burst = 999"));
    assert_eq!(reload(&office).await["outcome"], "applied");
    assert_eq!(breaker(&office).await, "open");
    rewrite(&office, |text| {
        text.replace("127.0.0.1:9/\"", "127.0.0.1:7/\"")
    });
    assert_eq!(reload(&office).await["outcome"], "applied");
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let closed = async {
        while breaker(&office).await != "closed" {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_added_begins_to_deliver() {
    let (inbox, address, mut heard) = Inbox::start(true).await;
    let told = "output = \"child-welfare/niem\"";
    let office = Office::changed(|_, text| text.replace(told, "")).await;
    asked(&office).await;
    rewrite(&office, |text| {
        let with = format!("[systems.cws-demo]\n{told}");
        text.replace(FOLDER, &pushing(address))
            .replace("[systems.cws-demo]", &with)
    });
    reload(&office).await;
    let answer = office
        .post("calworks", "/v1/referrals", &request("R-205"))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let came = tokio::time::timeout(PATIENCE, heard.recv()).await;
    came.unwrap().unwrap();
    assert_eq!(inbox.messages().len(), 1);
    let shown = office.get("operator", "/metrics").await.text;
    assert!(
        shown.contains("tandem_lane_due{lane=\"cws-demo\"}"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_taken_out_stops_working_at_once_and_one_with_another_role_has_it() {
    let office = Office::open().await;
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    let other = without("steward").replace("role = \"operator\"", "role = \"steward\"");
    std::fs::write(office.folder().join("tokens.toml"), other).unwrap();
    let reloaded = reload(&office).await;
    let changes = json!([
        { "change": "changed", "what": "token operator" },
        { "change": "removed", "what": "token steward" },
    ]);
    assert_eq!(reloaded["changes"], changes);
    assert_ne!(reloaded["before"], reloaded["after"]);
    assert_eq!(office.get("steward", "/v1/links").await.status, 401);
    assert_eq!(office.get("operator", "/v1/links").await.status, 200);
    assert_eq!(office.get("operator", "/v1/lanes").await.status, 403);
    // The audit says who did it, and which configurations they were.
    let entries = office
        .get("auditor", "/v1/audit?action=config.reload")
        .await
        .text;
    for part in [
        &reloaded["before"],
        &reloaded["after"],
        &json!("administrator"),
    ] {
        assert!(
            entries.contains(part.as_str().unwrap()),
            "{part}: {entries}"
        );
    }
    assert_eq!(reload(&office).await["outcome"], "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_changes_nothing_and_is_told_by_file_and_key() {
    let office = Office::open().await;
    referred(&office).await;
    let good = std::fs::read_to_string(office.folder().join("gateway.toml")).unwrap();
    // Beside each mistake stands something that would do harm by itself.
    std::fs::write(office.folder().join("tokens.toml"), without("steward")).unwrap();
    let mistakes = [
        ("data = \"data\"", "dota = \"data\"", "unknown field `dota`"),
        (
            "calworks/linkages\"",
            "calworks/linkage\"",
            "systems.calworks-demo.output",
        ),
        ("registry = ", "registry = \"nowhere\" #", "nowhere"),
        ("program = \"health\"", "program = \"healthy\"", "healthy"),
        (
            FOLDER,
            "push = { url = \"http://127.0.0.1:9/\", token_file = \"gone\" }",
            "systems.cws-demo.push",
        ),
    ];
    for (right, wrong, said) in mistakes {
        rewrite(&office, |text| text.replacen(right, wrong, 1));
        for dry_run in [true, false] {
            let asked = json!({ "dry_run": dry_run });
            let answer = office.post("administrator", "/v1/reload", &asked).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text.contains(said), "{said}: {}", answer.text);
        }
        std::fs::write(office.folder().join("gateway.toml"), &good).unwrap();
    }
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    assert_eq!(
        office.audited("config.reload-refused").await,
        mistakes.len()
    );
    assert_eq!(office.audited("config.reload").await, 0);
    let shown = office.get("operator", "/metrics").await.text;
    let refused = "tandem_config_reloads_total{outcome=\"refused\"} ";
    let count = shown.lines().find_map(|line| line.strip_prefix(refused));
    assert!(count.unwrap().parse::<usize>().unwrap() >= mistakes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_a_restart_is_refused_by_its_key_and_nothing_beside_it_takes_effect() {
    let office = Office::changed(|folder, text| {
        copy_rules(&folder.join("rules"));
        text.replace("tokens = ", "overrides = \"rules\"\ntokens = ")
    })
    .await;
    let good = std::fs::read_to_string(office.folder().join("gateway.toml")).unwrap();
    std::fs::write(office.folder().join("tokens.toml"), without("steward")).unwrap();
    let fixed = [
        ("data = \"data\"", "data = \"elsewhere\"", "data: "),
        (
            "listen = { address = \"127.0.0.1:0\" }",
            "listen = { address = \"127.0.0.1:1\" }",
            "listen.address: ",
        ),
        ("America/Los_Angeles", "America/Denver", "zone: "),
        ("tandem.demo-county", "other.demo-county", "public_url: "),
        (
            "own_matches = true",
            "",
            "systems.calworks-demo.own_matches: ",
        ),
        (
            "tokens = ",
            "store = { postgres = \"postgres:///t\" }\ntokens = ",
            "store: ",
        ),
        ("overrides = \"rules\"", "", "overrides: "),
    ];
    for (from, to, key) in fixed {
        rewrite(&office, |text| text.replacen(from, to, 1));
        let answer = office.post("administrator", "/v1/reload", &json!({})).await;
        assert_eq!(
            answer.status,
            StatusCode::CONFLICT,
            "{key}: {}",
            answer.text
        );
        assert!(
            answer.json()["detail"].as_str().unwrap().starts_with(key),
            "{}",
            answer.text
        );
        std::fs::write(office.folder().join("gateway.toml"), &good).unwrap();
    }
    // Rules never change by the back door.
    let rule = office.folder().join("rules/regimes/gateway/DEMO-01.cedar");
    let text = std::fs::read_to_string(&rule).unwrap();
    std::fs::write(&rule, format!("{text}\n")).unwrap();
    let answer = office.post("administrator", "/v1/reload", &json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(
        answer.text.contains("tandem policy activate"),
        "{}",
        answer.text
    );
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    assert!(!office.folder().join("elsewhere").exists());
}

fn copy_rules(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/overrides/demo-county");
    let mut open = vec![(from, to.to_owned())];
    while let Some((from, to)) = open.pop() {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (entry, name) = entry.map(|one| (one.path(), one.file_name())).unwrap();
            if entry.is_dir() {
                open.push((entry, to.join(name)));
            } else {
                std::fs::copy(&entry, to.join(name)).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let office = Office::open().await;
    std::fs::write(office.folder().join("tokens.toml"), without("steward")).unwrap();
    rewrite(&office, |text| {
        text.replace("requests_per_second = 1000", "requests_per_second = 999")
    });
    let arguments = ["reload", "--dry-run", "--json"];
    let ended = command_of(&office, "administrator", &arguments).await;
    assert_eq!(ended.code, 0, "{}", ended.told);
    let said: Value = ended.json();
    assert_eq!(said["outcome"], "would-apply");
    let changes = json!([
        { "change": "changed", "what": "limits.requests_per_second" },
        { "change": "removed", "what": "token steward" },
    ]);
    assert_eq!(said["changes"], changes);
    assert_eq!(office.get("steward", "/v1/links").await.status, 200);
    assert_eq!(office.audited("config.reload").await, 0);

    let ended = command_of(&office, "administrator", &["reload"]).await;
    assert_eq!(ended.code, 0, "{}", ended.told);
    assert!(ended.out.contains("token steward"), "{}", ended.out);
    assert_eq!(office.get("steward", "/v1/links").await.status, 401);
    rewrite(&office, |text| text.replace("\"data\"", "\"other\""));
    let ended = command_of(&office, "administrator", &["reload"]).await;
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.told.contains("data: expected"), "{}", ended.told);
}

/// A certificate for this machine with its key, in PEM form.
fn certificate() -> (String, String) {
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_shown_from_the_next_connection_on() {
    let put = |folder: &Path| {
        let (certificate, key) = certificate();
        std::fs::write(folder.join("chain.pem"), &certificate).unwrap();
        std::fs::write(folder.join("key.pem"), key).unwrap();
        certificate
    };
    let mut first = String::new();
    let office = Office::changed(|folder, text| {
        first = put(folder);
        let tls = "address = \"127.0.0.1:0\", certificate = \"chain.pem\", key = \"key.pem\"";
        text.replace("address = \"127.0.0.1:0\"", tls)
    })
    .await;
    let port = office.address().port();
    let client = |pem: &str| {
        let trusted = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([trusted]);
        builder.build().unwrap()
    };
    let asks = async |client: &reqwest::Client| {
        let url = format!("https://localhost:{port}/healthz");
        client.get(url).send().await.is_ok()
    };
    let (held, second) = (client(&first), put(office.folder()));
    assert!(asks(&held).await);
    assert!(!asks(&client(&second)).await);
    let reloaded = held
        .post(format!("https://localhost:{port}/v1/reload"))
        .bearer_auth("administrator")
        .json(&json!({}));
    let reloaded: Value = reloaded.send().await.unwrap().json().await.unwrap();
    assert_eq!(reloaded["outcome"], "applied", "{reloaded}");
    assert!(
        asks(&client(&second)).await,
        "a new connection sees the new one"
    );
    assert!(!asks(&client(&first)).await);
    assert!(asks(&held).await, "a connection that stands goes on");
}
