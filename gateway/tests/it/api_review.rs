//! A steward's queue: what comes first, who decided, and what a decision teaches.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_office::{Office, person};

/// The official name changed to another given one.
fn as_called(given: &str, record: &Value) -> Value {
    let mut other = record.clone();
    other["names"][0]["given"] = json!(given);
    other
}

async fn links(office: &Office, query: &str) -> Vec<Value> {
    let answer = office.get("steward", &format!("/v1/links?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["links"].as_array().unwrap().clone()
}

/// Whether a link is between the two records of a woman who is known twice.
fn is_of(link: &Value, number: usize) -> bool {
    let sides = [&link["a"]["person"], &link["b"]["person"]];
    sides.contains(&&json!(format!("c-{number}"))) && sides.contains(&&json!(format!("w-{number}")))
}

async fn decide(office: &Office, link: &Value, verdict: &str) -> Value {
    let path = format!("/v1/links/{}/{verdict}", link["id"].as_str().unwrap());
    let answer = office
        .post(
            "steward",
            &path,
            &json!({ "reason": "both cards were seen" }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    office.settle().await;
    answer.json()
}

/// A woman in two systems under two given names that nothing but a number holds together.
async fn known_twice(office: &Office, number: usize, family: &str, names: [&str; 2]) {
    let mut record = person(names[0], family, &format!("19{}-03-09", 60 + number), "");
    record["identifiers"] = json!([]);
    record["ssn"] = json!({ "ssn": format!("9{:08}", 13_579_213 * number), "quality": "full" });
    office
        .record("calworks", &format!("c-{number}"), &record)
        .await;
    let other = as_called(names[1], &record);
    office.record("cws", &format!("w-{number}"), &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_begins_with_the_pair_whose_decision_says_most() {
    let office = Office::open().await;
    let pair = |given: &str, family: &str, birth: &str| {
        let mut record = person(given, family, birth, "");
        record["identifiers"] = json!([]);
        record
    };
    // One pair differs in a digit of the birth date, the other in a letter of the name as well.
    office
        .record(
            "calworks",
            "near-1",
            &pair("Quilla", "Exemplaton", "1980-04-12"),
        )
        .await;
    office
        .record("cws", "near-2", &pair("Quilla", "Exemplaton", "1980-04-13"))
        .await;
    office
        .record(
            "calworks",
            "far-1",
            &pair("Zorla", "Mockdale", "1975-01-20"),
        )
        .await;
    office
        .record("cws", "far-2", &pair("Zorlah", "Mockdale", "1975-01-21"))
        .await;
    let queue = links(&office, "").await;
    assert!(queue.len() >= 2, "{queue:?}");
    let information: Vec<f64> = queue
        .iter()
        .map(|link| link["information"].as_f64().unwrap())
        .collect();
    assert!(information.is_sorted_by(|a, b| a >= b), "{information:?}");
    assert!(information[0] > information[information.len() - 1]);
    assert_eq!(queue[0]["records_joined"], 2);
    assert_eq!(queue[0]["open_cases"], 0);
    let newest = links(&office, "order=newest").await;
    assert_eq!(newest.len(), queue.len());
    assert!(newest[0].get("information").is_none());
    let refused = office
        .get("steward", "/v1/links?standing=linked&order=information")
        .await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_names_its_decider_and_can_be_taken_back() {
    let office = Office::open().await;
    known_twice(&office, 1, "Demofield", ["Testa", "Zorla"]).await;
    let waiting = links(&office, "").await;
    let link = waiting.iter().find(|link| is_of(link, 1)).unwrap();
    assert!(link.get("decided_by").is_none());
    let rejected = decide(&office, link, "reject").await;
    assert_eq!(rejected["decided_by"], "steward");
    assert_eq!(rejected["reason"], "both cards were seen");
    // What was rejected by mistake is confirmed, and undone again.
    let confirmed = decide(&office, link, "confirm").await;
    assert_eq!(confirmed["standing"], "linked");
    let undone = decide(&office, link, "undo").await;
    assert_eq!(undone["link"]["standing"], "undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_confirmed_for_two_people_are_nicknames_until_a_link_is_undone() {
    let office = Office::open().await;
    known_twice(&office, 1, "Demofield", ["Testa", "Zorla"]).await;
    known_twice(&office, 2, "Mockberg", ["Testa", "Zorla"]).await;
    let level = async |office: &Office, number: usize| {
        for standing in ["candidate", "linked"] {
            let found = links(office, &format!("standing={standing}")).await;
            if let Some(link) = found.iter().find(|link| is_of(link, number)) {
                let path = format!("/v1/links/{}", link["id"].as_str().unwrap());
                let shown = office.get("steward", &path).await.json();
                let fields = shown["explanation"]["fields"].as_array().unwrap().clone();
                let first = fields.iter().find(|field| field["field"] == "first_name");
                return first.unwrap()["level"].as_str().unwrap().to_owned();
            }
        }
        panic!("no link is of {number}");
    };
    assert_eq!(level(&office, 1).await, "different");
    let waiting = links(&office, "").await;
    for number in [1, 2] {
        let link = waiting.iter().find(|link| is_of(link, number)).unwrap();
        known_twice(&office, 2 + number, "Draftwood", ["Testa", "Zorla"]).await;
        // Once may be a change of name: the next two are as different as before.
        let later = 2 + number;
        assert_eq!(level(&office, later).await, "different", "{later}");
        decide(&office, link, "confirm").await;
    }
    known_twice(&office, 5, "Patternton", ["Testa", "Zorla"]).await;
    assert_eq!(level(&office, 5).await, "nickname");
    // The same after a start, from nothing but the decisions.
    let office = office
        .restarted("limits = { requests_per_second = 1000, burst = 1000 }")
        .await;
    known_twice(&office, 6, "Protofield", ["Zorla", "Testa"]).await;
    assert_eq!(level(&office, 6).await, "nickname");
    let linked = links(&office, "standing=linked").await;
    let link = linked.iter().find(|link| is_of(link, 1)).unwrap();
    decide(&office, link, "undo").await;
    // The processor forgets the pair when it is next awake.
    office.settle().await;
    known_twice(&office, 7, "Specistein", ["Testa", "Zorla"]).await;
    assert_eq!(level(&office, 7).await, "different");
}
