//! What may never enter does not enter as JSON either: nothing of it is stored, and no sender lowers a mark.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::state::record::RecordDoc;
use tandem::store::EventState;
use tandem_mappings::model::id::RecordKey;
use tandem_mappings::model::person::PersonFlag;

use crate::api_office::{Office, marisol, person};

fn record(id: &str, person: &Value) -> Value {
    json!({
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": format!("record-{id}-2"),
        "source_person_id": id, "type": "record.received",
        "payload": { "record_kind": "Client", "person": person },
    })
}

fn sheltered() -> Value {
    let hidden = person("Unseena", "Hiddenfield", "1990-01-01", "99999999Z");
    let mut told = record("V-1", &hidden);
    told["category"] = json!("VSP_RECORD");
    told
}

async fn inputs(office: &Office) -> usize {
    let inputs = office.get("operator", "/v1/inputs").await.json();
    inputs["inputs"].as_array().unwrap().len()
}

async fn known(office: &Office, system: &str, person: &str) -> Option<RecordDoc> {
    let key = RecordKey {
        system: system.parse().unwrap(),
        person: person.parse().unwrap(),
    };
    let mut tx = office.core().store.snapshot().await.unwrap();
    tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_never_enters_is_cut_out_before_anything_is_stored() {
    let office = Office::open().await;
    let both = json!([record("91234567A", &marisol()), sheltered()]);
    let answer = office.post("calworks", "/v1/events", &both).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let receipt = answer.json();
    assert_eq!(receipt["refused"], 1, "{receipt}");
    office.settle().await;
    let id = receipt["input"].as_str().unwrap().parse().unwrap();
    let mut tx = office.core().store.snapshot().await.unwrap();
    let kept = String::from_utf8(tx.original(id).await.unwrap().unwrap()).unwrap();
    assert!(kept.contains("Marisol"), "the rest of the input is kept");
    assert!(!kept.contains("Unseena") && !kept.contains("V-1"), "{kept}");
    assert_eq!(tx.count_events(EventState::Applied).await.unwrap(), 1);
    assert!(known(&office, "calworks-demo", "V-1").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_of_nothing_but_such_records_leaves_no_trace() {
    let office = Office::open().await;
    let mut labelled = record("V-2", &marisol());
    labelled["labels"] = json!(["SSP"]);
    // It cannot be read as an event, and says all the same whose it is.
    let unreadable =
        json!({ "type": "record.received", "category": "VSP_RECORD", "payload": "Unseena" });
    for body in [json!([sheltered()]), json!([labelled]), json!([unreadable])] {
        let answer = office.post("calworks", "/v1/events", &body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("Unseena"), "{}", answer.text);
    }
    assert_eq!(inputs(&office).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_record_stays_sealed_for_whatever_is_pushed_about_it() {
    let office = Office::open().await;
    office.record("cws", "0Ab1CdE2fG", &marisol()).await;
    let sealed = json!([{
        "occurred_at": "2026-02-02T08:10:00-08:00", "source_event_id": "seal-1", "source_person_id": "0Ab1CdE2fG",
        "type": "record.sealed", "payload": { "record_kind": "Client", "reason": "sealed" },
    }]);
    assert_eq!(
        office.post("cws", "/v1/events", &sealed).await.status,
        StatusCode::ACCEPTED
    );
    office.settle().await;
    let before = inputs(&office).await;
    let membership = json!({
        "occurred_at": "2026-02-02T08:20:00-08:00", "source_event_id": "member-1",
        "type": "household.membership",
        "payload": { "person": "another", "relation": "child", "relative": "0Ab1CdE2fG" },
    });
    for told in [record("0Ab1CdE2fG", &marisol()), membership] {
        let answer = office.post("cws", "/v1/events", &json!([told])).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            answer.text
        );
    }
    let referral = json!({
        "referral": { "source_ref": "R-1" }, "target": { "service": "svc-counselling" }, "domain": "mental-health",
        "subjects": ["0Ab1CdE2fG"], "urgency": "routine",
    });
    let answer = office.post("cws", "/v1/referrals", &referral).await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert_eq!(inputs(&office).await, before);
    let record = known(&office, "cws-demo", "0Ab1CdE2fG").await.unwrap();
    assert!(!record.is_active() && record.person.names.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_victim_service_provider_enters_by_any_way() {
    let office = Office::of_victim_service("org-calworks").await;
    let event = json!([record("91234567A", &marisol())]);
    let answer = office.post("calworks", "/v1/events", &event).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    let query = json!({ "person": marisol(), "purpose": "COC" });
    let answer = office.post("calworks", "/v1/match", &query).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    let path = "/v1/inbox/calworks-demo/calworks/linkages";
    let body = Some("message_type\nnone\n".to_owned());
    let answer = office.send("calworks", Method::POST, path, &[], body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    office.drop_file("calworks-demo", "linkages-1.csv", b"message_type\nnone\n");
    let error = office.error_file("calworks-demo", "linkages-1.csv").await;
    assert!(error.contains("victim service provider"), "{error}");
    assert_eq!(inputs(&office).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cannot_take_a_mark_off_a_person() {
    let office = Office::open().await;
    let mut marked = marisol();
    marked["flags"] = json!(["sensitive"]);
    let mut unmarked = marked.clone();
    unmarked["flags"] = json!([]);
    // Both in one input, before anything of it has taken effect.
    let mut first = record("0Zz1CdE2fG", &marked);
    first["source_event_id"] = json!("first");
    let both = json!([first, record("0Zz1CdE2fG", &unmarked)]);
    office.post("cws", "/v1/events", &both).await;
    office.settle().await;
    let fresh = known(&office, "cws-demo", "0Zz1CdE2fG").await.unwrap();
    assert_eq!(fresh.person.flags, [PersonFlag::Sensitive]);
    office.record("cws", "0Ab1CdE2fG", &marked).await;
    let mut other = record("0Ab1CdE2fG", &marisol());
    other["source_event_id"] = json!("in-the-same-breath");
    let mut marked_too = record("0Ab1CdE2fG", &marked);
    marked_too["source_event_id"] = json!("marked-again");
    let again = json!([marked_too, other, record("0Ab1CdE2fG", &marisol())]);
    assert_eq!(
        office.post("cws", "/v1/events", &again).await.status,
        StatusCode::ACCEPTED
    );
    office.settle().await;
    let record = known(&office, "cws-demo", "0Ab1CdE2fG").await.unwrap();
    assert_eq!(record.person.flags, [PersonFlag::Sensitive]);
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_only_the_gateway_its_staff_or_a_data_owner_write_are_refused() {
    let office = Office::open().await;
    let uuid = "018f0000-0000-7000-8000-000000000000";
    let forged = [
        (
            "referral.timer",
            json!({ "referral": { "id": uuid }, "timer": "decision", "due": "2026-02-02T08:00:00Z", "expired": true }),
        ),
        (
            "delivery.acknowledged",
            json!({ "message": uuid, "target": "cws-demo", "attempt": 1 }),
        ),
        (
            "careteam.member",
            json!({ "episode": uuid, "organization": "org-cws", "role": "lead" }),
        ),
        (
            "indicator.reported",
            json!({ "indicator": "UN-1", "numerator": 5, "from": "2026-01-01", "to": "2026-03-31", "source": "me" }),
        ),
    ];
    for (number, (kind, payload)) in forged.into_iter().enumerate() {
        let told = json!([{
            "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": format!("forged-{number}"),
            "type": kind, "payload": payload,
        }]);
        let answer = office.post("calworks", "/v1/events", &told).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{kind}: {}",
            answer.text
        );
        assert_eq!(
            answer.json()["deviations"][0]["code"],
            "not-a-systems-event",
            "{kind}"
        );
    }
    for prefix in ["link.", "person.", "consent.", "disclosure."] {
        // A payload of another shape is no event at all: neither takes effect.
        let told = json!([{
            "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": prefix,
            "type": format!("{prefix}linked"), "payload": {},
        }]);
        let answer = office.post("calworks", "/v1/events", &told).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{prefix}");
    }
    let mut tx = office.core().store.snapshot().await.unwrap();
    for state in [EventState::Applied, EventState::Waiting, EventState::Parked] {
        assert_eq!(tx.count_events(state).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_larger_than_allowed_is_put_aside_unread_with_the_limit() {
    let office = Office::with("limits = { input_bytes = \"1 KiB\" }").await;
    office.drop_file("calworks-demo", "linkages-9.csv", &[b'x'; 1_025]);
    let error = office.error_file("calworks-demo", "linkages-9.csv").await;
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["error"], "too-large");
    assert!(
        error["expected"].as_str().unwrap().contains("1 KiB"),
        "{error}"
    );
    assert_eq!(inputs(&office).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_kind_or_packed_for_the_way_is_refused_with_415() {
    let office = Office::open().await;
    let inbox = "/v1/inbox/cws-demo/child-welfare/niem";
    let cases = [
        (inbox, "content-type", "image/png"),
        (inbox, "content-encoding", "gzip"),
        ("/v1/events", "content-type", "text/html"),
        ("/v1/events", "content-encoding", "br"),
        ("/v1/match", "content-type", "application/xml"),
        ("/v1/referrals", "content-type", "text/csv"),
    ];
    for (path, header, value) in cases {
        let body = Some("[]".to_owned());
        let answer = office
            .send("cws", Method::POST, path, &[(header, value)], body)
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{path} {value}: {}",
            answer.text
        );
        assert_eq!(
            answer.json()["type"],
            "urn:tandem:problem:unsupported-media-type"
        );
    }
    assert_eq!(inputs(&office).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_no_event_has_is_not_ignored() {
    let office = Office::open().await;
    let mut told = record("91234567A", &marisol());
    told["label"] = json!(["HIV"]);
    let answer = office.post("calworks", "/v1/events", &json!([told])).await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert!(answer.text.contains("unknown-field"), "{}", answer.text);
    assert!(known(&office, "calworks-demo", "91234567A").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_too_much_waits_a_sender_is_told_to_come_back_and_nothing_is_stored() {
    let office =
        Office::with("limits = { requests_per_second = 1000, burst = 1000, waiting_events = 0 }")
            .await;
    let core = office.core();
    let waits = json!({ "program": "calworks", "case": "C-1", "people": [] });
    let body =
        tandem_mappings::model::event::Body::CaseOpened(serde_json::from_value(waits).unwrap());
    let mut tx = core.store.begin().await.unwrap();
    let now = core.clock.now();
    let event = core.own_event(&tx, &core.gateway, body, now, now).unwrap();
    // Nobody is woken: it waits.
    tx.append_event(&event, None, EventState::Waiting)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let told = json!([record("91234567A", &marisol())]);
    let refused = office.post("calworks", "/v1/events", &told).await;
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        refused.text
    );
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(inputs(&office).await, 0);
    core.wake();
    office.settle().await;
    let accepted = office.post("calworks", "/v1/events", &told).await;
    assert!(accepted.status.is_success(), "{}", accepted.text);
    office.settle().await;
    assert!(known(&office, "calworks-demo", "91234567A").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_takes_the_room_of_all_its_events() {
    let office = Office::open().await;
    let people = (0..70).map(|number| record(&format!("9{number:07}A"), &marisol()));
    let people: serde_json::Value = people.collect();
    let accepted = office.post("calworks", "/v1/events", &people).await;
    assert!(accepted.status.is_success(), "{}", accepted.text);
    let room = office
        .core()
        .room
        .load(std::sync::atomic::Ordering::Acquire);
    assert_eq!(room, 0, "it is counted anew before more comes in");
}
