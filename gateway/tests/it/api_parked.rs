//! An event that can never take effect is given up by an operator, for a reason, and taken up again when that was wrong.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use serde_json::{Value, json};
use tandem::store::EventState;

use crate::api_lanes::command;
use crate::api_office::{Office, marisol};
use crate::api_replays::early;

/// An event is parked. Returns its position.
async fn parked(office: &Office) -> i64 {
    early(office, "early").await;
    let events = listed(office, &[]).await;
    events[0]["position"].as_i64().unwrap()
}

async fn listed(office: &Office, options: &[&str]) -> Vec<Value> {
    let told = command(office, &[&["events", "--json"], options].concat()).await;
    assert_eq!(told.code, 0, "{told:?}");
    told.json()["events"].as_array().unwrap().clone()
}

async fn replayed(office: &Office) -> Value {
    let told = command(office, &["replay", "events", "--dry-run", "--json"]).await;
    told.json()["selected"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_given_up_is_listed_no_longer_and_can_be_taken_up_again() {
    let office = Office::open().await;
    let position = parked(&office).await.to_string();
    let before = listed(&office, &[]).await;
    assert_eq!(before[0]["system"], "cws-demo");
    assert_eq!(before[0]["type"], "referral.accepted");
    assert_eq!(replayed(&office).await, 1);

    let position = position.as_str();
    let reason = "told by mistake";
    let give_up = ["event", "give-up", position, "--reason", reason];
    let told = command(&office, &give_up).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert!(listed(&office, &[]).await.is_empty());
    assert_eq!(replayed(&office).await, 0);
    let aside = listed(&office, &["--given-up"]).await;
    let note = aside[0]["note"].as_str().unwrap();
    assert!(note.ends_with("; given up: told by mistake"), "{note}");
    assert_eq!(office.audited("event.given-up").await, 1);
    // Once.
    let again = command(&office, &give_up).await;
    assert_ne!(again.code, 0, "{again:?}");

    let taken_up = ["event", "take-up", position];
    let told = command(&office, &taken_up).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(listed(&office, &[]).await, before);
    assert!(listed(&office, &["--given-up"]).await.is_empty());
    assert_eq!(replayed(&office).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_referral_is_not_given_up_before_its_sender_knows() {
    let office = Office::open().await;
    // Nobody has told of this person.
    let told = json!([{
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": "asked", "source_person_id": "P-404",
        "type": "referral.requested",
        "payload": {
            "referral": { "source_ref": "R-1" }, "target": { "service": "svc-shelter-bed" }, "domain": "shelter",
            "subjects": ["P-404"], "urgency": "routine",
        },
    }]);
    let answer = office.post("calworks", "/v1/events", &told).await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.text);
    office.settle().await;
    let asked = listed(&office, &[]).await;
    assert_eq!(asked[0]["type"], "referral.requested");
    let position = asked[0]["position"].to_string();
    let give_up = ["event", "give-up", &position, "--reason", "told by mistake"];
    let told = command(&office, &give_up).await;
    assert_ne!(told.code, 0, "{told:?}");
    assert_eq!(listed(&office, &[]).await, asked);
    let give_up = [&give_up[..], &["--sender-knows"]].concat();
    let told = command(&office, &give_up).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert!(listed(&office, &[]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_wait_is_not_given_up_and_nothing_is_without_a_reason() {
    let office = Office::open().await;
    let position = parked(&office).await;
    let give_up = |position: i64| format!("/v1/events/{position}/give-up");
    let because = json!({ "reason": "told by mistake" });
    for (path, body, expected) in [
        (give_up(position), json!({ "reason": " " }), 422),
        (give_up(position + 1_000), because.clone(), 404),
        (format!("/v1/events/{position}/take-up"), json!({}), 404),
    ] {
        let answer = office.post("operator", &path, &body).await;
        assert_eq!(answer.status.as_u16(), expected, "{path}: {}", answer.text);
    }
    assert_eq!(listed(&office, &[]).await.len(), 1);
    let metrics = office.get("operator", "/metrics").await.text;
    assert!(metrics.contains("\ntandem_events_parked 1\n"), "{metrics}");
}

/// Lets the records that were told wait once more, the second of them altered by a hand in the database.
async fn altered(office: &Office) {
    let file = office.folder().join("data/tandem.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let second = "SELECT position FROM event WHERE type = 'record.received' ORDER BY position LIMIT 1 OFFSET 1";
    for statement in [
        format!(
            "UPDATE event SET sealed = (SELECT sealed FROM event WHERE type = 'record.received' ORDER BY position LIMIT 1) \
             WHERE position = ({second})"
        ),
        "UPDATE event SET state = 'waiting', applied = NULL WHERE type = 'record.received'"
            .to_owned(),
    ] {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement));
        assert!(done.execute(&pool).await.unwrap().rows_affected() > 0);
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_open_is_parked_and_those_after_it_take_effect() {
    let office = Office::open().await;
    for id in ["91234567A", "91234567B", "91234567C"] {
        office.record("calworks", id, &marisol()).await;
    }
    altered(&office).await;
    office.settle().await;
    let mut tx = office.core().store.snapshot().await.unwrap();
    let parked = tx.events_aside(EventState::Parked, 10).await.unwrap();
    assert_eq!(parked.len(), 1, "{parked:?}");
    let note = &parked[0].note;
    assert!(note.starts_with("it does not open: "), "{note}");
    drop(tx);
    assert_eq!(office.audited("event.parked").await, 1);
}
