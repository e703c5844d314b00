//! Gateways that are killed while they look at what was told: whoever starts next, or goes on, finishes it.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::seal::Sealer;
use tandem::serve::Gateway;
use tandem::state::recalling::RecallingDoc;
use tandem::store::{OutboxState, Store};
use tandem_mappings::model::id::MessageId;
use tandem_simulators::postgres::Cluster;

use crate::api_office::{marisol, record_received};
use crate::api_referrals::{release, request};
use crate::processes::{Process, in_postgres, opened_with, provider, start_with};
use crate::recalls::{at_rest, copies, each_is_recalled_once};
use crate::shared_database::copy_keys;

const PATIENCE: Duration = Duration::from_secs(120);
/// So much that a gateway is killed before it has looked at all of it.
const MANY: usize = 400;

async fn asked(url: &str, who: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    let client = reqwest::Client::new();
    let request = client.post(format!("{url}{path}")).bearer_auth(who);
    let answer = request.json(body).send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

/// A consent that has begun and does not end soon, whenever this runs.
fn lasting() -> Value {
    let now = Clock::System.now();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |days: i64| {
        let days = jiff::Span::new().days(days);
        today.checked_add(days).unwrap().to_string()
    };
    let mut release = release();
    release["valid_from"] = json!(day(-2));
    release["expiry"] = json!({ "date": day(300) });
    release
}

/// A gateway tells child welfare much about a mother who permits it, and stops. What was told.
pub(crate) async fn told(folder: &Path, settings: &str) -> Vec<MessageId> {
    let gateway = Box::pin(opened_with(folder, "first.toml", settings)).await;
    let url = format!("http://{}", gateway.address);
    let ok = async |who: &str, path: &str, body: &Value| {
        let (status, answer) = asked(&url, who, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
    };
    let event = json!([record_received("91234567A", &marisol())]);
    ok("calworks", "/v1/events", &event).await;
    let covers = json!([{ "system": "calworks-demo", "person": "91234567A" }]);
    let body = json!({ "directive": lasting(), "covers": covers });
    known(&url, &body).await;
    let verify = "/v1/consents/consent-1/verify";
    ok("privacy-second", verify, &json!({})).await;
    ok("calworks", "/v1/referrals", &request("R-204")).await;
    let told = copied(&gateway).await;
    gateway.stop().await;
    told
}

/// Captures the consent as soon as what was told of the mother took effect.
async fn known(url: &str, body: &Value) {
    let captured = async {
        while asked(url, "privacy", "/v1/consents", body).await.0 != StatusCode::CREATED {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, captured).await.unwrap();
}

async fn copied(gateway: &Gateway) -> Vec<MessageId> {
    let core = &gateway.core;
    let mut changed = core.changed.subscribe();
    let first = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            let rows = tx.outbox_in(&[OutboxState::Delivered]).await.unwrap();
            drop(tx);
            if let Some(row) = rows.into_iter().find(|row| row.kind == "referral") {
                return row;
            }
            changed.changed().await.unwrap();
        }
    };
    let first = tokio::time::timeout(PATIENCE, first).await.unwrap();
    copies(core, &first, MANY).await
}

/// Takes the consent back, and returns once that is written down; nobody waits for more.
async fn taken_back(url: &str) {
    let body = json!({ "categories": [], "channel": "phone" });
    let revoked = asked(url, "privacy", "/v1/consents/consent-1/revoke", &body);
    let revoked = async {
        revoked.await;
        std::future::pending::<()>().await;
    };
    let client = reqwest::Client::new();
    let written = async {
        loop {
            let shown = client.get(format!("{url}/v1/consents/consent-1"));
            let shown = shown.bearer_auth("privacy").send().await.unwrap();
            let shown: Value = shown.json().await.unwrap();
            if shown["current"]["state"] == "revoked" {
                return;
            }
        }
    };
    let either = async {
        tokio::select! {
            () = revoked => {}
            () = written => {}
        }
    };
    tokio::time::timeout(PATIENCE, either).await.unwrap();
}

/// Whether something that was told is still to be looked at, by what stands in the store.
async fn is_unfinished(folder: &Path) -> bool {
    let config = Loaded::from_file(&folder.join("second.toml"))
        .unwrap()
        .config;
    let key = config.data.join("root.key");
    let sealer = Sealer::from_file(&key, config.jurisdiction.clone()).unwrap();
    let store = Store::to_read(&config, sealer).await.unwrap();
    let docs: Vec<RecallingDoc> = store.snapshot().await.unwrap().all().await.unwrap();
    store.close().await;
    !docs.is_empty()
}

fn kill(mut process: Process) {
    process.child.kill().unwrap();
    process.child.wait().unwrap();
}

/// A gateway is killed right after it has written down what was taken back; the next one goes on.
async fn killed_in_the_middle(settings: &str) {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let told = told(folder.path(), settings).await;
    let mut process = start_with(folder.path(), "second.toml", settings);
    assert!(process.serves().await);
    taken_back(&process.url).await;
    kill(process);
    assert!(is_unfinished(folder.path()).await, "it was too quick");

    let gateway = Box::pin(opened_with(folder.path(), "third.toml", settings)).await;
    at_rest(&gateway.core).await;
    each_is_recalled_once(&gateway.core, &told).await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_while_it_recalls_goes_on_at_its_next_start() {
    killed_in_the_middle("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_gateway_that_is_killed_while_it_recalls_goes_on_at_its_next_start() {
    let cluster = Cluster::start(false).unwrap();
    killed_in_the_middle(&in_postgres(&cluster)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_gateways_the_other_goes_on_when_the_one_that_recalls_is_killed() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let settings = in_postgres(&cluster);
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let told = told(one.path(), &settings).await;
    copy_keys(one.path(), two.path());
    // The first has every duty before the second comes.
    let mut first = start_with(one.path(), "second.toml", &settings);
    assert!(first.serves().await);
    let mut second = start_with(two.path(), "second.toml", &settings);
    assert!(second.serves().await);
    taken_back(&second.url).await;
    kill(first);
    let ended = async {
        while is_unfinished(two.path()).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    kill(second);
    let gateway = Box::pin(opened_with(one.path(), "third.toml", &settings)).await;
    each_is_recalled_once(&gateway.core, &told).await;
    gateway.stop().await;
}
