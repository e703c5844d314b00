//! Referrals through the API: asked, moved, refused with a reason, seen by their own sides alone.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::store::OutboxState;

use crate::api_office::{Answer, Office, marisol};

pub(crate) fn request(source_ref: &str) -> Value {
    json!({
        "referral": { "source_ref": source_ref },
        "worker": { "id": "w-1", "name": "Testa Worker", "phone": "5550100" },
        "target": { "service": "svc-family-maintenance" },
        "domain": "parenting-family",
        "subjects": ["91234567A"],
        "urgency": "routine",
        "need": "help at home",
        "safe_contact": { "may_contact": true, "language": "en" },
    })
}

pub(crate) fn release() -> Value {
    json!({
        "id": "consent-1", "subject": "marisol", "signer": { "capacity": "self" },
        "form_template": { "id": "county-general-release", "version": "2026-1", "language": "en" },
        "method": "paper_scan", "effect": "permit",
        "categories": ["PERSON_INDEX", "CASH_AID", "CW_CASE", "CONTACT_LOCATION"],
        "disclosers": { "named": ["org-calworks", "org-cws"] }, "recipients": { "named": ["org-calworks", "org-cws"] },
        "purposes": ["COC"], "valid_from": "2026-02-02", "expiry": { "date": "2027-02-01" },
    })
}

/// A referral from CalWORKs to child welfare that has reached child welfare.
pub(crate) async fn referred(office: &Office) -> String {
    let id = asked(office).await;
    office
        .get_once_there("cws", &format!("/v1/referrals/{id}"))
        .await;
    id
}

/// A referral from CalWORKs to child welfare that waits in child welfare's lane.
pub(crate) async fn asked(office: &Office) -> String {
    office.record("calworks", "91234567A", &marisol()).await;
    let body = json!({ "directive": release(), "covers": [{ "system": "calworks-demo", "person": "91234567A" }] });
    assert_eq!(
        office.post("privacy", "/v1/consents", &body).await.status,
        StatusCode::CREATED
    );
    let verified = office
        .post(
            "privacy-second",
            "/v1/consents/consent-1/verify",
            &json!({}),
        )
        .await;
    assert_eq!(verified.status, StatusCode::OK);
    let created = office
        .post("calworks", "/v1/referrals", &request("R-204"))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    assert_eq!(created.json()["status"], "requested", "{}", created.text);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("/v1/referrals/{id}"));
    id
}

async fn move_to(office: &Office, who: &str, id: &str, body: &Value) -> Answer {
    office
        .post(who, &format!("/v1/referrals/{id}/status"), body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_the_table_does_not_have_is_refused_with_its_reason_and_audited() {
    let office = Office::open().await;
    let id = referred(&office).await;
    let before = office.audited("event.refused").await;
    let skipped = move_to(
        &office,
        "cws",
        &id,
        &json!({ "status": "completed", "reason": "service-received" }),
    )
    .await;
    assert_eq!(skipped.status, StatusCode::CONFLICT, "{}", skipped.text);
    assert_eq!(skipped.json()["reason"], "move-not-listed");
    let wrong_side = move_to(&office, "calworks", &id, &json!({ "status": "accepted" })).await;
    assert_eq!(
        wrong_side.json()["reason"],
        "wrong-side",
        "{}",
        wrong_side.text
    );
    assert_eq!(office.audited("event.refused").await, before + 2);
    let stands = office
        .get("calworks", &format!("/v1/referrals/{id}"))
        .await
        .json();
    assert_eq!(stands["status"], "requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identical_repeat_of_a_move_is_answered_like_the_first() {
    let office = Office::open().await;
    let id = referred(&office).await;
    let accepted = json!({ "status": "accepted", "own_ref": "CW-9" });
    assert_eq!(
        move_to(&office, "cws", &id, &accepted).await.status,
        StatusCode::OK
    );
    let again = move_to(&office, "cws", &id, &accepted).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    assert_eq!(again.json()["own_ref"], "CW-9");
    // The source is told in its own system.
    office
        .message("calworks-demo", OutboxState::Delivered)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_move_under_a_key_is_refused_again() {
    let office = Office::open().await;
    let id = referred(&office).await;
    for _ in 0..2 {
        let path = format!("/v1/referrals/{id}/status");
        let body = Some(json!({ "status": "in-progress" }).to_string());
        let answer = office
            .send(
                "cws",
                Method::POST,
                &path,
                &[("idempotency-key", "m-1")],
                body,
            )
            .await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_is_seen_by_its_own_sides_and_without_people_by_others() {
    let office = Office::open().await;
    let id = referred(&office).await;
    let path = format!("/v1/referrals/{id}");
    assert_eq!(
        office.get("calworks", &path).await.json()["subjects"],
        json!(["91234567A"])
    );
    let target = office.get("cws", &path).await;
    assert_eq!(target.status, StatusCode::OK);
    assert!(!target.text.contains("91234567A"));
    assert_eq!(office.get("bh", &path).await.status, StatusCode::NOT_FOUND);
    let operator = office.get("operator", &path).await;
    assert!(!operator.text.contains("91234567A") && !operator.text.contains("R-204"));
    assert_eq!(
        office.get("bh", "/v1/referrals").await.json()["referrals"],
        json!([])
    );
    assert_eq!(
        office.get("operator", "/v1/referrals").await.json()["referrals"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_referral_posted_twice_is_one_referral() {
    let office = Office::open().await;
    let id = referred(&office).await;
    let again = office
        .post("calworks", "/v1/referrals", &request("R-204"))
        .await;
    assert_eq!(again.json()["id"], json!(id), "{}", again.text);
    let mut other = request("R-204");
    other["urgency"] = json!("urgent");
    assert_eq!(
        office
            .post("calworks", "/v1/referrals", &other)
            .await
            .status,
        StatusCode::CONFLICT
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_pauses_a_lane_and_sees_a_message_without_its_content() {
    let office = Office::open().await;
    referred(&office).await;
    let paused = office
        .post(
            "operator",
            "/v1/lanes/cws-demo/pause",
            &json!({ "reason": "their upgrade" }),
        )
        .await
        .json();
    assert_eq!(paused["is_paused"], true);
    let row = office.message("cws-demo", OutboxState::Delivered).await;
    let message = office
        .get("operator", &format!("/v1/messages/{}", row.id))
        .await;
    assert_eq!(
        message.json()["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .find(|step| step["step"] == "attempted")
            .map(|step| step["outcome"].clone()),
        Some(json!("delivered")),
        "{}",
        message.text
    );
    assert!(!message.text.contains("Marisol"));
    let not_parked = office
        .post(
            "operator",
            "/v1/lanes/cws-demo/replay",
            &json!({ "message": row.id }),
        )
        .await;
    assert_eq!(not_parked.status, StatusCode::CONFLICT);
    let resumed = office
        .post("operator", "/v1/lanes/cws-demo/resume", &json!({}))
        .await
        .json();
    assert_eq!(resumed["is_paused"], false);
    assert_eq!(office.audited("lane.pause").await, 1);
}
