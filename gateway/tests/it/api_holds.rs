//! Legal holds keep what they name, permit nothing, and end.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::state::directive::DirectiveDoc;
use tandem::state::disclosure::DisclosureDoc;
use tandem::state::record::RecordDoc;
use tandem::state::referral::ReferralDoc;
use tandem::store::Shelf;

use crate::api_office::{Office, marisol, person};
use crate::api_retention::{LATER, at, counts, over, run, run_to_the_end, verified};

pub(crate) async fn hold(office: &Office, scope: &Value) -> String {
    let mut body = scope.clone();
    body["reason"] = json!("preservation letter 2026-14");
    let placed = office.post("privacy", "/v1/holds", &body).await;
    assert_eq!(placed.status, StatusCode::CREATED, "{}", placed.text);
    assert_eq!(placed.json()["is_known"], true, "{}", placed.text);
    placed.json()["id"].as_str().unwrap().to_owned()
}

/// Everything that stands of the one person: records, consents, copies, decisions, events, originals.
async fn standing(office: &Office) -> Vec<u64> {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let mut standing = vec![
        tx.all::<RecordDoc>().await.unwrap().len() as u64,
        tx.all::<DirectiveDoc>().await.unwrap().len() as u64,
        tx.all::<DisclosureDoc>().await.unwrap().len() as u64,
    ];
    for shelf in [
        Shelf::Decisions,
        Shelf::Events,
        Shelf::Inputs,
        Shelf::Messages,
    ] {
        standing.push(tx.standing(shelf).await.unwrap().0);
    }
    standing
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_a_record_keeps_everything_about_the_person_until_it_is_released() {
    let office = over().await;
    let record = json!({ "record": { "system": "calworks-demo", "person": "91234567A" } });
    let id = hold(&office, &record).await;
    at(&office, LATER).await;
    let before = standing(&office).await;
    let done = run(&office, "confirm").await;
    assert_eq!(counts(&done, "disposed").get("people"), None);
    for kind in [
        "people",
        "consents",
        "deliveries",
        "decisions",
        "originals",
        "referrals",
    ] {
        assert!(counts(&done, "held").contains_key(kind), "{kind}: {done}");
    }
    run_to_the_end(&office).await;
    let after = standing(&office).await;
    // Events and recalls that name nobody may go; whatever is about the person stays.
    for place in [0, 1, 2, 3, 5] {
        assert_eq!(after[place], before[place], "{before:?} {after:?}");
    }
    let report = verified(&office).await;
    assert!(report.is_sound(), "{report}");

    let path = format!("/v1/holds/{id}/release");
    let no_reason = office
        .post("privacy", &path, &json!({ "reason": " " }))
        .await;
    assert_eq!(
        no_reason.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        no_reason.text
    );
    let body = json!({ "reason": "case closed" });
    assert_eq!(
        office.post("privacy", &path, &body).await.status,
        StatusCode::OK
    );
    assert_eq!(
        office.post("privacy", &path, &body).await.status,
        StatusCode::CONFLICT
    );
    run_to_the_end(&office).await;
    assert_eq!(standing(&office).await[..4], [0, 0, 0, 0]);
    assert_eq!(office.audited("hold.place").await, 1);
    assert_eq!(office.audited("hold.release").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_an_organization_or_a_case_keeps_what_is_theirs() {
    for scope in ["organization", "case"] {
        let office = over().await;
        let mut tx = office.core().store.snapshot().await.unwrap();
        let referral = tx.all::<ReferralDoc>().await.unwrap().remove(0);
        drop(tx);
        let body = match scope {
            "case" => json!({ "case": referral.id.to_string() }),
            _ => json!({ "organization": "org-calworks" }),
        };
        hold(&office, &body).await;
        at(&office, LATER).await;
        let before = standing(&office).await;
        run_to_the_end(&office).await;
        let after = standing(&office).await;
        for place in [0, 1, 2, 3, 5] {
            assert_eq!(after[place], before[place], "{scope}: {before:?} {after:?}");
        }
        let mut tx = office.core().store.snapshot().await.unwrap();
        assert!(
            tx.get::<ReferralDoc>(&referral.id.to_string())
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_record_that_its_source_seals_keeps_its_bytes_and_is_told_to_nobody() {
    let office = over().await;
    let record = json!({ "record": { "system": "calworks-demo", "person": "91234567A" } });
    hold(&office, &record).await;
    let sealed = json!([{
        "occurred_at": "2027-02-03T08:00:00-08:00", "source_event_id": "sealed-1",
        "source_person_id": "91234567A", "type": "record.sealed",
        "payload": { "record_kind": "Client", "reason": "sealed by court" },
    }]);
    let answer = office.post("calworks", "/v1/events", &sealed).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    at(&office, LATER).await;
    run_to_the_end(&office).await;
    let core = office.core();
    let mut tx = core.store.snapshot().await.unwrap();
    let events = tx.events_after(0, 1_000).await.unwrap();
    let received = events
        .iter()
        .find(|one| one.event.told.body.event_type() == "record.received");
    let told = serde_json::to_string(&received.unwrap().event).unwrap();
    assert!(
        told.contains("Demofield"),
        "the event says what the record said"
    );
    drop(tx);
    let question = json!({ "person": marisol(), "purpose": "COC" });
    let answer = office.post("cws", "/v1/match", &question).await;
    let unknown = person("Nobody", "Inventedfield", "1990-01-01", "98765432A");
    let question = json!({ "person": unknown, "purpose": "COC" });
    assert_eq!(
        answer.text,
        office.post("cws", "/v1/match", &question).await.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_names_one_thing_and_its_reason_and_others_read_nothing_of_it() {
    let office = Office::open().await;
    let reason = json!("letter");
    for body in [
        json!({ "reason": reason }),
        json!({ "reason": reason, "case": "c-1", "organization": "org-cws" }),
        json!({ "reason": "", "case": "c-1" }),
        json!({ "reason": reason, "case": "" }),
    ] {
        let refused = office.post("privacy", "/v1/holds", &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let body = json!({ "reason": reason, "record": { "system": "cws-demo", "person": "nobody" } });
    let placed = office.post("privacy", "/v1/holds", &body).await;
    assert_eq!(placed.status, StatusCode::CREATED);
    assert_eq!(
        placed.json()["is_known"],
        false,
        "what is not known yet may be held"
    );
    let list = office.get("auditor", "/v1/holds").await.json();
    assert_eq!(list["holds"][0]["person"], "nobody");
    assert_eq!(
        office.get("operator", "/v1/holds").await.status,
        StatusCode::FORBIDDEN
    );
    let released = office
        .get("auditor", "/v1/holds?standing=released")
        .await
        .json();
    assert_eq!(released["holds"], json!([]));
    let audit = office.get("auditor", "/v1/audit").await.text;
    assert!(!audit.contains("nobody"), "the audit names nobody");
    let metrics = office.get("operator", "/metrics").await.text;
    assert!(!metrics.contains("nobody"));
}
