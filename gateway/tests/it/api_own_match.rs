//! A system may ask about its own records: nothing is disclosed, so nothing is decided, and nobody else's records show.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_office::{Answer, Office, marisol, person};

async fn own(office: &Office, who: &str, person: &Value) -> Answer {
    let question = json!({ "scope": "own", "person": person });
    office.post(who, "/v1/match", &question).await
}

#[tokio::test(flavor = "multi_thread")]
async fn own_records_are_found_without_a_decision_and_others_are_not() {
    let office = Office::open().await;
    office.record("bh", "mrn-1", &marisol()).await;
    let nobody = own(&office, "calworks", &marisol()).await;
    assert_eq!(nobody.text, "{\"matches\":[],\"own\":[]}");
    office.record("calworks", "c-1", &marisol()).await;
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let found = own(&office, "calworks", &marisol()).await;
    assert_eq!(found.status, StatusCode::OK);
    assert_eq!(
        found.json()["own"],
        json!([{ "source_person_id": "c-1", "decision": "link" }])
    );
    assert_eq!(office.audited("match.query").await, 0);
    assert_eq!(
        office.get("privacy", "/v1/decisions").await.json(),
        decisions
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn own_answer_is_the_same_whatever_others_know() {
    let office = Office::open().await;
    let mut kept = person("Testa", "Demofield", "1990-02-03", "");
    kept["identifiers"] = json!([]);
    office.record("calworks", "c-1", &kept).await;
    let mut asked = kept.clone();
    asked["birth"]["date"] = json!("1990-02-04");
    let before = own(&office, "calworks", &asked).await;
    assert_eq!(before.json()["own"][0]["decision"], "review");
    // So many of one name elsewhere would make the name common and its blocks too large.
    for number in 0..30 {
        let mut other = kept.clone();
        other["birth"]["date"] = json!(format!("1990-02-{:02}", 1 + number % 28));
        office.record("cws", &format!("w-{number}"), &other).await;
    }
    assert_eq!(own(&office, "calworks", &asked).await.text, before.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_set_up_for_own_questions_is_told_so() {
    let office = Office::open().await;
    let refused = own(&office, "bh", &marisol()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("own_matches"), "{}", refused.text);
    let wrong = json!({ "scope": "all", "person": marisol() });
    let wrong = office.post("calworks", "/v1/match", &wrong).await;
    assert!(wrong.status.is_client_error());
    assert!(wrong.text.contains("scope"), "{}", wrong.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_own_record_is_found_no_more() {
    let office = Office::open().await;
    office.record("calworks", "c-1", &marisol()).await;
    let gone = json!([{
        "occurred_at": "2026-02-02T08:30:00-08:00",
        "source_event_id": "gone-1",
        "source_person_id": "c-1",
        "type": "record.withdrawn",
        "payload": { "record_kind": "Client", "reason": "deleted" },
    }]);
    let answer = office.post("calworks", "/v1/events", &gone).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    let found = own(&office, "calworks", &marisol()).await;
    assert_eq!(found.json()["own"], json!([]));
}
