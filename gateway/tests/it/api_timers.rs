//! Deadlines of referrals: each side is told once what is overdue, no state moves, and the operator sees the rest.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::pipeline::timers;
use tandem::store::{OutboxRow, OutboxState};

use crate::api_office::{Office, marisol};
use crate::api_referrals::{referred, release, request};

/// Sets the clock, and lets the timers be looked at twice: what follows must follow once.
async fn at(office: &Office, instant: &str) {
    let core = office.core();
    core.clock.set(instant.parse().unwrap());
    timers::look(&core).await.unwrap();
    timers::look(&core).await.unwrap();
}

async fn rows(office: &Office, lane: &str, kind: &str) -> Vec<OutboxRow> {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let rows = tx.outbox_in(&OutboxState::ALL).await.unwrap();
    let wanted = |row: &OutboxRow| row.lane == lane && row.kind == kind;
    rows.into_iter().filter(wanted).collect()
}

fn note(row: &OutboxRow) -> String {
    let proposal: Value = serde_json::from_slice(&row.content).unwrap();
    let text = &proposal["body"]["reason_text"];
    text.as_str().unwrap_or_default().to_owned()
}

async fn overdue(office: &Office) -> Vec<Value> {
    let answer = office.get("operator", "/v1/referrals/overdue").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["referrals"].as_array().unwrap().clone()
}

/// Child welfare's exchange partner takes the file of the request.
async fn acknowledged(office: &Office) {
    let row = office.message("cws-demo", OutboxState::Delivered).await;
    office.drop_answer("cws-demo", &row.file.unwrap(), br#"{"file":"accepted"}"#);
    office.message("cws-demo", OutboxState::Acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_acknowledged_is_delivered_again_and_then_shown_to_the_operator() {
    let office = Office::open().await;
    let id = referred(&office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    assert!(overdue(&office).await.is_empty());
    // One business day after Monday 9:00 is Tuesday 9:00.
    at(&office, "2026-02-03T09:00:00-08:00").await;
    assert!(overdue(&office).await.is_empty());
    at(&office, "2026-02-03T09:00:01-08:00").await;
    let again = office.attempted("cws-demo", 2).await;
    assert_eq!(again.state, OutboxState::Delivered);
    assert_eq!(office.audited("operator.alert").await, 0);
    let listed = overdue(&office).await;
    assert_eq!(listed[0]["referral"], id.as_str());
    assert_eq!(listed[0]["redelivered"], again.id.to_string());
    at(&office, "2026-02-04T09:00:01-08:00").await;
    assert_eq!(office.audited("operator.alert").await, 1);
    let listed = overdue(&office).await;
    assert_eq!(listed[1]["alerts"], json!(["delivery-not-acknowledged"]));
    assert_eq!(office.audited("referral.timer").await, 2);
    assert_eq!(rows(&office, "cws-demo", "referral").await[0].attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_told_once_that_a_decision_is_overdue_and_the_state_stays() {
    let office = Office::open().await;
    let id = referred(&office).await;
    acknowledged(&office).await;
    at(&office, "2026-02-04T09:00:01-08:00").await;
    for lane in ["calworks-demo", "cws-demo"] {
        let told = rows(&office, lane, "referral-status").await;
        assert_eq!(told.len(), 1, "{lane}");
        assert!(
            note(&told[0]).starts_with("Overdue"),
            "{lane}: {}",
            note(&told[0])
        );
        office.delivered(lane, told[0].id).await;
    }
    assert!(office.was_written("calworks-demo", "Overdue"));
    assert!(office.was_written("cws-demo", "Overdue"));
    let stands = office
        .get("calworks", &format!("/v1/referrals/{id}"))
        .await
        .json();
    assert_eq!(stands["status"], "requested");
    let listed = overdue(&office).await;
    assert_eq!((&listed[0]["timer"], listed.len()), (&json!("decision"), 1));
    assert_eq!(listed[0]["told"].as_array().unwrap().len(), 2);
    let listing = listed[0].to_string();
    assert!(!listing.contains("Marisol") && !listing.contains("91234567A"));
    // A decision ends it.
    let accepted = json!({ "status": "accepted" });
    let moved = office
        .post("cws", &format!("/v1/referrals/{id}/status"), &accepted)
        .await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    assert!(overdue(&office).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_is_asked_for_the_first_contact_and_after_a_month_for_the_status() {
    let office = Office::open().await;
    let id = referred(&office).await;
    acknowledged(&office).await;
    let accepted = json!({ "status": "accepted" });
    let moved = office
        .post("cws", &format!("/v1/referrals/{id}/status"), &accepted)
        .await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let before = rows(&office, "calworks-demo", "referral-status")
        .await
        .len();
    at(&office, "2026-02-05T09:00:01-08:00").await;
    let told = rows(&office, "cws-demo", "referral-status").await;
    assert!(note(&told[0]).contains("supervisor"), "{}", note(&told[0]));
    at(&office, "2026-03-04T10:00:01-08:00").await;
    let told = rows(&office, "cws-demo", "referral-status").await;
    assert_eq!(told.len(), 2);
    assert!(
        note(&told[1]).contains("how this referral stands"),
        "{}",
        note(&told[1])
    );
    assert_eq!(
        rows(&office, "calworks-demo", "referral-status")
            .await
            .len(),
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_referral_has_no_deadlines_any_more() {
    let office = Office::open().await;
    referred(&office).await;
    acknowledged(&office).await;
    let ended = json!({ "channel": "phone" });
    let path = "/v1/consents/consent-1/revoke";
    let revoked = office.post("privacy", path, &ended).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    office.settle().await;
    at(&office, "2026-03-14T09:00:01-08:00").await;
    assert_eq!(office.audited("referral.timer").await, 0);
    assert!(overdue(&office).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_a_system_that_can_be_told_is_for_the_operator() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    let mut directive = release();
    directive["recipients"]["named"] = json!(["org-calworks", "org-bh"]);
    directive["categories"] = json!([
        "PERSON_INDEX",
        "CASH_AID",
        "CONTACT_LOCATION",
        "MENTAL_HEALTH"
    ]);
    let covers = json!([{ "system": "calworks-demo", "person": "91234567A" }]);
    let body = json!({ "directive": directive, "covers": covers });
    office.post("privacy", "/v1/consents", &body).await;
    let verify = "/v1/consents/consent-1/verify";
    office.post("privacy-second", verify, &json!({})).await;
    let mut wish = request("R-205");
    wish["target"] = json!({ "service": "svc-counselling" });
    let created = office.post("calworks", "/v1/referrals", &wish).await;
    assert_eq!(created.json()["status"], "requested", "{}", created.text);
    // Nothing was heard of it for thirty days.
    at(&office, "2026-03-04T10:00:01-08:00").await;
    let listed = overdue(&office).await;
    let refresh = listed.iter().find(|one| one["timer"] == "status-refresh");
    assert_eq!(refresh.unwrap()["alerts"], json!(["target-has-no-system"]));
    assert_eq!(office.audited("operator.alert").await, 1);
}
