//! What was told about a person, as the person, a parent, privacy staff and an auditor's FHIR client see it.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::OutboxState;

use crate::api_office::Office;
use crate::api_referrals::referred;

/// A referral that was delivered to child welfare, and the person whom it is about.
async fn told(office: &Office) -> String {
    referred(office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    let decisions = office.get("auditor", "/v1/decisions").await.json();
    let all = decisions["decisions"].as_array().unwrap();
    let about = all.iter().find_map(|one| one["person"].as_str());
    about.unwrap().to_owned()
}

async fn copy(office: &Office, person: &str, copy: &str) -> Vec<Value> {
    let path = format!("/v1/persons/{person}/accounting?copy={copy}");
    let answer = office.get("privacy", &path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["disclosures"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_who_was_told_what_why_and_by_which_consent() {
    let office = Office::open().await;
    let person = told(&office).await;
    let list = copy(&office, &person, "person").await;
    assert_eq!(list.len(), 1, "{list:?}");
    let entry = &list[0];
    assert_eq!(entry["recipient"], "org-cws");
    assert_eq!(entry["purpose"], "COC");
    assert!(
        entry["categories"]
            .as_array()
            .unwrap()
            .contains(&json!("CASH_AID")),
        "{entry}"
    );
    assert_eq!(entry["consents"], json!(["consent-1"]));
    assert!(!entry["rules"].as_array().unwrap().is_empty(), "{entry}");
    assert!(
        entry.get("decision").is_none(),
        "a decision is for privacy staff: {entry}"
    );
    let staff = copy(&office, &person, "staff").await;
    assert!(staff[0]["decision"].is_string(), "{staff:?}");
    assert_eq!(office.audited("accounting.read").await, 2);
    let unknown = "/v1/persons/0198c2f0-0000-7000-8000-000000000000/accounting";
    assert_eq!(
        office.get("privacy", unknown).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_recipient_is_left_out_until_the_end_and_nothing_tells_of_it() {
    let office = Office::open().await;
    let person = told(&office).await;
    let path = format!("/v1/persons/{person}/accounting/suspensions");
    let mut body = json!({
        "recipient": "org-cws", "kind": "health_oversight", "reference": "file 26-114",
        "until": "2026-02-02T08:00:00-08:00",
    });
    let refused = office.post("privacy", &path, &body).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "its end is past"
    );
    body["until"] = json!("2026-03-02T08:00:00-08:00");
    let answer = office.post("privacy", &path, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(copy(&office, &person, "person").await.is_empty());
    assert!(copy(&office, &person, "parent").await.is_empty());
    let staff = copy(&office, &person, "staff").await;
    assert_eq!(staff[0]["left_out_until"], "2026-03-02T16:00:00Z");
    office
        .core()
        .clock
        .set("2026-03-02T16:00:00Z".parse().unwrap());
    assert_eq!(copy(&office, &person, "person").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_decisions_and_disclosures_as_audit_events() {
    let office = Office::open().await;
    let person = told(&office).await;
    let mut path = format!("/fhir/AuditEvent?patient={person}&_count=2");
    let mut events: Vec<Value> = Vec::new();
    for _page in 0..50 {
        let answer = office.get("auditor", &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let bundle = answer.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        events.extend(entries.into_iter().map(|entry| entry["resource"].clone()));
        let links = bundle["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else {
            break;
        };
        let url: reqwest::Url = next["url"].as_str().unwrap().parse().unwrap();
        path = format!("/fhir/AuditEvent?{}", url.query().unwrap());
    }
    let of = |profile: &str| -> Vec<&Value> {
        let is_it = |event: &&Value| {
            let name = event["meta"]["profile"][0].as_str().unwrap_or_default();
            name.ends_with(profile)
        };
        events.iter().filter(is_it).collect()
    };
    let sources = of("PrivacyDisclosure.Source");
    assert_eq!(
        (sources.len(), of("PrivacyDisclosure.Recipient").len()),
        (1, 1)
    );
    assert_eq!(sources[0]["type"]["code"], "110106");
    assert_eq!(
        sources[0]["agent"][1]["who"]["reference"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next(),
        Some("org-cws")
    );
    let decisions = of("AuthZconsent");
    assert!(!decisions.is_empty());
    for decision in decisions {
        assert_eq!(
            (&decision["action"], &decision["outcome"]),
            (&json!("E"), &json!("0"))
        );
    }
    let mut ids: Vec<&str> = events
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each event stands on one page");
    let text = serde_json::to_string(&events).unwrap();
    assert!(
        !text.contains("Marisol") && !text.contains("CASH_AID"),
        "ids and codes alone"
    );
    assert_eq!(
        office.get("operator", "/fhir/AuditEvent").await.status,
        StatusCode::FORBIDDEN
    );
}
