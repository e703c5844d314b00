//! What is deleted by its id alone takes effect where the id is known, and leaves nothing behind where it is not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::state::involvement::InvolvementDoc;
use tandem::state::referral::ReferralDoc;
use tandem::store::EventState;
use tandem_mappings::model::referral::ReferralStatus;

use crate::api_office::{Office, marisol};
use crate::api_referrals::{referred, request};

const PERSON: &str = "91234567A";
const AT: &str = "2026-02-02T08:00:00-08:00";

fn stay(id: &str, kind: &str, payload: &Value) -> Value {
    json!({ "occurred_at": AT, "source_event_id": id, "type": kind, "payload": payload })
}

fn entered() -> Value {
    let payload = json!({
        "program": "calworks", "case": "S-1", "people": [PERSON], "status": "open", "from": "2026-01-12",
        "project": "P-1",
    });
    let mut told = stay("S-1:active", "enrollment.active", &payload);
    told["source_person_id"] = json!(PERSON);
    told["category"] = json!("RHY_RECORD");
    told
}

fn left() -> Value {
    let payload = json!({
        "program": "calworks", "case": "S-1", "people": [PERSON], "status": "closed", "to": "2026-01-30",
        "project": "P-1",
    });
    let mut told = stay("S-1:ended", "enrollment.ended", &payload);
    told["source_person_id"] = json!(PERSON);
    told["category"] = json!("RHY_RECORD");
    told
}

fn stay_gone() -> Value {
    let payload =
        json!({ "program": "calworks", "case": "S-1", "people": [], "status": "deleted" });
    stay("S-1:deleted:a", "enrollment.ended", &payload)
}

fn end_gone() -> Value {
    let payload = json!({ "program": "calworks", "case": "S-1", "people": [], "status": "open" });
    stay("X-1:reopened:a", "enrollment.active", &payload)
}

fn record() -> Value {
    json!({
        "occurred_at": AT, "source_event_id": "record", "source_person_id": PERSON, "type": "record.received",
        "payload": { "record_kind": "Client", "person": marisol() },
    })
}

fn referral_gone() -> Value {
    let payload = json!({
        "referral": { "source_ref": "R-204", "target_ref": "R-204" }, "status": "cancelled", "reason": "duplicate",
        "role": "source",
    });
    stay("R-204:cancelled:a", "referral.cancelled", &payload)
}

async fn tell(office: &Office, events: &[Value]) {
    let answer = office.post("calworks", "/v1/events", &json!(events)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
}

async fn known_stay(office: &Office) -> Option<InvolvementDoc> {
    let system = "calworks-demo".parse().unwrap();
    let mut tx = office.core().store.snapshot().await.unwrap();
    let key = InvolvementDoc::key_of(&system, "S-1");
    tx.get::<InvolvementDoc>(&key).await.unwrap()
}

async fn status(office: &Office) -> Option<ReferralStatus> {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let known = tx.all::<ReferralDoc>().await.unwrap();
    known.first().and_then(|known| known.state.status())
}

/// Events in any state.
async fn kept(office: &Office) -> i64 {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let mut count = 0;
    for state in [
        EventState::Staged,
        EventState::Waiting,
        EventState::Applied,
        EventState::Deferred,
        EventState::Refused,
        EventState::Parked,
    ] {
        count += tx.count_events(state).await.unwrap();
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_stay_that_is_deleted_by_id_ends_and_keeps_what_was_known_of_it() {
    let office = Office::open().await;
    tell(&office, &[record(), entered()]).await;
    let before = known_stay(&office).await.unwrap();
    tell(&office, &[stay_gone()]).await;
    let after = known_stay(&office).await.unwrap();
    assert!(!after.is_open);
    assert_eq!(after.told.status.as_deref(), Some("deleted"));
    assert_eq!(after.told.people, before.told.people);
    assert_eq!(after.told.project.as_deref(), Some("P-1"));
    assert_eq!(after.told.from, before.told.from);
    assert_eq!(
        after.sensitivity, before.sensitivity,
        "no mark of the stay is lowered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_stay_whose_end_is_deleted_by_id_is_open_again_unless_it_was_deleted_itself() {
    let office = Office::open().await;
    tell(&office, &[record(), entered()]).await;
    tell(&office, &[left()]).await;
    assert!(!known_stay(&office).await.unwrap().is_open);
    tell(&office, &[end_gone()]).await;
    let reopened = known_stay(&office).await.unwrap();
    assert!(reopened.is_open);
    assert_eq!(reopened.told.to, None);
    assert_eq!(reopened.told.project.as_deref(), Some("P-1"));
    tell(&office, &[stay_gone()]).await;
    let mut again = end_gone();
    again["source_event_id"] = json!("X-1:reopened:b");
    tell(&office, &[again]).await;
    assert!(!known_stay(&office).await.unwrap().is_open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_by_an_id_never_seen_leaves_nothing() {
    let office = Office::open().await;
    for told in [stay_gone(), end_gone(), referral_gone()] {
        tell(&office, std::slice::from_ref(&told)).await;
        assert_eq!(kept(&office).await, 0, "{told}");
    }
    assert!(known_stay(&office).await.is_none());
    assert_eq!(office.audited("event.parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_by_an_id_never_seen_is_forgotten_at_its_turn_with_its_key() {
    let office = Office::open().await;
    // What comes in the same input may be about the id, so that all of it waits for its turn.
    tell(
        &office,
        &[record(), stay_gone(), end_gone(), referral_gone()],
    )
    .await;
    assert_eq!(kept(&office).await, 1, "only the record is kept");
    assert!(known_stay(&office).await.is_none());
    tell(&office, &[entered()]).await;
    tell(&office, &[stay_gone()]).await;
    let stay = known_stay(&office).await.unwrap();
    assert!(
        !stay.is_open,
        "the repeat is no repeat of what was forgotten"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_that_is_deleted_in_the_input_that_opens_it_is_not_forgotten() {
    let office = Office::open().await;
    tell(&office, &[record(), entered(), stay_gone()]).await;
    assert!(!known_stay(&office).await.unwrap().is_open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_referral_that_is_deleted_by_id_is_cancelled() {
    let office = Office::open().await;
    referred(&office).await;
    assert_eq!(status(&office).await, Some(ReferralStatus::Requested));
    tell(&office, &[referral_gone()]).await;
    assert_eq!(status(&office).await, Some(ReferralStatus::Cancelled));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deletion_of_a_request_that_is_parked_is_kept_with_it() {
    let office = Office::open().await;
    let mut asked = json!({
        "occurred_at": AT, "source_event_id": "R-204:requested", "type": "referral.requested",
        "source_person_id": PERSON,
    });
    asked["payload"] = request("R-204");
    tell(&office, &[asked]).await;
    tell(&office, &[referral_gone()]).await;
    let mut tx = office.core().store.snapshot().await.unwrap();
    assert_eq!(tx.count_events(EventState::Parked).await.unwrap(), 2);
}
