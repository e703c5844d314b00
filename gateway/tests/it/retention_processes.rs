//! Runs of the disposal in processes that are killed, and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::audit::Check;
use tandem::pipeline::core::Core;
use tandem::pipeline::retention::{self, duty};
use tandem::serve::Gateway;
use tandem::state::legal_hold::HoldScope;
use tandem::state::retention::RunDoc;
use tandem::store::Shelf;
use tandem_mappings::model::id::{PersonId, RecordKey};
use tandem_simulators::postgres::Cluster;

use crate::processes::{in_postgres, opened_with, provider, start_with};
use crate::retention_rules::{decision, record};

const PATIENCE: Duration = Duration::from_secs(120);
/// So many rows that a run takes a while.
const ROWS: u64 = 3_000;

/// Decisions of long ago about somebody.
async fn old(core: &Core, person: PersonId, count: u64) {
    let mut tx = core.store.begin().await.unwrap();
    for _ in 0..count {
        let row = decision(Some(person), "2012-05-05T00:00:00Z".parse().unwrap());
        tx.add_decision(row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn standing(gateway: &Gateway) -> u64 {
    let mut tx = gateway.core.store.snapshot().await.unwrap();
    tx.standing(Shelf::Decisions).await.unwrap().0
}

async fn is_sound(gateway: &Gateway) -> u64 {
    let report = Check::default()
        .configured(&gateway.core.loaded.config)
        .await
        .unwrap();
    assert!(report.is_sound(), "{report}");
    report.disposed.iter().map(|one| one.records).sum()
}

async fn confirmed(url: &str) -> String {
    let asked = reqwest::Client::new()
        .post(format!("{url}/v1/retention/runs"))
        .bearer_auth("privacy")
        .json(&json!({ "confirm": true }))
        .send()
        .await
        .unwrap();
    let asked: Value = asked.json().await.unwrap();
    asked["id"].as_str().unwrap().to_owned()
}

/// Asks for a run until it is as it should be.
async fn until(url: &str, id: &str, is_so: impl Fn(&Value, u64) -> bool) {
    let client = reqwest::Client::new();
    let looking = async {
        loop {
            let asked = client
                .get(format!("{url}/v1/retention/runs/{id}"))
                .bearer_auth("auditor")
                .send()
                .await
                .unwrap();
            let run: Value = asked.json().await.unwrap();
            let kinds = run["kinds"].as_array().cloned().unwrap_or_default();
            let of = kinds.iter().find(|kind| kind["kind"] == "decisions");
            let disposed = of.and_then(|kind| kind["disposed"].as_u64()).unwrap_or(0);
            if is_so(&run, disposed) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_in_the_middle_is_finished_and_nothing_is_disposed_of_twice() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = folder.path();
    let gateway = Box::pin(opened_with(path, "first.toml", "")).await;
    old(&gateway.core, PersonId(uuid::Uuid::now_v7()), ROWS).await;
    gateway.stop().await;

    let mut process = start_with(path, "second.toml", "");
    assert!(process.serves().await);
    let id = confirmed(&process.url).await;
    until(&process.url, &id, |_, disposed| disposed > 0).await;
    process.child.kill().unwrap();
    process.child.wait().unwrap();

    let mut process = start_with(path, "third.toml", "");
    assert!(process.serves().await);
    until(&process.url, &id, |run, disposed| {
        run["ended_at"].is_string() && disposed == ROWS
    })
    .await;
    drop(process);
    let gateway = Box::pin(opened_with(path, "fourth.toml", "")).await;
    assert_eq!(standing(&gateway).await, 0);
    assert_eq!(is_sound(&gateway).await, ROWS, "each once");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_run_disposes_of_what_is_free_and_keeps_what_is_held() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let store = in_postgres(&cluster);
    let folder = tempfile::tempdir().unwrap();
    let gateway = Box::pin(opened_with(folder.path(), "gateway.toml", &store)).await;
    let core = &gateway.core;
    let (held, other) = (
        PersonId(uuid::Uuid::now_v7()),
        PersonId(uuid::Uuid::now_v7()),
    );
    let key = RecordKey {
        system: "calworks-demo".parse().unwrap(),
        person: "91234567A".parse().unwrap(),
    };
    let mut tx = core.store.begin().await.unwrap();
    let now = core.clock.now();
    tx.put(&record(&key, held, now), now).await.unwrap();
    tx.commit().await.unwrap();
    old(core, held, 3).await;
    old(core, other, 250).await;
    let scope = HoldScope::Record(key);
    retention::place(core, "privacy", scope, "letter".to_owned())
        .await
        .unwrap();

    let mut changed = core.changed.subscribe();
    let asked = duty::ask(core, "privacy", false).await.unwrap();
    let ended = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            let run = tx.get::<RunDoc>(&asked.id.to_string()).await.unwrap();
            if run.unwrap().ended_at.is_some() {
                return;
            }
            drop(tx);
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert_eq!(standing(&gateway).await, 3);
    assert_eq!(is_sound(&gateway).await, 250);
    gateway.stop().await;
}
