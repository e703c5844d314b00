//! `tandem restore`: nothing that was delivered after the backup is delivered again, and everything is as it was unless
//! all of it came over.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::{OutboxRow, OutboxState};
use tandem_simulators::postgres::Cluster;
use tempfile::TempDir;

use crate::api_office::Office;
use crate::api_referrals::{referred, request};
use crate::cli_backup::{beside, with_backup};
use crate::cli_program::Ended;
use crate::processes::in_postgres;

const LANE: &str = "cws-demo";

fn limits(store: &str) -> String {
    format!(
        "limits = {{ requests_per_second = 1000, burst = 1000, match_quantum_ms = 20 }}\n{store}"
    )
}

/// How many messages of the lane were ever handed over.
fn written(folder: &Path) -> usize {
    let out = folder.join(format!("exchange/{LANE}/out"));
    let files = std::fs::read_dir(out).unwrap();
    files
        .filter(|entry| entry.as_ref().unwrap().path().is_file())
        .count()
}

/// CalWORKs asks for something else for the same person. The message about it waits.
async fn another(office: &Office, source_ref: &str, need: &str) -> OutboxRow {
    let mut asked = request(source_ref);
    asked["need"] = json!(need);
    let created = office.post("calworks", "/v1/referrals", &asked).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    office.message(LANE, OutboxState::Queued).await
}

async fn operate(office: &Office, verb: &str, body: &Value) -> (StatusCode, Value) {
    let answer = office
        .post("operator", &format!("/v1/lanes/{LANE}/{verb}"), body)
        .await;
    (answer.status, answer.json())
}

/// An operator works on a lane by the program.
async fn by_command(office: &Office, arguments: &[&str]) -> Ended {
    std::fs::write(office.folder().join("operator.token"), "operator").unwrap();
    let url = format!("http://{}/", office.address());
    let usual = ["--json", "--token-file", "operator.token", "--url", &url];
    beside(office.folder(), &[&["lane"], arguments, &usual].concat()).await
}

/// A gateway with a message in its queue is backed up; then it delivers the message, and is restored.
async fn what_was_delivered_since_the_backup_is_not_delivered_again(store: &str) {
    let limits = limits(store);
    let office = Office::with(&limits).await;
    referred(&office).await;
    let why = json!({ "reason": "a backup is taken" });
    assert_eq!(operate(&office, "pause", &why).await.0, StatusCode::OK);
    let message = another(&office, "R-205", "a parenting class").await;
    let backup = ["backup", "county.backup", "--json"];
    let backed_up = beside(office.folder(), &backup).await;
    assert_eq!(backed_up.code, 0, "{backed_up:?}");
    operate(&office, "resume", &json!({})).await;
    office.delivered(LANE, message.id).await;

    let served = beside(office.folder(), &["restore", "county.backup", "--replace"]).await;
    assert_eq!(served.code, 3, "{served:?}");
    assert!(served.told.contains("serve"), "{served:?}");
    let folder = office.stopped().await;
    let delivered = written(folder.path());
    let refused = beside(folder.path(), &["restore", "county.backup"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.told.contains("not empty"), "{refused:?}");
    let restored = beside(
        folder.path(),
        &["restore", "county.backup", "--replace", "--json"],
    )
    .await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let kept = restored.json()["kept"].as_str().unwrap().to_owned();

    // It says what is in doubt, with the gateway stopped and running alike.
    let status = beside(folder.path(), &["restore", "status", "--json"]).await;
    assert_eq!(status.code, 1, "{status:?}");
    let status = status.json();
    let lane = status["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["lane"] == LANE);
    let lane = lane.unwrap();
    assert_eq!(lane["is_held"], true);
    assert_eq!(lane["in_doubt"]["queued"], 1, "{lane}");
    let in_doubt = lane["messages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == json!(message.id));
    assert_eq!(in_doubt.unwrap()["is_from_backup"], true);

    let office = Office::reopened(folder, &limits).await;
    office.settle().await;
    let lanes = office.get("operator", "/v1/lanes").await.json();
    let held = lanes["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["name"] == LANE);
    let held = held.unwrap();
    assert_eq!(held["is_paused"], true);
    assert_eq!(
        held["held"]["taken_at"],
        backed_up.json()["taken_at"],
        "{held}"
    );
    let (refused, problem) = operate(&office, "resume", &json!({})).await;
    assert_eq!(refused, StatusCode::CONFLICT);
    assert!(
        problem["detail"].as_str().unwrap().contains("reconcile"),
        "{problem}"
    );
    assert_eq!(
        operate(&office, "pause", &json!({ "reason": "to look at it" }))
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(
        operate(&office, "resume", &json!({})).await.0,
        StatusCode::CONFLICT
    );

    // The recipient has it: it is dropped, and what is new goes out under a number of its own.
    let id = message.id.to_string();
    let skipped = by_command(&office, &["skip", LANE, &id]).await;
    assert_eq!(skipped.code, 0, "{skipped:?}");
    assert_eq!(written(office.folder()), delivered);
    let refused = by_command(&office, &["resume", LANE]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    let resumed = by_command(&office, &["resume", LANE, "--reconciled"]).await;
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(resumed.json()["held"], Value::Null);
    another_goes_out(&office).await;
    assert_eq!(written(office.folder()), delivered + 1);
    let status = beside(office.folder(), &["restore", "status"]).await;
    assert!(
        status.out.contains(&format!("{LANE}: goes on since")),
        "{status:?}"
    );
    assert!(status.out.contains("by operator"), "{status:?}");

    // The log is sound, goes on from the backup's, and is signed again.
    let folder = office.stopped().await;
    let audit = beside(folder.path(), &["audit", "verify"]).await;
    assert_eq!(audit.code, 0, "{audit:?}");

    // The undo: what was replaced, with the message delivered.
    let undone = beside(folder.path(), &["restore", &kept, "--replace"]).await;
    assert_eq!(undone.code, 0, "{undone:?}");
    let office = Office::reopened(folder, &limits).await;
    office.delivered(LANE, message.id).await;
}

/// A message that is new reaches the recipient.
async fn another_goes_out(office: &Office) {
    let delivered = async || {
        let mut tx = office.core().store.snapshot().await.unwrap();
        let rows = tx.outbox_in(&[OutboxState::Delivered]).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let before = delivered().await;
    let mut asked = request("R-206");
    asked["need"] = json!("rides to school");
    let created = office.post("calworks", "/v1/referrals", &asked).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    office
        .row(|row| row.lane == LANE && !before.contains(&row.id))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_delivered_since_its_backup_is_not_delivered_again() {
    what_was_delivered_since_the_backup_is_not_delivered_again("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_delivered_since_its_backup_is_not_delivered_again() {
    let cluster = Cluster::start(false).unwrap();
    what_was_delivered_since_the_backup_is_not_delivered_again(&in_postgres(&cluster)).await;
}

/// The file of the store as it is, to see that nothing touched it.
fn store(place: &TempDir) -> Vec<u8> {
    std::fs::read(place.path().join("data/tandem.sqlite")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_restored_with_its_own_keys_alone() {
    let place = with_backup().await;
    let data = place.path().join("data");
    let before = store(&place);
    let restore = ["restore", "county.backup", "--replace"];
    for name in ["root.key", "audit.key", "audit-witness.key"] {
        let key = std::fs::read(data.join(name)).unwrap();
        std::fs::remove_file(data.join(name)).unwrap();
        let missing = beside(place.path(), &restore).await;
        assert_eq!(missing.code, 3, "{missing:?}");
        assert!(
            missing.told.contains(name) && missing.told.contains("is not there"),
            "{missing:?}"
        );
        assert!(!data.join(name).exists(), "another key was made");
        std::fs::write(data.join(name), key).unwrap();
    }
    let key = std::fs::read(data.join("root.key")).unwrap();
    std::fs::write(data.join("root.key"), "09".repeat(32)).unwrap();
    let other = beside(place.path(), &restore).await;
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.told.contains("root.key is not the one"), "{other:?}");
    std::fs::write(data.join("root.key"), key).unwrap();
    assert!(store(&place) == before, "the store was touched");
    let restored = beside(place.path(), &restore).await;
    assert_eq!(restored.code, 0, "{restored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_another_county_or_of_a_newer_program_is_refused() {
    let place = with_backup().await;
    let before = store(&place);
    let whole = std::fs::read(place.path().join("county.backup")).unwrap();
    for (from, to, said) in [
        (
            "demo-county",
            "other-county",
            "the backup is of other-county",
        ),
        ("\"schema\":2026", "\"schema\":9999", "newer program"),
        ("\"form\":1", "\"form\":2", "its form is 2"),
    ] {
        let file = place.path().join("strange.backup");
        std::fs::write(&file, &whole).unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let done = sqlx::query("UPDATE tandem_backup SET manifest = REPLACE(manifest, $1, $2)");
        done.bind(from).bind(to).execute(&pool).await.unwrap();
        pool.close().await;
        let refused = beside(place.path(), &["restore", "strange.backup", "--replace"]).await;
        assert_ne!(refused.code, 0, "{refused:?}");
        assert!(refused.told.contains(said), "{refused:?}");
    }
    assert!(store(&place) == before, "the store was touched");
}
