//! What an operator sees of lanes and messages, and how lanes are stopped.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::{OutboxRow, OutboxState};
use tandem_mappings::model::id::{DecisionId, MessageId};

use crate::api_office::Office;
use crate::api_referrals::{asked, referred, request};
use crate::cli_program::{Ended, file, tandem};

/// Child welfare takes its messages at an address where nobody listens.
pub(crate) async fn unreachable() -> Office {
    Office::changed(|_, text| {
        text.replace(
            "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }",
            "push = { url = \"http://127.0.0.1:9/\" }",
        )
    })
    .await
}

/// Runs a command as the operator.
pub(crate) async fn command(office: &Office, arguments: &[&str]) -> Ended {
    command_of(office, "operator", arguments).await
}

/// Runs a command as somebody.
pub(crate) async fn command_of(office: &Office, who: &str, arguments: &[&str]) -> Ended {
    let place = tempfile::tempdir().unwrap();
    let token = file(&place, "caller.token", who);
    let url = format!("http://{}/", office.address());
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        all.extend(["--url", &url, "--token-file", &token]);
        tandem(&all)
    })
    .await
    .unwrap()
}

pub(crate) async fn lane(office: &Office, name: &str) -> Value {
    let lanes = office.get("operator", "/v1/lanes").await.json();
    let lanes = lanes["lanes"].as_array().unwrap().clone();
    lanes.into_iter().find(|lane| lane["name"] == name).unwrap()
}

/// Messages of a case that stand in a lane as if they had got there, in this order.
pub(crate) async fn put(
    office: &Office,
    lane: &str,
    case: &str,
    states: &[OutboxState],
) -> Vec<MessageId> {
    let core = office.core();
    let (now, mut ids) = (core.clock.now(), Vec::new());
    let mut tx = core.store.begin().await.unwrap();
    for state in states {
        let row = OutboxRow {
            id: MessageId(uuid::Uuid::now_v7()),
            position: 0,
            lane: lane.to_owned(),
            case_key: tx.mac("case", case).unwrap().to_vec(),
            kind: "referral".to_owned(),
            state: *state,
            attempts: 0,
            due_at: now,
            created_at: now,
            changed_at: now,
            decision: DecisionId(uuid::Uuid::now_v7()),
            file: None,
            is_handed: false,
            fault: Some("partner".to_owned()),
            note: Some("the partner answered 422".to_owned()),
            content: b"{}".to_vec(),
            trace: None,
        };
        tx.add_outbox(&row).await.unwrap();
        assert!(tx.move_outbox(&row, *state, now).await.unwrap());
        ids.push(row.id);
    }
    tx.commit().await.unwrap();
    ids
}

/// Nothing is tried in a lane, so that what waits there can be looked at.
pub(crate) async fn pause(office: &Office, lane: &str) {
    let why = json!({ "reason": "the test looks at what waits" });
    let path = format!("/v1/lanes/{lane}/pause");
    let paused = office.post("operator", &path, &why).await;
    assert_eq!(paused.status, StatusCode::OK, "{}", paused.text);
}

fn steps(message: &Value) -> Vec<&str> {
    let steps = message["timeline"].as_array().unwrap();
    steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_a_message_leads_from_what_was_received_to_each_attempt() {
    let office = Office::open().await;
    referred(&office).await;
    let row = office.message("cws-demo", OutboxState::Delivered).await;
    let answer = office
        .get("operator", &format!("/v1/messages/{}", row.id))
        .await;
    let message = answer.json();
    let way = [
        "received",
        "matched",
        "decided",
        "queued",
        "decided",
        "mapped",
        "attempted",
    ];
    assert_eq!(steps(&message), way, "{message}");
    let timeline = message["timeline"].as_array().unwrap();
    assert_eq!(timeline[0]["source"], "calworks-demo", "{message}");
    assert!(
        timeline[0]["event_type"]
            .as_str()
            .unwrap()
            .starts_with("referral."),
        "{message}"
    );
    assert!(timeline[0]["input"].is_string(), "{message}");
    assert_eq!(timeline[2]["outcome"], "permit", "{message}");
    assert_ne!(
        timeline[2]["decision"], timeline[4]["decision"],
        "decided again before the attempt"
    );
    assert_eq!(timeline[5]["format"], "child-welfare/niem");
    assert_eq!(timeline[5]["file"], row.file.unwrap());
    assert_eq!(
        (&timeline[6]["response"], &timeline[6]["attempt"]),
        (&json!("stored"), &json!(1))
    );
    for word in ["Marisol", "Demofield", "91234567A", "R-204"] {
        assert!(!answer.text.contains(word), "{word}: {}", answer.text);
    }
    let told = command(&office, &["message", &row.id.to_string()]).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("attempted  attempt=1 "), "{}", told.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_says_how_the_destination_answered_and_whose_fault_it_was() {
    let office = unreachable().await;
    asked(&office).await;
    let row = office.message("cws-demo", OutboxState::Failed).await;
    let path = format!("/v1/messages/{}", row.id);
    let message = office.get("operator", &path).await.json();
    let attempted = message["timeline"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(attempted["step"], "attempted", "{message}");
    assert_eq!(attempted["response"], "refused", "{message}");
    assert_eq!(attempted["fault"], "network", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_never_written_is_answered_as_one_that_nobody_heard_of() {
    let office = Office::open().await;
    referred(&office).await;
    let row = office.message("cws-demo", OutboxState::Delivered).await;
    let unknown = "/v1/messages/018f0000-0000-7000-8000-000000000000";
    let answer = office.get("operator", unknown).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let known = format!("/v1/messages/{}", row.id);
    assert_eq!(
        office.get("calworks", &known).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        office.get("calworks", &known).await.text,
        office.get("calworks", unknown).await.text
    );
    let told = command(
        &office,
        &["message", "018f0000-0000-7000-8000-000000000000"],
    )
    .await;
    assert_eq!(told.code, 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_lane_says_by_whom_and_why_until_it_is_resumed() {
    let office = Office::open().await;
    let paused = command(
        &office,
        &["lane", "pause", "cws-demo", "--reason", "their upgrade"],
    )
    .await;
    assert_eq!(paused.code, 0, "{paused:?}");
    let standing = lane(&office, "cws-demo").await;
    assert_eq!(standing["flow"], "paused");
    assert_eq!(
        (&standing["halted_by"], &standing["reason"]),
        (&json!("operator"), &json!("their upgrade"))
    );
    assert_eq!(
        (&standing["breaker"], &standing["in_flight"]),
        (&json!("closed"), &json!(0))
    );
    let listed = command(&office, &["lanes"]).await;
    assert!(listed.out.contains("their upgrade"), "{}", listed.out);
    assert_eq!(
        command(&office, &["lane", "resume", "cws-demo"]).await.code,
        0
    );
    let standing = lane(&office, "cws-demo").await;
    assert_eq!(standing["flow"], "running");
    assert!(
        standing["reason"].is_null() && standing["halted_by"].is_null(),
        "{standing}"
    );
    let audit = office
        .get("auditor", "/v1/audit?action=lane.pause")
        .await
        .json();
    assert_eq!(audit["entries"][0]["detail"], "their upgrade", "{audit}");
    assert_eq!(office.audited("lane.resume").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_is_stopped_by_an_operator_with_a_reason_alone() {
    let office = Office::open().await;
    for verb in ["pause", "drain"] {
        let path = format!("/v1/lanes/cws-demo/{verb}");
        for wrong in [
            json!({}),
            json!({ "reason": " " }),
            json!({ "reason": "x".repeat(201) }),
        ] {
            let answer = office.post("operator", &path, &wrong).await;
            assert!(answer.status.is_client_error(), "{}", answer.text);
        }
        let right = json!({ "reason": "their upgrade" });
        assert_eq!(
            office.post("auditor", &path, &right).await.status,
            StatusCode::FORBIDDEN
        );
        let unknown = format!("/v1/lanes/nobody/{verb}");
        assert_eq!(
            office.post("operator", &unknown, &right).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(lane(&office, "cws-demo").await["flow"], "running");
    assert_eq!(office.audited("lane.drain").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_drains_delivers_what_was_there_and_takes_up_nothing_newer() {
    let office = Office::open().await;
    let why = json!({ "reason": "their upgrade" });
    office
        .post("operator", "/v1/lanes/cws-demo/pause", &why)
        .await;
    let consented = referred_to_waiting(&office, "R-204").await;
    // From here on it delivers what waits.
    let drains = office
        .post("operator", "/v1/lanes/cws-demo/drain", &why)
        .await;
    assert_eq!(drains.status, StatusCode::OK, "{}", drains.text);
    office.delivered("cws-demo", consented).await;
    let later = referred_to_waiting(&office, "R-205").await;
    let standing = lane(&office, "cws-demo").await;
    assert_eq!(
        (&standing["flow"], &standing["due"]),
        (&json!("drained"), &json!(1)),
        "{standing}"
    );
    assert_eq!(
        office
            .post("operator", "/v1/lanes/cws-demo/resume", &json!({}))
            .await
            .status,
        StatusCode::OK
    );
    office.delivered("cws-demo", later).await;
}

/// A referral whose message waits in child welfare's lane.
async fn referred_to_waiting(
    office: &Office,
    source_ref: &str,
) -> tandem_mappings::model::id::MessageId {
    if source_ref == "R-204" {
        asked(office).await;
    } else {
        let created = office
            .post("calworks", "/v1/referrals", &request(source_ref))
            .await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    }
    office.message("cws-demo", OutboxState::Queued).await.id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_parked_message_counts_as_blocked() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let (parked, queued) = (OutboxState::Parked, OutboxState::Queued);
    put(&office, "cws-demo", "family-1", &[parked, queued, queued]).await;
    put(&office, "cws-demo", "family-2", &[queued]).await;
    let standing = lane(&office, "cws-demo").await;
    let figures = ["due", "blocked", "parked"].map(|name| standing[name].as_i64().unwrap());
    assert_eq!(figures, [3, 2, 1], "{standing}");
    assert_eq!(lane(&office, "calworks-demo").await["blocked"], 0);
    let listed = command(&office, &["lanes"]).await;
    assert!(listed.out.contains("blocked"), "{}", listed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_a_message_says_who_put_it_back_and_by_which_replay() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let ids = put(&office, "cws-demo", "family-1", &[OutboxState::Parked; 2]).await;
    let chosen = json!({ "message": ids[0] });
    let path = "/v1/lanes/cws-demo/replay";
    let replayed = office.post("operator", path, &chosen).await.json();
    assert_eq!(steps(&replayed), ["queued", "replayed"], "{replayed}");
    assert_eq!(replayed["timeline"][1]["by"], "operator");
    let many = command(
        &office,
        &["replay", "--where", "destination=cws-demo", "--json"],
    )
    .await;
    assert_eq!(many.json()["selected"], 1, "{many:?}");
    let path = format!("/v1/messages/{}", ids[1]);
    let message = office.get("operator", &path).await.json();
    assert_eq!(steps(&message), ["queued", "replayed"], "{message}");
    let step = &message["timeline"][1];
    assert_eq!(
        (&step["by"], &step["replay"]),
        (&json!("operator"), &many.json()["id"])
    );

    let message = json!({ "message": ids[0] });
    let queued = office
        .post("operator", "/v1/lanes/cws-demo/skip", &message)
        .await;
    assert_eq!(
        queued.status,
        StatusCode::CONFLICT,
        "it waits, and its lane is not held"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_skipped_already_is_skipped_and_an_answer_says_when_it_changed() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let ids = put(&office, "cws-demo", "family-1", &[OutboxState::Parked]).await;
    let later = "2026-02-02T10:30:00-08:00".parse().unwrap();
    office.core().clock.set(later);
    let chosen = json!({ "message": ids[0] });
    for time in 1..=2 {
        let skipped = office
            .post("operator", "/v1/lanes/cws-demo/skip", &chosen)
            .await;
        assert_eq!(skipped.status, StatusCode::OK, "{time}: {}", skipped.text);
        let skipped = skipped.json();
        assert_eq!(skipped["changed_at"], later.to_string(), "{time}");
        let last = skipped["timeline"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(
            (&last["step"], &last["by"]),
            (&json!("skipped"), &json!("operator"))
        );
    }
    assert_eq!(office.audited("message.skip").await, 1);
}

/// Waits until a message of child welfare's lane was tried so often, without success.
async fn tried(office: &Office, attempts: i64) -> OutboxRow {
    let core = office.core();
    let mut changed = core.changed.subscribe();
    let found = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            let rows = tx.outbox_in(&[OutboxState::Failed]).await.unwrap();
            drop(tx);
            let is_wanted = |row: &OutboxRow| row.lane == "cws-demo" && row.attempts >= attempts;
            if let Some(row) = rows.into_iter().find(is_wanted) {
                return row;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_is_due_now_when_an_operator_says_so() {
    let office = unreachable().await;
    asked(&office).await;
    let row = tried(&office, 1).await;
    let now = office.core().clock.now();
    assert!(row.due_at > now);
    let chosen = json!({ "message": row.id });
    let path = "/v1/lanes/cws-demo/replay";
    let hastened = office.post("operator", path, &chosen).await;
    assert_eq!(hastened.status, StatusCode::OK, "{}", hastened.text);
    let hastened = hastened.json();
    assert_eq!(hastened["due_at"], now.to_string());
    assert_eq!(hastened["attempts"], 1, "its attempts count as before");
    // The clock stands still: nothing else lets it be tried.
    tried(&office, 2).await;
    assert_eq!(office.audited("message.hasten").await, 1);
    assert_eq!(office.audited("message.replay").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_whose_destination_is_back_goes_on_at_once_when_an_operator_says_so() {
    let office = Office::changed(|_, text| {
        let text = text.replace(
            "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }",
            "push = { url = \"http://127.0.0.1:9/\" }",
        );
        format!("delivery = {{ breaker_failures = 1 }}\n{text}")
    })
    .await;
    asked(&office).await;
    tried(&office, 1).await;
    assert_eq!(lane(&office, "cws-demo").await["breaker"], "open");
    let resume = ["lane", "resume", "cws-demo"];
    assert_eq!(command(&office, &resume).await.code, 0);
    assert_eq!(lane(&office, "cws-demo").await["breaker"], "open");
    assert_eq!(office.audited("lane.hasten").await, 0);
    let told = command(&office, &[&resume[..], &["--now"]].concat()).await;
    assert_eq!(told.code, 0, "{told:?}");
    tried(&office, 2).await;
    let audit = office
        .get("auditor", "/v1/audit?action=lane.hasten")
        .await
        .json();
    assert_eq!(audit["entries"][0]["detail"], "1 due now", "{audit}");
}
