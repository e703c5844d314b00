//! What a parent may read leaves out services to which a minor may consent alone; and directives keep the words of the
//! form on which they were signed.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_office::{Office, person};

fn minor() -> Value {
    person("Testina", "Demofield", "2012-03-04", "95554321A")
}

/// A minor whom behavioural health, the clinic and CalWORKs know, about whom child welfare has asked; and her id.
async fn asked_about() -> (Office, String) {
    let office = Office::open().await;
    office.record("bh", "mrn-7", &minor()).await;
    office.record("calworks", "c-7", &minor()).await;
    let question = json!({ "person": minor(), "purpose": "COC" });
    let answer = office.post("cws", "/v1/match", &question).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let all = decisions["decisions"].as_array().unwrap();
    let id = all.iter().find_map(|one| one["person"].as_str()).unwrap();
    (office, id.to_owned())
}

async fn why(office: &Office, person: &str, copy: &str) -> Vec<Value> {
    let path = format!("/v1/why?person={person}&copy={copy}");
    let answer = office.get("privacy", &path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["answers"].as_array().unwrap().clone()
}

fn names_minors_own(text: &str) -> bool {
    ["MENTAL_HEALTH", "org-bh", "mental", "5328"]
        .iter()
        .any(|word| text.contains(word))
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_for_a_parent_leave_out_services_that_the_minor_can_consent_to() {
    let (office, person) = asked_about().await;
    let staff = why(&office, &person, "staff").await;
    let parent = why(&office, &person, "parent").await;
    let own = why(&office, &person, "person").await;
    assert!(names_minors_own(&json!(staff).to_string()), "{staff:?}");
    assert!(names_minors_own(&json!(own).to_string()), "{own:?}");
    assert!(!names_minors_own(&json!(parent).to_string()), "{parent:?}");
    assert!(!parent.is_empty(), "what welfare told is hers to read");
    assert!(parent.iter().all(|one| one.get("decision").is_none()));
    assert!(staff.iter().all(|one| one["decision"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_events_for_a_parent_leave_them_out_as_well() {
    let (office, person) = asked_about().await;
    let read = async |copy: &str| {
        let path = format!("/fhir/AuditEvent?patient={person}&copy={copy}");
        let answer = office.get("auditor", &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer
    };
    let (staff, parent) = (read("staff").await, read("parent").await);
    // The events name who asked and not who holds: that one more was asked would tell.
    let count = |text: &str| text.matches("\"recorded\"").count();
    let (all, left) = (count(&staff.text), count(&parent.text));
    assert!(0 < left && left < all, "{left} of {all}");
    assert!(!names_minors_own(&parent.text), "{}", parent.text);
    assert!(parent.text.contains("copy=parent"), "the links keep it");
    let nobody = office.get("auditor", "/fhir/AuditEvent?copy=parent").await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_of_a_household_sees_nothing_of_another() {
    let (office, person) = asked_about().await;
    let sibling = self::person("Probo", "Demofield", "2015-06-07", "95554322A");
    office.record("calworks", "c-8", &sibling).await;
    let question = json!({ "person": sibling, "purpose": "COC" });
    office.post("cws", "/v1/match", &question).await;
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let all = decisions["decisions"].as_array().unwrap().clone();
    let of = |id: &str| -> Vec<String> {
        let own = all.iter().filter(|one| one["person"] == json!(id));
        own.map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let other = all
        .iter()
        .filter_map(|one| one["person"].as_str())
        .find(|id| *id != person)
        .unwrap();
    let (hers, his) = (of(&person), of(other));
    assert!(!hers.is_empty() && !his.is_empty());
    for copy in ["person", "parent"] {
        let path = format!("/fhir/AuditEvent?patient={other}&copy={copy}");
        let text = office.get("auditor", &path).await.text;
        assert!(!text.contains(&person), "{text}");
        assert!(text.contains(other), "{text}");
    }
}

const FORMS: &str = r#"
[[forms]]
id = "county-general-release"
version = "2026-2"
from = "2026-02-01"
replaces = ["2026-1"]
is_broader = true
"#;

fn release(id: &str, version: &str, from: &str) -> Value {
    json!({
        "directive": {
            "id": id, "subject": "marisol", "signer": { "capacity": "self" },
            "form_template": { "id": "county-general-release", "version": version, "language": "en" },
            "method": "paper_scan", "effect": "permit", "categories": ["PERSON_INDEX", "CASH_AID"],
            "disclosers": { "named": ["org-calworks"] }, "recipients": { "named": ["org-cws"] },
            "purposes": ["COC"], "valid_from": from, "expiry": { "date": "2027-02-01" },
        },
        "covers": [{ "system": "calworks-demo", "person": "c-7" }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directive_keeps_the_words_of_its_form_and_a_broader_form_needs_a_signature_of_its_own() {
    let office = Office::with(FORMS).await;
    office.record("calworks", "c-7", &minor()).await;
    let capture = async |body: Value| office.post("privacy", "/v1/consents", &body).await;
    let old = capture(release("old", "2026-1", "2026-01-15")).await;
    assert_eq!(old.status, StatusCode::CREATED, "{}", old.text);
    let verified = office
        .post("privacy-second", "/v1/consents/old/verify", &json!({}))
        .await;
    assert_eq!(verified.json()["state"], "active", "{}", verified.text);
    let inbox = office
        .get("privacy", "/v1/privacy/inbox?kind=new_form")
        .await
        .json();
    assert_eq!(inbox["entries"][0]["consent"], "old", "{inbox}");
    // The signature of January carries no words of February.
    let borrowed = capture(release("borrowed", "2026-2", "2026-01-15")).await;
    assert_eq!(borrowed.status, StatusCode::CONFLICT, "{}", borrowed.text);
    let new = capture(release("new", "2026-2", "2026-02-02")).await;
    assert_eq!(new.status, StatusCode::CREATED, "{}", new.text);
    // The old one holds as it stands until the new one takes its place.
    let shown = office.get("privacy", "/v1/consents/old").await.text;
    assert!(
        shown.contains("2026-1") && !shown.contains("2026-2"),
        "{shown}"
    );
}
