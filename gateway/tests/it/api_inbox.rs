//! Inputs that are pushed: durable before they are acknowledged, once only, kept when they are rejected.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::api_office::{Office, marisol};

fn event(id: &str) -> serde_json::Value {
    json!([{
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": id, "source_person_id": "91234567A",
        "type": "record.received", "payload": { "record_kind": "Client", "person": marisol() },
    }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_the_same_input_has_no_further_effect() {
    let office = Office::open().await;
    let first = office.post("calworks", "/v1/events", &event("e-1")).await;
    let second = office.post("calworks", "/v1/events", &event("e-1")).await;
    assert_eq!(
        (first.status, second.status),
        (StatusCode::ACCEPTED, StatusCode::ACCEPTED)
    );
    assert_eq!(
        (&first.json()["duplicate"], &second.json()["duplicate"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first.json()["input"], second.json()["input"]);
    let inputs = office.get("operator", "/v1/inputs").await.json();
    assert_eq!(inputs["inputs"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_used_with_other_content_is_refused() {
    let office = Office::open().await;
    let push = |id: &'static str| {
        let body = Some(event(id).to_string());
        office.send(
            "calworks",
            Method::POST,
            "/v1/events",
            &[("idempotency-key", "batch-7")],
            body,
        )
    };
    assert_eq!(push("e-1").await.status, StatusCode::ACCEPTED);
    let other = push("e-2").await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(other.json()["reason"], "key-reused");
    assert_eq!(push("e-1").await.status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_of_which_nothing_can_be_used_is_rejected_and_kept() {
    let office = Office::open().await;
    let body = Some("<not><the/>message".to_owned());
    let answer = office
        .send(
            "cws",
            Method::POST,
            "/v1/inbox/cws-demo/child-welfare/niem",
            &[],
            body,
        )
        .await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(
        (&problem["type"], &problem["outcome"]),
        (&json!("urn:tandem:problem:rejected"), &json!("rejected"))
    );
    let inputs = office.get("operator", "/v1/inputs").await.json();
    assert_eq!(inputs["inputs"][0]["state"], "rejected");
    let id = problem["input"].as_str().unwrap().parse().unwrap();
    let kept = office
        .core()
        .store
        .snapshot()
        .await
        .unwrap()
        .original(id)
        .await
        .unwrap();
    assert_eq!(kept.unwrap(), b"<not><the/>message");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_format_is_not_found() {
    let office = Office::open().await;
    let answer = office
        .post(
            "calworks",
            "/v1/inbox/calworks-demo/no/such-format",
            &json!({}),
        )
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_cannot_tell_what_only_the_gateway_knows() {
    let office = Office::open().await;
    let forged = json!([{
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": "forged",
        "type": "indicator.reported",
        "payload": { "indicator": "UN-1", "numerator": 5, "from": "2026-01-01", "to": "2026-03-31", "source": "me" },
    }]);
    let answer = office.post("calworks", "/v1/events", &forged).await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert_eq!(
        answer.json()["deviations"][0]["code"],
        "not-a-systems-event"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_event_is_told_to_the_operator() {
    let office = Office::open().await;
    let early = json!([{
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": "early",
        "type": "referral.accepted", "payload": { "referral": { "target_ref": "R-1" }, "status": "accepted" },
    }]);
    assert_eq!(
        office.post("cws", "/v1/events", &early).await.status,
        StatusCode::ACCEPTED
    );
    office.settle().await;
    let parked = office.get("operator", "/v1/events/parked").await.json();
    assert_eq!(parked["events"][0]["type"], "referral.accepted", "{parked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_is_released_once_and_audited() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    let path = "/v1/baseline/calworks-demo/release";
    assert_eq!(
        office.post("operator", path, &json!({})).await.json()["persons"],
        1
    );
    let again = office.post("operator", path, &json!({})).await;
    assert_eq!(
        (again.status, &again.json()["persons"]),
        (StatusCode::OK, &json!(0))
    );
    assert_eq!(office.audited("baseline.release").await, 1);
    let unknown = office
        .post("operator", "/v1/baseline/nobody/release", &json!({}))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_reads_its_own_plan_and_no_other_system_does() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    let plan = json!([{
        "occurred_at": "2026-02-02T08:30:00-08:00", "source_event_id": "plan-1", "type": "plan.active",
        "payload": { "plan": "P-1", "plan_type": "welfare-to-work", "status": "active", "subjects": ["91234567A"] },
    }]);
    let told = office.post("calworks", "/v1/events", &plan).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.text);
    office.settle().await;
    let own = office.get("calworks", "/v1/plans/calworks-demo/P-1").await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
    assert_eq!(
        office
            .get("cws", "/v1/plans/calworks-demo/P-1")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(office.audited("plan.read").await, 0);
    assert_eq!(
        office
            .get("auditor", "/v1/plans/calworks-demo/P-1")
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(office.audited("plan.read").await, 1);
}
