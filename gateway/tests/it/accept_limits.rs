//! Own events at their limits: repeats of what must not enter by now, arrays that are too much, and rejected ones.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api_office::{Answer, Office, marisol, person, record_received};

async fn push(office: &Office, who: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let body = Some(body.to_owned());
    office
        .send(who, Method::POST, "/v1/events", headers, body)
        .await
}

async fn inputs(office: &Office) -> Vec<Value> {
    let inputs = office.get("operator", "/v1/inputs").await.json();
    inputs["inputs"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_one_also_when_somebody_in_it_was_sealed_since() {
    let office = Office::open().await;
    let other = person("Probe", "Testerly", "1990-01-01", "91234568A");
    let both = json!([
        record_received("0Ab1CdE2fG", &marisol()),
        record_received("0Zz1CdE2fG", &other),
    ]);
    let (both, alone) = (both.to_string(), json!([both[0]]).to_string());
    let named = [("idempotency-key", "batch-1")];
    let pushes: [(&[(&str, &str)], &str); 3] = [(&[], &both), (&named, &both), (&[], &alone)];
    let mut first = Vec::new();
    for (headers, body) in pushes {
        let answer = push(&office, "cws", headers, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        first.push(answer.json()["input"].clone());
    }
    office.settle().await;
    let sealed = json!([{
        "occurred_at": "2026-02-02T08:10:00-08:00", "source_event_id": "seal-1", "source_person_id": "0Ab1CdE2fG",
        "type": "record.sealed", "payload": { "record_kind": "Client", "reason": "sealed" },
    }]);
    let answer = push(&office, "cws", &[], &sealed.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    for ((headers, body), input) in pushes.into_iter().zip(first) {
        let answer = push(&office, "cws", headers, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let receipt = answer.json();
        assert_eq!(
            (&receipt["duplicate"], &receipt["input"]),
            (&json!(true), &input)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_is_read_no_further_than_it_may_go() {
    let office = Office::with("limits = { body_bytes = 4000000 }").await;
    let many = format!("[{} no json", "0,".repeat(100_001));
    let wide = format!("[{{\"labels\":[{}0]}}]", "0,".repeat(10_000));
    for (body, told) in [(many, "100000 events"), (wide, "10000 values")] {
        let answer = push(&office, "calworks", &[], &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:tandem:problem:invalid", "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{detail}");
    }
    assert!(inputs(&office).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_key_that_stands_twice_what_counts_is_what_is_kept() {
    let office = Office::open().await;
    let told = json!([record_received("0Ab1CdE2fG", &marisol())]).to_string();
    let twice = told.replacen("\"type\":", "\"source_person_id\":\"V-9\",\"type\":", 1);
    let answer = push(&office, "cws", &[], &twice).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let receipt = answer.json();
    assert_eq!(
        receipt["deviations"][0]["code"], "repeated-key",
        "{receipt}"
    );
    let id = receipt["input"].as_str().unwrap().parse().unwrap();
    let mut tx = office.core().store.snapshot().await.unwrap();
    let kept = String::from_utf8(tx.original(id).await.unwrap().unwrap()).unwrap();
    assert!(
        kept.contains("0Ab1CdE2fG") && !kept.contains("V-9"),
        "{kept}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_events_are_read_by_no_other_reader() {
    let office = Office::open().await;
    let answer = push(&office, "bh", &[], r#"[{"type":"record.received"}]"#).await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    let before = inputs(&office).await;
    assert_eq!(before[0]["format"], "tandem/events");
    assert_eq!(before[0]["report"]["deviations"][0]["code"], "not-an-event");
    let wanted = json!({ "of": "inputs", "where": { "system": "bh-demo" } });
    let mut replay = office.post("operator", "/v1/replays", &wanted).await.json();
    while replay["is_done"] == false {
        let path = format!("/v1/replays/{}/continue", replay["id"].as_str().unwrap());
        replay = office.post("operator", &path, &json!({})).await.json();
    }
    assert_eq!(replay["skipped_for"], json!({ "no-reader": 1 }), "{replay}");
    assert_eq!(inputs(&office).await, before);
}
