//! What an operator sees of lanes and messages, and how lanes are stopped.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::store::OutboxState;

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
