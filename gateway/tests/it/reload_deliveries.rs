//! Deliveries go on while the configuration is read anew: nothing is lost, doubled or refused by it.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::OutboxState;
use tokio::sync::{Semaphore, mpsc};

use crate::api_lanes::lane;
use crate::api_office::{Office, marisol, record_received, tokens};
use crate::api_referrals::{asked, request};
use crate::api_reload::{FOLDER, reload, rewrite, without};

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
async fn what_waits_for_a_system_that_is_taken_out_is_delivered_when_it_is_back() {
    let (inbox, address, _heard) = Inbox::start(true).await;
    let office =
        Office::changed(|_, text| text.replace(FOLDER, &pushing("127.0.0.1:9".parse().unwrap())))
            .await;
    asked(&office).await;
    let waits = office.message("cws-demo", OutboxState::Failed).await;
    let whole = std::fs::read_to_string(office.folder().join("gateway.toml")).unwrap();
    let (before, rest) = whole.split_once("[systems.cws-demo]").unwrap();
    let (_, after) = rest.split_once("[systems.clinic-demo]").unwrap();
    rewrite(&office, |_| format!("{before}[systems.clinic-demo]{after}"));
    std::fs::write(office.folder().join("tokens.toml"), without("cws")).unwrap();
    let changes = json!([
        { "change": "removed", "what": "systems.cws-demo" },
        { "change": "removed", "what": "token cws" },
    ]);
    assert_eq!(reload(&office).await["changes"], changes);
    let shown = office.get("operator", "/metrics").await.text;
    let due = "tandem_lane_due{lane=\"cws-demo\"} 1";
    assert!(shown.contains(due), "{shown}");

    let back = whole.replace("127.0.0.1:9/\"", &format!("{address}/\""));
    rewrite(&office, |_| back);
    std::fs::write(office.folder().join("tokens.toml"), tokens()).unwrap();
    reload(&office).await;
    let core = office.core();
    core.clock
        .set(core.clock.now() + SignedDuration::from_hours(6));
    assert_eq!(all_told(&office, 1).await, [waits.id.to_string()]);
    assert_eq!(inbox.messages().len(), 1);
}
