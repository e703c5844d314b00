//! That a consent will end, its parties who rely on it read in their own systems, and nobody else does.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::pipeline::expiries;
use tandem::store::{OutboxRow, OutboxState};

use crate::api_office::{Office, marisol};
use crate::api_referrals::{release, request};

/// 60, 30 and 7 days before the release ends.
const DAYS: [&str; 3] = [
    "2026-12-04T00:00:00-08:00",
    "2027-01-03T00:00:00-08:00",
    "2027-01-26T00:00:00-08:00",
];

/// CalWORKs knows the mother, who permits it and child welfare to tell each other, and the clinic to be told.
async fn scene() -> Office {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    office.record("bh", "mrn-1", &marisol()).await;
    let mut release = release();
    release["recipients"] = json!({ "named": ["org-calworks", "org-cws", "org-clinic"] });
    let body = json!({ "directive": release, "covers": [{ "system": "calworks-demo", "person": "91234567A" }] });
    let captured = office.post("privacy", "/v1/consents", &body).await;
    assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
    let verify = "/v1/consents/consent-1/verify";
    let verified = office.post("privacy-second", verify, &json!({})).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
    office
}

async fn refer(office: &Office) {
    let asked = office
        .post("calworks", "/v1/referrals", &request("R-204"))
        .await;
    assert_eq!(asked.json()["status"], "requested", "{}", asked.text);
}

async fn lane(office: &Office, verb: &str) {
    let path = format!("/v1/lanes/cws-demo/{verb}");
    let answer = office
        .post(
            "operator",
            &path,
            &json!({ "reason": "the test looks at what waits" }),
        )
        .await;
    assert!(answer.status.is_success(), "{}", answer.text);
}

async fn at(office: &Office, instant: &str) {
    let core = office.core();
    core.clock.set(instant.parse().unwrap());
    expiries::look(&core).await.unwrap();
}

async fn reminders(office: &Office) -> Vec<OutboxRow> {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let mut rows = tx.outbox_in(&OutboxState::ALL).await.unwrap();
    rows.retain(|row| row.kind == "consent-reminder");
    rows.sort_by(|one, other| one.lane.cmp(&other.lane));
    rows
}

fn said(row: &OutboxRow) -> Value {
    let content: Value = serde_json::from_slice(&row.content).unwrap();
    content["body"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parties_that_rely_on_a_consent_are_reminded_once_at_each_threshold_and_nobody_else() {
    let office = scene().await;
    refer(&office).await;
    let asked = office.message("cws-demo", OutboxState::Delivered).await;
    at(&office, "2026-12-03T23:59:59-08:00").await;
    assert!(reminders(&office).await.is_empty(), "too soon");
    at(&office, DAYS[0]).await;
    let rows = reminders(&office).await;
    // Behavioural health is no party, and the clinic, which is one, was never told anything on it.
    let lanes: Vec<&str> = rows.iter().map(|row| row.lane.as_str()).collect();
    assert_eq!(lanes, ["calworks-demo", "cws-demo"]);
    let (source, holder) = (said(&rows[0]), said(&rows[1]));
    for one in [&source, &holder] {
        assert_eq!(one["consent"], "consent-1");
        assert_eq!(one["last_day"], "2027-02-01");
    }
    assert_eq!(source["referrals"], json!(["R-204"]), "{source}");
    assert_eq!(source["messages"], json!([]), "{source}");
    let told = holder["messages"].as_array().unwrap();
    assert!(told.contains(&json!(asked.id)), "{holder}");
    assert_eq!(holder["referrals"], json!([]), "{holder}");
    let mut tx = office.core().store.snapshot().await.unwrap();
    for id in told {
        let id = id.as_str().unwrap().parse().unwrap();
        let row = tx.outbox(id).await.unwrap().unwrap();
        let decision = tx.decision(row.decision).await.unwrap().unwrap();
        let items = decision.record["decision"]["items"].to_string();
        assert!(
            items.contains(r#""consent":"consent-1""#),
            "{}: {items}",
            row.kind
        );
    }
    drop(tx);
    for row in &rows {
        let text = String::from_utf8_lossy(&row.content);
        for word in ["Marisol", "CASH_AID", "org-clinic", "MENTAL"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        office.delivered(&row.lane, row.id).await;
    }
    assert!(office.was_written("cws-demo", "consent-reminder"));
    let entry = office.get("auditor", "/v1/audit?action=consent.reminder");
    let entry = entry.await.json()["entries"][0].clone();
    assert_eq!(entry["detail"], "60 days calworks-demo cws-demo");

    let office = office.restarted("limits = {}").await;
    at(&office, DAYS[0]).await;
    assert_eq!(reminders(&office).await.len(), 2, "none twice");
    for (count, day) in [(4, DAYS[1]), (6, DAYS[2]), (6, "2027-02-02T00:00:00-08:00")] {
        at(&office, day).await;
        assert_eq!(reminders(&office).await.len(), count, "{day}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_still_waits_for_its_first_message_is_not_told_of_the_consent_before_it() {
    let office = scene().await;
    lane(&office, "pause").await;
    refer(&office).await;
    at(&office, DAYS[0]).await;
    let rows = reminders(&office).await;
    let waits = rows.iter().find(|row| row.lane == "cws-demo").unwrap();
    let core = office.core();
    let mut tx = core.store.snapshot().await.unwrap();
    let all = tx.outbox_in(&[OutboxState::Queued]).await.unwrap();
    drop(tx);
    let first = all.iter().find(|row| row.kind == "referral").unwrap();
    assert_eq!(first.case_key, waits.case_key, "another order of delivery");
    assert!(first.position < waits.position);
    lane(&office, "resume").await;
    office.delivered("cws-demo", waits.id).await;
    office.delivered("cws-demo", first.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_waits_is_withdrawn_when_its_consent_is_taken_back() {
    let office = scene().await;
    refer(&office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    lane(&office, "pause").await;
    at(&office, DAYS[0]).await;
    let revoke = json!({ "categories": [], "channel": "phone" });
    let path = "/v1/consents/consent-1/revoke";
    let revoked = office.post("privacy", path, &revoke).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    lane(&office, "resume").await;
    // The recall was queued after it: once that is delivered, what became of the reminder is known.
    let core = office.core();
    let mut tx = core.store.snapshot().await.unwrap();
    let waiting = tx.outbox_in(&[OutboxState::Queued]).await.unwrap();
    drop(tx);
    let recall = waiting.iter().find(|row| row.kind == "recall").unwrap();
    office.delivered("cws-demo", recall.id).await;
    let rows = reminders(&office).await;
    let held = rows.iter().find(|row| row.lane == "cws-demo").unwrap();
    assert_eq!(held.state, OutboxState::Withdrawn, "{:?}", held.note);
    assert!(!office.was_written("cws-demo", "consent-reminder"));
}
