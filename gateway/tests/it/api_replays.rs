//! Replay: which messages are chosen, that the counts add up, and that it can end between two parts.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::net::TcpListener;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::{OutboxRow, OutboxState};
use tandem_mappings::model::id::{DecisionId, MessageId};

use crate::api_lanes::command;
use crate::api_office::Office;
use crate::api_referrals::{asked, referred};
use crate::cli_program::tandem;

/// Child welfare takes its messages at this address; an attempt that fails is the last.
async fn pushing_to(port: u16) -> Office {
    Office::changed(|_, text| {
        let text = text.replace(
            "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }",
            &format!("push = {{ url = \"http://127.0.0.1:{port}/\" }}"),
        );
        format!("delivery = {{ attempts = 1 }}\n{text}")
    })
    .await
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Takes whatever is posted there from now on.
async fn take_all(port: u16) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .unwrap();
    let app = axum::Router::new().fallback(|| async { "" });
    tokio::spawn(async move { axum::serve(listener, app).await });
}

async fn replay(office: &Office, body: &Value) -> Value {
    let answer = office.post("operator", "/v1/replays", body).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let mut replay = answer.json();
    while replay["is_done"] == false {
        replay = go_on(office, &replay).await;
    }
    replay
}

async fn go_on(office: &Office, replay: &Value) -> Value {
    let path = format!("/v1/replays/{}/continue", replay["id"].as_str().unwrap());
    let answer = office.post("operator", &path, &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

async fn shown(office: &Office, replay: &Value) -> Value {
    let path = format!("/v1/replays/{}", replay["id"].as_str().unwrap());
    office.get("operator", &path).await.json()
}

/// Selected, queued, delivered, failed and skipped; the last four add up to the first.
fn counts(replay: &Value) -> [i64; 5] {
    let names = ["selected", "queued", "delivered", "failed", "skipped"];
    let counts = names.map(|name| replay[name].as_i64().unwrap());
    assert_eq!(counts[0], counts[1..].iter().sum::<i64>(), "{replay}");
    counts
}

/// Messages that stand in a lane as if they had got there, in this order.
async fn put(office: &Office, lane: &str, rows: &[(OutboxState, &str, &str)]) -> Vec<MessageId> {
    let core = office.core();
    let mut tx = core.store.begin().await.unwrap();
    let mut ids = Vec::new();
    for (number, (state, created_at, note)) in rows.iter().enumerate() {
        let at = created_at.parse().unwrap();
        let row = OutboxRow {
            id: MessageId(uuid::Uuid::now_v7()),
            position: 0,
            lane: lane.to_owned(),
            case_key: tx.mac("case", &format!("case-{number}")).unwrap().to_vec(),
            kind: "referral".to_owned(),
            state: *state,
            attempts: 0,
            due_at: at,
            created_at: at,
            changed_at: at,
            decision: DecisionId(uuid::Uuid::now_v7()),
            file: None,
            is_handed: false,
            fault: Some("partner".to_owned()),
            note: Some((*note).to_owned()),
            content: b"{}".to_vec(),
            trace: None,
        };
        tx.add_outbox(&row).await.unwrap();
        assert!(tx.move_outbox(&row, *state, at).await.unwrap());
        ids.push(row.id);
    }
    tx.commit().await.unwrap();
    ids
}

async fn pause(office: &Office, lane: &str) {
    let why = json!({ "reason": "the test looks at what waits" });
    let path = format!("/v1/lanes/{lane}/pause");
    assert_eq!(
        office.post("operator", &path, &why).await.status,
        StatusCode::OK
    );
}

async fn queued(office: &Office) -> Vec<MessageId> {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let rows = tx.outbox_in(&[OutboxState::Queued]).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_is_counted_first_and_then_delivered() {
    let port = free_port();
    let office = pushing_to(port).await;
    asked(&office).await;
    let row = office.message("cws-demo", OutboxState::Parked).await;
    let conditions = "destination=cws-demo,error=network";
    let dry = command(
        &office,
        &["replay", "--where", conditions, "--dry-run", "--json"],
    )
    .await;
    assert_eq!(
        (dry.code, counts(&dry.json())),
        (0, [1, 1, 0, 0, 0]),
        "{dry:?}"
    );
    office.message("cws-demo", OutboxState::Parked).await;
    assert_eq!(office.audited("replay.start").await, 0);
    take_all(port).await;
    let told = command(&office, &["replay", "--where", conditions, "--json"]).await;
    assert_eq!(told.code, 0, "{told:?}");
    let delivered = office.message("cws-demo", OutboxState::Acknowledged).await;
    assert_eq!(delivered.id, row.id);
    let replay = shown(&office, &told.json()).await;
    assert_eq!(counts(&replay), [1, 0, 1, 0, 0], "{replay}");
    assert_eq!(
        (
            office.audited("replay.start").await,
            office.audited("replay.end").await
        ),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_no_longer_be_told_is_not_told_by_a_replay() {
    let port = free_port();
    let office = pushing_to(port).await;
    asked(&office).await;
    office.message("cws-demo", OutboxState::Parked).await;
    take_all(port).await;
    let taken_back = json!({ "categories": [], "channel": "telephone" });
    let revoked = office
        .post("privacy", "/v1/consents/consent-1/revoke", &taken_back)
        .await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text);
    let replay = replay(&office, &json!({ "where": { "destination": "cws-demo" } })).await;
    if replay["selected"] == 1 {
        office.message("cws-demo", OutboxState::Withdrawn).await;
        assert_eq!(counts(&shown(&office, &replay).await), [1, 0, 0, 1, 0]);
    } else {
        // The revocation had withdrawn it already.
        office.message("cws-demo", OutboxState::Withdrawn).await;
        assert_eq!(counts(&replay), [0; 5]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_is_sent_again_only_when_asked_and_under_its_own_id() {
    let office = Office::open().await;
    referred(&office).await;
    let row = office.message("cws-demo", OutboxState::Delivered).await;
    let parked_alone = replay(&office, &json!({ "where": { "destination": "cws-demo" } })).await;
    assert_eq!(counts(&parked_alone), [0; 5]);
    pause(&office, "cws-demo").await;
    let all = json!({ "where": { "destination": "cws-demo", "delivered": true } });
    let replay = replay(&office, &all).await;
    assert_eq!(counts(&replay), [1, 1, 0, 0, 0], "{replay}");
    office
        .post("operator", "/v1/lanes/cws-demo/resume", &json!({}))
        .await;
    office.message("cws-demo", OutboxState::Delivered).await;
    let message = office
        .get("operator", &format!("/v1/messages/{}", row.id))
        .await
        .json();
    let steps = message["timeline"].as_array().unwrap();
    assert_eq!(
        steps
            .iter()
            .filter(|step| step["step"] == "attempted")
            .count(),
        2,
        "{message}"
    );
    assert_eq!(counts(&shown(&office, &replay).await), [1, 0, 1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_cannot_tell_a_repeat_gets_none() {
    let office = Office::changed(|_, text| {
        format!(
            "{text}\n[systems.hmis-demo]\norganization = \"org-hmis\"\nprogram = \"housing\"\noutput = \"hmis/csv\"\n\
             folder = {{ path = \"exchange/hmis-demo\", poll_ms = 20 }}\n"
        )
    })
    .await;
    let at = "2026-02-02T17:00:00Z";
    pause(&office, "hmis-demo").await;
    let states = [OutboxState::Delivered, OutboxState::Parked];
    let ids = put(
        &office,
        "hmis-demo",
        &states.map(|state| (state, at, "lost")),
    )
    .await;
    let all = json!({ "where": { "destination": "hmis-demo", "delivered": true } });
    let replay = replay(&office, &all).await;
    assert_eq!(counts(&replay), [2, 1, 0, 0, 1], "{replay}");
    assert_eq!(
        replay["skipped_for"]["cannot-be-delivered-again"], 1,
        "{replay}"
    );
    assert_eq!(queued(&office).await, ids[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_ends_between_two_parts_goes_on_where_it_was() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let one = (OutboxState::Parked, "2026-02-02T17:00:00Z", "refused");
    let ids = put(&office, "cws-demo", &vec![one; 620]).await;
    let answer = office.post("operator", "/v1/replays", &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let mut replay = answer.json();
    assert_eq!(
        counts(&replay),
        [0; 5],
        "nothing is put back before it is asked for"
    );
    // The lanes before child welfare's are empty.
    while replay["selected"] == 0 {
        replay = go_on(&office, &replay).await;
    }
    assert_eq!(
        (counts(&replay), &replay["is_done"]),
        ([500, 500, 0, 0, 0], &json!(false))
    );
    assert_eq!(queued(&office).await, ids[..500], "the oldest come first");
    // What comes meanwhile is not of this replay.
    put(&office, "cws-demo", &[one]).await;
    while replay["is_done"] == false {
        replay = go_on(&office, &replay).await;
    }
    assert_eq!(counts(&replay), [620, 620, 0, 0, 0]);
    assert_eq!(
        queued(&office).await,
        ids,
        "in the order in which they were written"
    );
    assert_eq!(
        counts(&go_on(&office, &replay).await),
        [620, 620, 0, 0, 0],
        "an end is an end"
    );
    assert_eq!(office.audited("replay.end").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_that_is_given_must_hold() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let parked = OutboxState::Parked;
    let ids = put(
        &office,
        "cws-demo",
        &[
            (parked, "2026-02-01T00:00:00Z", "the partner answered 422"),
            (parked, "2026-02-02T00:00:00Z", "no enrollment at target"),
            (parked, "2026-02-03T00:00:00Z", "the partner answered 422"),
        ],
    )
    .await;
    let dry = async |conditions: Value| {
        let body = json!({ "where": conditions, "dry_run": true });
        counts(&replay(&office, &body).await)[0]
    };
    assert_eq!(dry(json!({})).await, 3);
    assert_eq!(dry(json!({ "error": "answered 422" })).await, 2);
    assert_eq!(
        dry(json!({ "error": "partner" })).await,
        3,
        "whose fault it was"
    );
    assert_eq!(dry(json!({ "error": "ours" })).await, 0);
    assert_eq!(dry(json!({ "since": "2026-02-02T00:00:00Z" })).await, 2);
    assert_eq!(dry(json!({ "until": "2026-02-02T00:00:00Z" })).await, 1);
    assert_eq!(
        dry(json!({ "error": "422", "since": "2026-02-02T00:00:00Z" })).await,
        1
    );
    assert_eq!(dry(json!({ "destination": "calworks-demo" })).await, 0);
    let message = office
        .get("operator", &format!("/v1/messages/{}", ids[1]))
        .await
        .json();
    assert_eq!(dry(json!({ "case": message["case"] })).await, 1);
    for wrong in [
        json!({ "destination": "nobody" }),
        json!({ "error": "" }),
        json!({ "road": "x" }),
    ] {
        let answer = office
            .post("operator", "/v1/replays", &json!({ "where": wrong }))
            .await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
    }
    assert_eq!(queued(&office).await, []);
}

#[test]
fn a_condition_that_is_none_is_wrong_usage() {
    for wrong in [
        "road=x",
        "destination",
        "since=yesterday",
        "error=",
        "error=a,error=b",
    ] {
        let ended = tandem(&["replay", "--where", wrong]);
        assert_eq!(ended.code, 2, "{wrong}: {ended:?}");
        assert!(ended.told.contains("--where"), "{}", ended.told);
    }
    assert_eq!(
        tandem(&["replay"]).code,
        2,
        "nothing is chosen by saying nothing"
    );
}
