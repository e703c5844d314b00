//! Replay: which messages are chosen, that the counts add up, and that it can end between two parts.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::net::TcpListener;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::store::{EventState, OutboxRow, OutboxState};
use tandem_mappings::model::id::{DecisionId, MessageId};

use crate::api_lanes::command;
use crate::api_office::Office;
use crate::api_referrals::{asked, referred};
use crate::api_reload::reload;
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

/// Tells that a referral was accepted of which nobody knows: such an event is parked.
pub(crate) async fn early(office: &Office, id: &str) {
    let told = json!([{
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": id, "type": "referral.accepted",
        "payload": { "referral": { "target_ref": "R-1" }, "status": "accepted" },
    }]);
    let answer = office.post("cws", "/v1/events", &told).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_events_are_chosen_counted_and_tried_again_in_their_place() {
    let office = Office::open().await;
    early(&office, "one").await;
    early(&office, "two").await;
    let chosen = [
        "replay",
        "events",
        "--where",
        "type=referral.accepted,system=cws-demo",
    ];
    let dry = command(&office, &[&chosen[..], &["--dry-run", "--json"]].concat()).await;
    assert_eq!(counts(&dry.json()), [2, 2, 0, 0, 0], "{dry:?}");
    let other = json!({ "of": "events", "where": { "type": "plan.agreed" }, "dry_run": true });
    assert_eq!(counts(&replay(&office, &other).await), [0; 5]);
    let told = command(&office, &[&chosen[..], &["--json"]].concat()).await;
    assert_eq!(told.code, 0, "{told:?}");
    office.settle().await;
    // Nothing has come meanwhile by which they could take effect.
    let again = shown(&office, &told.json()).await;
    assert_eq!(counts(&again), [2, 0, 0, 2, 0], "{again}");
    let audited = [
        office.audited("replay.start").await,
        office.audited("replay.end").await,
    ];
    assert_eq!(audited, [1, 1]);
}

/// What a replay of inputs has come to: large ones are read after its answer.
async fn read(office: &Office, answer: &Value) -> [i64; 5] {
    let core = office.core();
    let mut changed = core.changed.subscribe();
    loop {
        let counts = counts(&shown(office, answer).await);
        if counts[1] == 0 {
            return counts;
        }
        changed.changed().await.unwrap();
    }
}

/// The caseload of a county is rejected, since its layout is wrong; corrected, it is read once more.
async fn a_rejected_input_is_read_once_more(settings: &str) {
    let caseload = |name: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        std::fs::read_to_string(&file).unwrap()
    };
    let right = caseload("../config/tables/calworks/caseload_csv.csv");
    let wrong = right.replace("case_number,case_number,", "case_number,case_no,");
    assert_ne!(right, wrong);
    let office = Office::changed(|folder, text| {
        std::fs::write(folder.join("layout.csv"), &wrong).unwrap();
        let text = format!("{settings}\n{text}");
        text.replace(
            "own_matches = true\n",
            "own_matches = true\ncalworks = { caseload = { layouts = [\"layout.csv\"] } }\n",
        )
    })
    .await;
    let batch = caseload("../adapters/calworks/fixtures/caseload.csv");
    let path = "/v1/inbox/calworks-demo/calworks/caseload";
    let send = || office.send("calworks", Method::POST, path, &[], Some(batch.clone()));
    assert_eq!(send().await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let chosen = [
        "replay",
        "inputs",
        "--where",
        "system=calworks-demo",
        "--json",
    ];
    let dry = command(&office, &[&chosen[..], &["--dry-run"]].concat()).await;
    assert_eq!(counts(&dry.json()), [1, 1, 0, 0, 0], "{dry:?}");
    // By the same table it comes to the same.
    let told = command(&office, &chosen).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(read(&office, &told.json()).await, [1, 0, 0, 1, 0]);
    std::fs::write(office.folder().join("layout.csv"), &right).unwrap();
    reload(&office).await;
    let told = command(&office, &chosen).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(read(&office, &told.json()).await, [1, 0, 1, 0, 0]);
    office.settle().await;
    let inputs = office.get("operator", "/v1/inputs").await.json();
    let inputs = inputs["inputs"].as_array().unwrap();
    let states = inputs.iter().map(|one| (&one["state"], &one["outcome"]));
    let states: Vec<_> = states.collect();
    assert_eq!(states, [(&json!("published"), &json!("accepted"))]);
    let mut tx = office.core().store.snapshot().await.unwrap();
    assert!(tx.count_events(EventState::Applied).await.unwrap() > 0);
    drop(tx);
    // The same file is the same input, and nothing is left to be read.
    assert_eq!(send().await.json()["duplicate"], true);
    assert_eq!(counts(&command(&office, &chosen).await.json()), [0; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_input_is_read_once_more_by_the_corrected_table() {
    a_rejected_input_is_read_once_more("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_input_that_was_rejected_is_read_once_more_by_the_corrected_table() {
    a_rejected_input_is_read_once_more("files = { large_over = 512 }").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_do_not_fit_are_refused_by_name() {
    let office = Office::open().await;
    for (of, conditions, name) in [
        ("events", json!({ "case": "5f0c" }), "where.case"),
        ("inputs", json!({ "type": "plan.agreed" }), "where.type"),
        ("messages", json!({ "system": "cws-demo" }), "where.system"),
        ("inputs", json!({ "system": "nobody" }), "where.system"),
    ] {
        let body = json!({ "of": of, "where": conditions, "dry_run": true });
        let answer = office.post("operator", "/v1/replays", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains(name), "{}", answer.text);
    }
    assert_eq!(
        tandem(&["replay", "events", "--where", "case=5f0c"]).code,
        2
    );
}
