//! Consents that systems file as FHIR: unverified, read back by their filer alone, and taken back.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api_consents::{act, capture, is_told, office, release};
use crate::api_office::{Answer, Office, steady};

fn consent(provision: &Value) -> Value {
    json!({
        "resourceType": "Consent", "status": "active",
        "scope": { "coding": [{ "code": "patient-privacy" }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/mrn-1" }, "performer": [{ "reference": "Patient/mrn-1" }],
        "dateTime": "2026-02-02", "organization": [{ "reference": "Organization/org-bh" }],
        "sourceReference": { "reference": "DocumentReference/scan-1" },
        "policy": [{ "uri": "https://county.example/release" }],
        "provision": provision,
    })
}

fn actor(id: &str) -> Value {
    json!({ "role": { "coding": [{ "code": "IRCP" }] }, "reference": { "reference": format!("Organization/{id}") } })
}

/// Mental health to two recipients, one of them excepted for identifiers.
fn permit() -> Value {
    let category = |code: &str| json!({ "system": "urn:tandem:data-category", "code": code });
    json!({
        "type": "permit", "period": { "start": "2026-02-02", "end": "2027-02-01" },
        "actor": [actor("org-calworks"), actor("org-clinic")], "purpose": [{ "code": "COC" }],
        "securityLabel": [category("MENTAL_HEALTH"), category("PERSON_INDEX")],
        "provision": [{ "type": "deny", "actor": [actor("org-clinic")], "securityLabel": [category("PERSON_INDEX")] }],
    })
}

async fn send(office: &Office, who: &str, path: &str, body: &Value) -> Answer {
    let kind = [("content-type", "application/fhir+json")];
    office
        .send(who, Method::POST, path, &kind, Some(body.to_string()))
        .await
}

async fn filed(office: &Office) -> String {
    let answer = send(office, "bh", "/fhir/Consent", &consent(&permit())).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn status(office: &Office, id: &str) -> Value {
    let shown = office
        .get("bh", &format!("/fhir/Consent/{id}"))
        .await
        .json();
    shown["status"].clone()
}

fn revocation(id: &str, patient: &str) -> Value {
    json!({ "resourceType": "Parameters", "parameter": [
        { "name": "consent", "valueReference": { "reference": format!("Consent/{id}") } },
        { "name": "patient", "valueReference": { "reference": format!("Patient/{patient}") } },
    ] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filed_consent_opens_nothing_before_an_officer_has_verified_it() {
    let office = office().await;
    let id = filed(&office).await;
    assert_eq!(status(&office, &id).await, "proposed");
    let again = send(&office, "bh", "/fhir/Consent", &consent(&permit())).await;
    assert_eq!(
        (again.status, again.json()["id"].as_str()),
        (StatusCode::OK, Some(id.as_str()))
    );
    assert!(!is_told(&office, "calworks").await);
    let inbox = office
        .get("privacy", "/v1/privacy/inbox?kind=unverified")
        .await
        .json();
    let waiting = inbox["entries"].as_array().unwrap();
    assert_eq!(waiting.len(), 2, "the rule and the exception: {inbox}");
    for entry in waiting {
        let part = entry["consent"].as_str().unwrap();
        let verified = act(&office, "privacy", part, "verify", &json!({})).await;
        assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
    }
    assert_eq!(status(&office, &id).await, "active");
    assert!(is_told(&office, "calworks").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_learns_that_a_consent_was_filed() {
    let office = office().await;
    let id = filed(&office).await;
    let hidden = office.get("calworks", &format!("/fhir/Consent/{id}")).await;
    let unknown = office.get("calworks", "/fhir/Consent/c-0").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert_eq!(
        (hidden.status, &hidden.text),
        (unknown.status, &unknown.text)
    );
    assert_eq!(steady(&hidden.headers), steady(&unknown.headers));
    let history = office
        .get("calworks", &format!("/fhir/Consent/{id}/_history"))
        .await;
    assert_eq!(
        (history.status, &history.text),
        (unknown.status, &unknown.text)
    );
    let revoked = send(
        &office,
        "calworks",
        "/fhir/Consent/$revokeConsent",
        &revocation(&id, "mrn-1"),
    )
    .await;
    assert_eq!(revoked.status, StatusCode::NOT_FOUND);
    let none = office
        .get("calworks", "/fhir/Consent?status=proposed")
        .await
        .json();
    assert!(none["entry"].is_null(), "{none}");
    let own = office
        .get(
            "bh",
            "/fhir/Consent?status=proposed&patient=mrn-1&date=2026-02-02",
        )
        .await
        .json();
    assert_eq!(own["entry"][0]["resource"]["id"], json!(id), "{own}");
    let other = office
        .get("bh", "/fhir/Consent?controller=org-clinic")
        .await
        .json();
    assert!(other["entry"].is_null(), "{other}");
    assert_eq!(
        office.get("bh", "/fhir/Consent?color=red").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_is_taken_back_is_inactive_and_stays_readable() {
    let office = office().await;
    let id = filed(&office).await;
    for part in [id.clone(), format!("{id}~1")] {
        act(&office, "privacy", &part, "verify", &json!({})).await;
    }
    let other = send(
        &office,
        "bh",
        "/fhir/Consent/$revokeConsent",
        &revocation(&id, "mrn-2"),
    )
    .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "of another patient");
    let revoked = send(
        &office,
        "bh",
        "/fhir/Consent/$revokeConsent",
        &revocation(&id, "mrn-1"),
    )
    .await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    assert_eq!(revoked.json()["resourceType"], "OperationOutcome");
    assert_eq!(status(&office, &id).await, "inactive");
    assert!(!is_told(&office, "calworks").await);
    let history = office
        .get("bh", &format!("/fhir/Consent/{id}/_history"))
        .await
        .json();
    assert_eq!(
        history["entry"][0]["resource"]["status"], "inactive",
        "{history}"
    );
    assert_eq!(
        history["entry"][1]["resource"]["status"], "active",
        "{history}"
    );
    let twice = send(
        &office,
        "bh",
        "/fhir/Consent/$revokeConsent",
        &revocation(&id, "mrn-1"),
    )
    .await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_enforced_is_refused_with_the_path_of_each_element() {
    let office = office().await;
    let mut odd = permit();
    odd["action"] = json!([{ "coding": [{ "code": "access" }] }]);
    odd["provision"][0]["data"] =
        json!([{ "meaning": "instance", "reference": { "reference": "Observation/o-1" } }]);
    let refused = send(&office, "bh", "/fhir/Consent", &consent(&odd)).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.text
    );
    let issues = refused.json()["issue"].to_string();
    assert!(
        issues.contains("Consent.provision.action")
            && issues.contains("Consent.provision.provision[0].data[0].meaning"),
        "{issues}"
    );
    let stranger = json!({ "type": "deny", "actor": [actor("org-nobody-knows")] });
    let refused = send(&office, "bh", "/fhir/Consent", &consent(&stranger)).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.text
    );
    let mut unknown = consent(&permit());
    unknown["patient"] = json!({ "reference": "Patient/mrn-404" });
    unknown["performer"] = json!([unknown["patient"]]);
    let refused = send(&office, "bh", "/fhir/Consent", &unknown).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Another agency's client is as unknown as nobody's.
    unknown["patient"] = json!({ "reference": "Patient/91234567A" });
    unknown["performer"] = json!([unknown["patient"]]);
    let other = send(&office, "bh", "/fhir/Consent", &unknown).await;
    assert_eq!((other.status, other.text), (refused.status, refused.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_filed_with_its_document() {
    let office = office().await;
    // "%PDF-1.7 invented" in base64.
    let data = "JVBERi0xLjcgaW52ZW50ZWQ=";
    let document = |data: &str| {
        json!({ "name": "document", "resource": { "resourceType": "DocumentReference", "status": "current",
                "content": [{ "attachment": { "contentType": "application/pdf", "data": data } }] } })
    };
    let parameters = |data: &str| {
        json!({ "resourceType": "Parameters", "parameter": [
            { "name": "consent", "resource": consent(&permit()) }, document(data)] })
    };
    let odd = send(
        &office,
        "bh",
        "/fhir/Consent/$fileConsent",
        &parameters("bm8gZm9ybQ=="),
    )
    .await;
    assert_eq!(
        odd.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "{}",
        odd.text
    );
    let filed = send(
        &office,
        "bh",
        "/fhir/Consent/$fileConsent",
        &parameters(data),
    )
    .await;
    assert_eq!(filed.status, StatusCode::OK, "{}", filed.text);
    let found = office.get("bh", "/fhir/Consent").await.json();
    let id = found["entry"][0]["resource"]["id"].as_str().unwrap();
    let read = office
        .get("privacy", &format!("/v1/consents/{id}/document"))
        .await;
    assert_eq!(read.text, "%PDF-1.7 invented");
    assert_eq!(
        office
            .get("bh", &format!("/v1/consents/{id}/document"))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_consent_is_written_in_each_dialect_for_officers_and_unknown_to_systems() {
    let office = office().await;
    capture(&office, release("d-1", &json!({}))).await;
    act(&office, "privacy-second", "d-1", "verify", &json!({})).await;
    for (dialect, profile) in [
        ("r4", None),
        ("pcf", Some("IHE.PCF.consentAdvanced")),
        ("fast", Some("FASTConsent")),
    ] {
        let shown = office
            .get("privacy", &format!("/fhir/Consent/d-1?_dialect={dialect}"))
            .await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        let shown = shown.json();
        assert_eq!(shown["status"], "active");
        let profiles = shown["meta"]["profile"].to_string();
        assert!(
            profile.is_none_or(|profile| profiles.contains(profile)),
            "{profiles}"
        );
    }
    assert_eq!(
        office.get("bh", "/fhir/Consent/d-1").await.status,
        StatusCode::NOT_FOUND
    );
    capture(
        &office,
        release("d-2", &json!({ "expiry": { "event": "program exit" } })),
    )
    .await;
    let unsaid = office.get("privacy", "/fhir/Consent/d-2").await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unsaid.text.contains("expiry"), "{}", unsaid.text);
}
