//! A match answer is a disclosure: denied and unknown look the same.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_office::{Office, marisol, person, steady};

pub(crate) fn question(person: &Value) -> Value {
    json!({ "person": person, "purpose": "COC" })
}

/// The mother's own release of everything that the systems of the test hold.
fn release() -> Value {
    json!({
        "id": "consent-marisol",
        "subject": "marisol",
        "signer": { "capacity": "self" },
        "form_template": { "id": "county-general-release", "version": "2026-1", "language": "en" },
        "method": "paper_scan",
        "effect": "permit",
        "categories": ["PERSON_INDEX", "CASH_AID", "MENTAL_HEALTH", "HEALTH_GENERAL"],
        "disclosers": { "named": ["org-calworks", "org-bh", "org-clinic"] },
        "recipients": { "named": ["org-calworks", "org-bh", "org-clinic"] },
        "purposes": ["COC"],
        "valid_from": "2026-02-02",
        "expiry": { "date": "2027-02-01" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_answer_and_an_unknown_person_look_the_same() {
    let office = Office::open().await;
    // Behavioural health knows the mother; nothing permits it to say so.
    office.record("bh", "mrn-1", &marisol()).await;
    let denied = office
        .post("calworks", "/v1/match", &question(&marisol()))
        .await;
    let stranger = person("Testa", "Example", "1971-01-09", "99999999Z");
    let unknown = office
        .post("calworks", "/v1/match", &question(&stranger))
        .await;
    assert_eq!(denied.status, StatusCode::OK);
    assert_eq!(denied.text, "{\"matches\":[]}");
    assert_eq!(
        (denied.status, &denied.text),
        (unknown.status, &unknown.text)
    );
    assert_eq!(steady(&denied.headers), steady(&unknown.headers));
    assert_eq!(office.audited("match.query").await, 2);
    let decisions = office.get("privacy", "/v1/decisions").await.json();
    let queries = || {
        decisions["decisions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["stage"] == "query")
    };
    assert_eq!(
        queries().filter(|one| one["person"].is_null()).count(),
        1,
        "the unknown is decided too: {decisions}"
    );
    let about_her: Vec<_> = queries().filter(|one| one["person"].is_string()).collect();
    assert!(
        about_her.len() == 1 && about_her[0]["outcome"] == "deny",
        "she was found, and denied: {decisions}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_is_answered_once_the_person_has_released_it() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    office.record("bh", "mrn-1", &marisol()).await;
    let body = json!({ "directive": release(), "covers": [{ "system": "calworks-demo", "person": "91234567A" }] });
    let captured = office.post("privacy", "/v1/consents", &body).await;
    assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
    assert_eq!(captured.json()["state"], "signed_unverified");

    let same = office
        .post("privacy", "/v1/consents/consent-marisol/verify", &json!({}))
        .await;
    assert_eq!(
        same.status,
        StatusCode::CONFLICT,
        "whoever captured it cannot verify it"
    );
    let verified = office
        .post(
            "privacy-second",
            "/v1/consents/consent-marisol/verify",
            &json!({}),
        )
        .await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);

    let answer = office
        .post("calworks", "/v1/match", &question(&marisol()))
        .await
        .json();
    assert_eq!(answer["matches"][0]["system"], "bh-demo", "{answer}");
    assert_eq!(answer["matches"][0]["source_person_id"], "mrn-1");
    assert_eq!(
        answer["matches"].as_array().unwrap().len(),
        1,
        "the asker's own record is not told"
    );

    let revoked = office
        .post(
            "privacy",
            "/v1/consents/consent-marisol/revoke",
            &json!({ "channel": "telephone" }),
        )
        .await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    let after = office
        .post("calworks", "/v1/match", &question(&marisol()))
        .await;
    assert_eq!(after.text, "{\"matches\":[]}");
    let history = office
        .get("privacy", "/v1/consents/consent-marisol")
        .await
        .json();
    assert_eq!(history["current"]["state"], "revoked");
    assert_eq!(history["history"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steward_sees_names_and_an_auditor_does_not() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    office.record("clinic", "pat-1", &marisol()).await;
    let links = office
        .get("steward", "/v1/links?standing=linked")
        .await
        .json();
    let link = links["links"][0]["id"]
        .as_str()
        .expect("the two records are linked")
        .to_owned();
    let steward = office.get("steward", &format!("/v1/links/{link}")).await;
    assert!(steward.text.contains("Marisol") && steward.json()["explanation"].is_object());
    let auditor = office.get("auditor", &format!("/v1/links/{link}")).await;
    assert_eq!(auditor.status, StatusCode::OK);
    assert!(!auditor.text.contains("Marisol"), "{}", auditor.text);
    assert_eq!(office.audited("link.read").await, 2);

    let undone = office
        .post(
            "steward",
            &format!("/v1/links/{link}/undo"),
            &json!({ "reason": "two people" }),
        )
        .await;
    assert_eq!(undone.status, StatusCode::OK, "{}", undone.text);
    let again = office
        .post(
            "steward",
            &format!("/v1/links/{link}/undo"),
            &json!({ "reason": "two people" }),
        )
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}
