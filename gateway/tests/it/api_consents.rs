//! The life of a consent: every move, its refusals, and what follows for those who ask.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::pipeline::expiries;

use crate::api_office::{Answer, Office, marisol, record_received};

/// The mother's release of what behavioural health knows to the two who ask.
pub(crate) fn release(id: &str, changes: &Value) -> Value {
    let mut release = json!({
        "id": id, "subject": "marisol", "signer": { "capacity": "self" },
        "form_template": { "id": "county-general-release", "version": "2026-1", "language": "en" },
        "method": "paper_scan", "effect": "permit",
        "categories": ["PERSON_INDEX", "CASH_AID", "MENTAL_HEALTH", "HEALTH_GENERAL"],
        "disclosers": { "named": ["org-calworks", "org-bh", "org-clinic"] },
        "recipients": { "named": ["org-calworks", "org-bh", "org-clinic"] },
        "purposes": ["COC"], "valid_from": "2026-02-02", "expiry": { "date": "2027-02-01" },
    });
    for (name, change) in changes.as_object().unwrap() {
        release[name] = change.clone();
    }
    release
}

/// An office in which two agencies know the mother.
pub(crate) async fn office() -> Office {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    office.record("bh", "mrn-1", &marisol()).await;
    office
}

pub(crate) async fn capture(office: &Office, directive: Value) -> Answer {
    let body = json!({ "directive": directive, "covers": [{ "system": "calworks-demo", "person": "91234567A" }] });
    office.post("privacy", "/v1/consents", &body).await
}

async fn active(office: &Office, id: &str, changes: &Value) {
    let captured = capture(office, release(id, changes)).await;
    assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
    let verified = act(office, "privacy-second", id, "verify", &json!({})).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
}

pub(crate) async fn act(office: &Office, who: &str, id: &str, what: &str, body: &Value) -> Answer {
    office
        .post(who, &format!("/v1/consents/{id}/{what}"), body)
        .await
}

async fn moved(office: &Office, who: &str, id: &str, to: &str) -> Answer {
    act(office, who, id, "state", &json!({ "to": to })).await
}

pub(crate) async fn state(office: &Office, id: &str) -> String {
    let shown = office
        .get("privacy", &format!("/v1/consents/{id}"))
        .await
        .json();
    shown["current"]["state"].as_str().unwrap().to_owned()
}

/// Whether a system is told that behavioural health knows the mother.
pub(crate) async fn is_told(office: &Office, who: &str) -> bool {
    let question = json!({ "person": marisol(), "purpose": "COC" });
    let answer = office.post(who, "/v1/match", &question).await.json();
    let matches = answer["matches"].as_array().unwrap();
    matches.iter().any(|one| one["system"] == "bh-demo")
}

async fn at(office: &Office, instant: &str) {
    let core = office.core();
    core.clock.set(instant.parse().unwrap());
    expiries::look(&core).await.unwrap();
    expiries::look(&core).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_goes_from_draft_to_force_and_is_held_back_reviewed_and_taken_for_an_error() {
    let office = office().await;
    let draft = capture(&office, release("d-1", &json!({ "state": "draft" }))).await;
    assert_eq!(draft.json()["state"], "draft");
    assert_eq!(
        moved(&office, "privacy", "d-1", "offered").await.status,
        StatusCode::OK
    );
    assert_eq!(
        moved(&office, "privacy", "d-1", "signed_unverified")
            .await
            .status,
        StatusCode::OK
    );
    assert!(
        !is_told(&office, "calworks").await,
        "nobody has verified it"
    );
    act(&office, "privacy-second", "d-1", "verify", &json!({})).await;
    assert!(is_told(&office, "calworks").await);

    assert_eq!(
        moved(&office, "privacy", "d-1", "suspended").await.status,
        StatusCode::OK
    );
    assert!(!is_told(&office, "calworks").await);
    let alone = moved(&office, "privacy", "d-1", "active").await;
    assert_eq!(
        alone.status,
        StatusCode::CONFLICT,
        "who captured it does not review it"
    );
    assert_eq!(
        moved(&office, "privacy-second", "d-1", "active")
            .await
            .status,
        StatusCode::OK
    );
    assert!(is_told(&office, "calworks").await);

    assert_eq!(
        moved(&office, "privacy", "d-1", "entered_in_error")
            .await
            .status,
        StatusCode::OK
    );
    assert!(!is_told(&office, "calworks").await);
    let back = moved(&office, "privacy-second", "d-1", "active").await;
    assert_eq!(back.status, StatusCode::CONFLICT);
    assert!(
        back.text
            .contains("entered_in_error does not become active"),
        "{}",
        back.text
    );
    assert_eq!(office.audited("consent.refused").await, 2);
    let shown = office.get("privacy", "/v1/consents/d-1").await.json();
    let states: Vec<&str> = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        ["draft", "offered", "active", "suspended", "active"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_no_is_recorded_and_closes_what_another_consent_opens() {
    let office = office().await;
    active(&office, "d-1", &json!({})).await;
    let offered = json!({ "state": "offered", "form_template": { "id": "county-other-form", "version": "1" } });
    capture(&office, release("d-2", &offered)).await;
    assert!(is_told(&office, "calworks").await);
    assert_eq!(
        moved(&office, "privacy", "d-2", "refused").await.status,
        StatusCode::OK
    );
    assert!(!is_told(&office, "calworks").await);
    let revoked = act(&office, "privacy", "d-2", "revoke", &json!({})).await;
    assert_eq!(
        revoked.status,
        StatusCode::CONFLICT,
        "a refusal is not revoked, another answer takes its place"
    );
    let step = json!({ "to": "superseded", "successor": "d-1" });
    let replaced = act(&office, "privacy", "d-2", "state", &step).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.text);
    assert!(is_told(&office, "calworks").await);
    let itself = json!({ "to": "superseded", "successor": "d-1" });
    assert_eq!(
        act(&office, "privacy", "d-1", "state", &itself)
            .await
            .status,
        StatusCode::CONFLICT
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_by_recipient_is_taken_back_in_every_consent_and_from_nobody_else() {
    let office = office().await;
    office.record("clinic", "pat-1", &marisol()).await;
    active(&office, "d-1", &json!({})).await;
    active(
        &office,
        "d-2",
        &json!({ "recipients": { "named": ["org-calworks"] } }),
    )
    .await;
    active(
        &office,
        "d-3",
        &json!({ "recipients": { "named": ["org-hmis"] } }),
    )
    .await;
    assert!(is_told(&office, "calworks").await && is_told(&office, "clinic").await);
    let body = json!({ "record": { "system": "bh-demo", "person": "mrn-1" },
                       "taken": { "recipients": ["org-calworks"], "channel": "oral" } });
    let answer = office
        .post("privacy", "/v1/consents/revocations", &body)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["consents"].as_array().unwrap().len(), 2);
    assert!(!is_told(&office, "calworks").await);
    assert!(is_told(&office, "clinic").await);
    let states = (
        state(&office, "d-1").await,
        state(&office, "d-2").await,
        state(&office, "d-3").await,
    );
    assert_eq!(states, ("active".into(), "revoked".into(), "active".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_by_source_is_not_told_by_that_source_alone() {
    let office = office().await;
    active(&office, "d-1", &json!({})).await;
    let taken = json!({ "disclosers": ["org-clinic"], "channel": "letter" });
    assert_eq!(
        act(&office, "privacy", "d-1", "revoke", &taken)
            .await
            .status,
        StatusCode::OK
    );
    assert!(is_told(&office, "calworks").await);
    let taken = json!({ "disclosers": ["org-bh"], "channel": "letter" });
    assert_eq!(
        act(&office, "privacy", "d-1", "revoke", &taken)
            .await
            .status,
        StatusCode::OK
    );
    assert!(!is_told(&office, "calworks").await);
    let elsewhere = json!({ "disclosers": ["org-hmis"], "channel": "letter" });
    assert_eq!(
        act(&office, "privacy", "d-1", "revoke", &elsewhere)
            .await
            .status,
        StatusCode::CONFLICT
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_for_a_later_day_opens_on_that_day() {
    let office = office().await;
    active(&office, "d-1", &json!({ "valid_from": "2026-02-10" })).await;
    assert!(!is_told(&office, "calworks").await);
    at(&office, "2026-02-09T23:59:59-08:00").await;
    assert_eq!(office.audited("consent.start").await, 0);
    at(&office, "2026-02-10T00:00:00-08:00").await;
    assert_eq!(office.audited("consent.start").await, 1);
    assert!(is_told(&office, "calworks").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_consent_is_announced_three_times_and_then_comes_without_grace() {
    let office = office().await;
    active(
        &office,
        "d-1",
        &json!({ "expiry": { "date": "2026-06-29" } }),
    )
    .await;
    at(&office, "2026-04-30T00:00:00-07:00").await;
    assert_eq!(state(&office, "d-1").await, "active");
    for (day, reminders) in [
        ("2026-05-01", 1),
        ("2026-05-31", 2),
        ("2026-06-23", 3),
        ("2026-06-29", 3),
    ] {
        at(&office, &format!("{day}T00:00:00-07:00")).await;
        assert_eq!(office.audited("consent.reminder").await, reminders, "{day}");
        assert_eq!(state(&office, "d-1").await, "expiring");
    }
    let inbox = office
        .get("privacy", "/v1/privacy/inbox?kind=expiring")
        .await
        .json();
    assert_eq!(inbox["entries"][0]["consent"], "d-1", "{inbox}");
    assert!(is_told(&office, "calworks").await);
    at(&office, "2026-06-30T00:00:00-07:00").await;
    assert_eq!(state(&office, "d-1").await, "expired");
    assert!(!is_told(&office, "calworks").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_until_program_exit_ends_when_the_source_tells_of_the_exit() {
    let office = office().await;
    active(
        &office,
        "d-1",
        &json!({ "expiry": { "event": "Program exit" } }),
    )
    .await;
    active(
        &office,
        "d-2",
        &json!({ "expiry": { "event": "Case closure" } }),
    )
    .await;
    let stay = json!([{
        "occurred_at": "2026-02-02T08:30:00-08:00", "source_event_id": "exit-1",
        "source_person_id": "91234567A", "type": "enrollment.ended",
        "payload": { "program": "calworks", "case": "case-1", "people": ["91234567A"], "status": "closed",
                     "from": "2026-01-05", "to": "2026-02-02" },
    }]);
    let answer = office.post("calworks", "/v1/events", &stay).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    assert_eq!(state(&office, "d-1").await, "expired");
    assert_eq!(state(&office, "d-2").await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teams_window_ends_after_thirty_days() {
    let office = office().await;
    active(
        &office,
        "d-1",
        &json!({ "expiry": { "event": "MDT 30 days" } }),
    )
    .await;
    at(&office, "2026-03-04T08:59:59-08:00").await;
    assert!(is_told(&office, "calworks").await);
    at(&office, "2026-03-04T09:00:00-08:00").await;
    assert_eq!(state(&office, "d-1").await, "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_death_permissions_wait_for_review_and_refusals_stand() {
    let office = office().await;
    active(&office, "d-1", &json!({})).await;
    let refusal = json!({ "effect": "deny", "categories": ["CASH_AID"] });
    capture(&office, release("d-2", &refusal)).await;
    let mut person = marisol();
    person["death"] = json!("2026-02-01");
    let mut event = record_received("91234567A", &person);
    event["source_event_id"] = json!("record-of-death");
    let answer = office.post("calworks", "/v1/events", &json!([event])).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    assert_eq!(state(&office, "d-1").await, "suspended");
    assert_eq!(state(&office, "d-2").await, "signed_unverified");
    assert!(!is_told(&office, "calworks").await);
    let inbox = office
        .get("privacy", "/v1/privacy/inbox?kind=suspended")
        .await
        .json();
    assert_eq!(inbox["entries"][0]["because"], "death", "{inbox}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_under_an_authority_that_ended_is_held_back() {
    let office = office().await;
    let guardian = json!({ "signer": { "capacity": "guardian" }, "authority_evidence": "letters" });
    active(&office, "d-1", &guardian).await;
    active(&office, "d-2", &json!({})).await;
    let body = json!({ "record": { "system": "calworks-demo", "person": "91234567A" }, "capacities": ["guardian"] });
    let answer = office
        .post("privacy", "/v1/consents/authority-ended", &body)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(state(&office, "d-1").await, "suspended");
    assert_eq!(state(&office, "d-2").await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signed_document_is_kept_by_hash_and_read_by_privacy_officers_alone() {
    let office = office().await;
    capture(&office, release("d-1", &json!({}))).await;
    let path = "/v1/consents/d-1/document";
    let pdf = "%PDF-1.7 an invented form".to_owned();
    let stored = office
        .send(
            "privacy",
            Method::POST,
            path,
            &[("content-type", "application/pdf")],
            Some(pdf.clone()),
        )
        .await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
    let hash = stored.json()["directive"]["source_document_hash"].clone();
    assert!(hash.as_str().unwrap().starts_with("sha256:"), "{hash}");
    let read = office.get("privacy-second", path).await;
    assert_eq!((read.status, &read.text), (StatusCode::OK, &pdf));
    assert_eq!(read.header("content-type"), "application/pdf");
    assert_eq!(office.audited("consent.document.read").await, 1);
    assert_eq!(
        office.get("auditor", path).await.status,
        StatusCode::FORBIDDEN
    );
    let page = Some("<html>no form</html>".to_owned());
    let wrong = office
        .send(
            "privacy",
            Method::POST,
            path,
            &[("content-type", "application/pdf")],
            page,
        )
        .await;
    assert_eq!(wrong.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    act(&office, "privacy-second", "d-1", "verify", &json!({})).await;
    let late = office
        .send("privacy", Method::POST, path, &[], Some(pdf))
        .await;
    assert_eq!(
        late.status,
        StatusCode::CONFLICT,
        "it was verified against the first"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn officers_find_what_waits_and_what_a_form_lacks() {
    let office = office().await;
    capture(
        &office,
        release("d-1", &json!({ "method": "verbal_with_witness" })),
    )
    .await;
    active(
        &office,
        "d-2",
        &json!({ "recipients": { "named": ["org-hmis"] } }),
    )
    .await;
    let inbox = office
        .get("privacy-second", "/v1/privacy/inbox")
        .await
        .json();
    let entries = inbox["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{inbox}");
    assert_eq!(
        (&entries[0]["kind"], &entries[0]["consent"]),
        (&json!("unverified"), &json!("d-1"))
    );

    let checked = office.get("privacy", "/v1/consents/d-1/check").await.json();
    let regimes = checked["regimes"].as_array().unwrap();
    let hipaa = regimes.iter().find(|one| one["regime"] == "hipaa").unwrap();
    assert_eq!(hipaa["is_satisfied"], false);
    assert!(
        hipaa["explanation"]["en"]
            .as_str()
            .unwrap()
            .contains("by word of mouth"),
        "{hipaa}"
    );

    let ids = |answer: Answer| -> Vec<Value> {
        let found = answer.json()["consents"].as_array().unwrap().clone();
        found.iter().map(|one| one["id"].clone()).collect()
    };
    let by_recipient = office
        .get("privacy", "/v1/consents?recipient=org-hmis")
        .await;
    assert_eq!(ids(by_recipient), ["d-2"]);
    let by_state = office
        .get("privacy", "/v1/consents?state=signed_unverified")
        .await;
    assert_eq!(ids(by_state), ["d-1"]);
    let body = json!({ "record": { "system": "calworks-demo", "person": "91234567A" }, "category": "CASH_AID" });
    assert_eq!(
        ids(office.post("privacy", "/v1/consents/search", &body).await).len(),
        2
    );
    let first = office.get("privacy", "/v1/consents?limit=1").await.json();
    let next = first["next"].as_str().unwrap();
    let second = office
        .get("privacy", &format!("/v1/consents?limit=1&after={next}"))
        .await
        .json();
    assert_ne!(first["consents"][0]["id"], second["consents"][0]["id"]);
    assert!(second["next"].is_null(), "{second}");
    let odd = office.get("privacy", "/v1/consents?state=asleep").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}
