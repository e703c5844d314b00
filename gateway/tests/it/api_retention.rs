//! What is past its term is disposed of, what is needed or held stays, and the log says what went.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::audit::Check;
use tandem::pipeline::{expiries, timers};
use tandem::state::directive::DirectiveDoc;
use tandem::state::disclosure::DisclosureDoc;
use tandem::state::record::RecordDoc;
use tandem::state::referral::ReferralDoc;
use tandem::store::{EventState, OutboxState, Shelf};
use tandem_mappings::model::id::InputId;

use crate::api_office::{Office, marisol};
use crate::api_referrals::{referred, release, request};

/// Ten years after the story, and nine after its consent has ended.
pub(crate) const LATER: &str = "2036-02-03T09:00:00-08:00";

/// Asks for a run and waits for its end.
pub(crate) async fn run(office: &Office, kind: &str) -> Value {
    let core = office.core();
    let mut changed = core.changed.subscribe();
    let asked = office
        .post("privacy", "/v1/retention/runs", &json!({ kind: true }))
        .await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
    let path = format!(
        "/v1/retention/runs/{}",
        asked.json()["id"].as_str().unwrap()
    );
    let ended = async {
        loop {
            let run = office.get("auditor", &path).await.json();
            if run["ended_at"].is_string() {
                return run;
            }
            changed.changed().await.unwrap();
        }
    };
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, ended).await.unwrap()
}

/// A count of each kind of a run, where it is not nothing.
pub(crate) fn counts(run: &Value, of: &str) -> BTreeMap<String, u64> {
    let kinds = run["kinds"].as_array().unwrap().iter();
    let counts = kinds.map(|kind| {
        let name = kind["kind"].as_str().unwrap().to_owned();
        (name, kind[of].as_u64().unwrap())
    });
    counts.filter(|(_, count)| *count > 0).collect()
}

fn needed(run: &Value, kind: &str) -> Value {
    let kinds = run["kinds"].as_array().unwrap();
    let found = kinds.iter().find(|one| one["kind"] == kind).unwrap();
    found["needed"].clone()
}

/// Moves the clock, and lets what time does to referrals and consents take its course.
pub(crate) async fn at(office: &Office, instant: &str) {
    let core = office.core();
    core.clock.set(instant.parse().unwrap());
    timers::look(&core).await.unwrap();
    expiries::look(&core).await.unwrap();
    expiries::look(&core).await.unwrap();
}

/// A referral that reached child welfare and was rejected there, under a consent that then ended.
pub(crate) async fn over() -> Office {
    let office = Office::open().await;
    let id = referred(&office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    let body = json!({ "status": "rejected", "reason": "no-capacity" });
    let path = format!("/v1/referrals/{id}/status");
    let moved = office.post("cws", &path, &body).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    office.settle().await;
    at(&office, "2027-02-03T09:00:00-08:00").await;
    everything_delivered(&office).await;
    office
}

async fn everything_delivered(office: &Office) {
    let core = office.core();
    let mut changed = core.changed.subscribe();
    core.wake();
    let delivered = async {
        loop {
            let waiting = [OutboxState::Queued, OutboxState::Failed];
            let mut tx = core.store.snapshot().await.unwrap();
            if tx.outbox_in(&waiting).await.unwrap().is_empty() {
                return;
            }
            drop(tx);
            changed.changed().await.unwrap();
        }
    };
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, delivered).await.unwrap();
}

/// Runs until nothing is due any more. How many runs disposed of something.
pub(crate) async fn run_to_the_end(office: &Office) -> usize {
    let mut runs = 0;
    loop {
        let dry = counts(&run(office, "dry_run").await, "due");
        let done = run(office, "confirm").await;
        let disposed = counts(&done, "disposed");
        assert_eq!(disposed, dry, "a dry run counts what a run disposes of");
        assert_eq!(counts(&done, "due"), BTreeMap::new());
        if dry.is_empty() {
            return runs;
        }
        runs += 1;
        assert!(runs < 10, "ten runs free nothing new");
    }
}

pub(crate) async fn verified(office: &Office) -> tandem_audit::Report {
    let core = office.core();
    core.audit
        .sign(&core.store, core.clock.now())
        .await
        .unwrap();
    let config = &core.loaded.config;
    Check::default().configured(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_term_is_over_nothing_of_a_person_is_left_and_the_log_is_sound() {
    let office = over().await;
    let core = office.core();
    let before = office.audited("retention.dispose").await;
    at(&office, LATER).await;
    let runs = run_to_the_end(&office).await;
    assert!(
        runs >= 3,
        "each run frees what the next disposes of: {runs}"
    );

    let mut tx = core.store.snapshot().await.unwrap();
    assert!(tx.all::<RecordDoc>().await.unwrap().is_empty());
    assert!(tx.all::<ReferralDoc>().await.unwrap().is_empty());
    assert!(tx.all::<DirectiveDoc>().await.unwrap().is_empty());
    assert!(tx.all::<DisclosureDoc>().await.unwrap().is_empty());
    for shelf in [Shelf::Inputs, Shelf::Decisions, Shelf::Evidence] {
        assert_eq!(tx.standing(shelf).await.unwrap().0, 0, "{shelf:?}");
    }
    let kept = tx.events_after(0, 1_000).await.unwrap();
    assert!(kept.is_empty(), "{:?}", kept.first());
    let ended = [OutboxState::Delivered, OutboxState::Acknowledged];
    let messages = tx.outbox_in(&ended).await.unwrap();
    assert!(
        !messages.is_empty(),
        "that there was a message is still known"
    );
    assert!(messages.iter().all(|message| message.content.is_empty()));
    let message = messages[0].id;
    drop(tx);
    let shown = office
        .get("operator", &format!("/v1/messages/{message}"))
        .await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);

    let report = verified(&office).await;
    assert!(report.is_sound(), "{report}");
    assert!(!report.disposed.is_empty());
    let text = report.to_string();
    assert!(
        text.contains("records of decisions under retention.keep.decisions, 6 years"),
        "{text}"
    );
    assert!(text.contains("records of deliveries under"), "{text}");
    assert!(office.audited("retention.dispose").await > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_disposed_of_is_not_taken_in_again_by_the_same_message() {
    let office = over().await;
    at(&office, LATER).await;
    run_to_the_end(&office).await;
    office.record("calworks", "91234567A", &marisol()).await;
    let mut tx = office.core().store.snapshot().await.unwrap();
    assert!(
        tx.all::<RecordDoc>().await.unwrap().is_empty(),
        "the ingest key never expires: the same content is no news"
    );
    drop(tx);
    let mut changed = marisol();
    changed["phones"] = json!(["5550177"]);
    office.record("calworks", "91234567A", &changed).await;
    let mut tx = office.core().store.snapshot().await.unwrap();
    assert_eq!(
        tx.all::<RecordDoc>().await.unwrap().len(),
        1,
        "what is new is taken"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_referral_keeps_its_messages_its_person_and_every_event_that_made_it() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    let mut directive = release();
    directive["expiry"] = json!({ "date": "2040-02-01" });
    let covers = json!([{ "system": "calworks-demo", "person": "91234567A" }]);
    let body = json!({ "directive": directive, "covers": covers });
    let captured = office.post("privacy", "/v1/consents", &body).await;
    assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
    let verify = "/v1/consents/consent-1/verify";
    let verified = office.post("privacy-second", verify, &json!({})).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
    let asked = office
        .post("calworks", "/v1/referrals", &request("R-204"))
        .await;
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    let request = office.message("cws-demo", OutboxState::Delivered).await.id;
    let core = office.core();
    let mut tx = core.store.snapshot().await.unwrap();
    let before = tx.events_as_applied(0, 1_000).await.unwrap().1;
    drop(tx);

    at(&office, LATER).await;
    everything_delivered(&office).await;
    // As if its target had been asked once, and never again by a timer.
    let mut tx = core.store.begin().await.unwrap();
    let row = tx.outbox(request).await.unwrap().unwrap();
    let then = "2026-02-03T09:00:00-08:00".parse().unwrap();
    assert!(tx.move_outbox(&row, row.state, then).await.unwrap());
    tx.commit().await.unwrap();
    let dry = run(&office, "dry_run").await;
    assert!(
        needed(&dry, "deliveries")["open-referral"].is_number(),
        "{dry}"
    );
    run_to_the_end(&office).await;
    let mut tx = core.store.snapshot().await.unwrap();
    let referral = tx.get::<ReferralDoc>(&id).await.unwrap().unwrap();
    assert!(referral.state.is_open());
    assert!(
        tx.message_is_kept(request).await.unwrap(),
        "it may be delivered again"
    );
    assert_eq!(tx.all::<RecordDoc>().await.unwrap().len(), 1);
    assert_eq!(tx.all::<DirectiveDoc>().await.unwrap().len(), 1);
    // State is what the events say: none of those that made it is gone.
    let after = tx.events_as_applied(0, 1_000).await.unwrap().1;
    let kept: BTreeSet<i64> = after.iter().map(|one| one.position).collect();
    assert!(before.len() > 4 && before.iter().all(|one| kept.contains(&one.position)));
}

/// Waits until the daily run has looked at an instant.
async fn looked(office: &Office, instant: &str) -> Value {
    let core = office.core();
    let mut changed = core.changed.subscribe();
    core.clock.set(instant.parse().unwrap());
    let when = core.clock.now().to_string();
    let looked = async {
        loop {
            let shown = office.get("operator", "/v1/retention").await.json();
            if shown["last_run_at"] == when {
                return shown;
            }
            changed.changed().await.unwrap();
        }
    };
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, looked).await.unwrap()
}

/// Decisions of long ago about nobody who is known.
pub(crate) async fn old_decisions(office: &Office, count: usize) {
    let core = office.core();
    let mut tx = core.store.begin().await.unwrap();
    for _ in 0..count {
        let row = crate::retention_rules::decision(None, "2012-05-05T00:00:00Z".parse().unwrap());
        tx.add_decision(row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_disposes_once_a_day_and_waits_for_a_word_after_a_long_pause() {
    let office = Office::open().await;
    old_decisions(&office, 450).await;
    let shown = looked(&office, "2026-02-03T09:00:00-08:00").await;
    let disposed = counts(&shown, "disposed");
    assert_eq!(disposed.get("decisions"), Some(&450), "{shown}");
    assert!(shown.get("waits_since").is_none());
    assert_eq!(office.audited("retention.run").await, 1);

    // Half a year on, the clock may have been set.
    old_decisions(&office, 3).await;
    let shown = looked(&office, "2026-08-03T09:00:00-07:00").await;
    assert_eq!(shown["waits_since"], "2026-08-03T16:00:00Z", "{shown}");
    assert_eq!(counts(&shown, "due").get("decisions"), Some(&3));
    let metrics = office.get("operator", "/metrics").await.text;
    for line in [
        "tandem_retention_due{kind=\"decisions\"} 3",
        "tandem_retention_waits 1",
        "tandem_retention_rows{kind=\"decisions\"} 3",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}");
    }
    let shown = looked(&office, "2026-08-04T09:00:00-07:00").await;
    assert_eq!(
        counts(&shown, "due").get("decisions"),
        Some(&3),
        "it goes on waiting"
    );

    let done = run(&office, "confirm").await;
    assert_eq!(counts(&done, "disposed").get("decisions"), Some(&3));
    old_decisions(&office, 2).await;
    let shown = looked(&office, "2026-08-05T09:00:00-07:00").await;
    assert!(shown.get("waits_since").is_none(), "{shown}");
    assert_eq!(counts(&shown, "disposed").get("decisions"), Some(&2));
    let report = verified(&office).await;
    assert!(report.is_sound(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_command_the_gateway_counts_and_leaves_everything() {
    let setting = "limits = { match_quantum_ms = 20 }\nretention = { dispose = \"by-command\" }";
    let office = Office::with(setting).await;
    old_decisions(&office, 3).await;
    let shown = looked(&office, "2026-02-03T09:00:00-08:00").await;
    assert_eq!(shown["dispose"], "by-command");
    assert_eq!(counts(&shown, "due").get("decisions"), Some(&3));
    assert_eq!(counts(&shown, "disposed"), BTreeMap::new());
    let done = run(&office, "confirm").await;
    assert_eq!(counts(&done, "disposed").get("decisions"), Some(&3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_stop_cut_off_is_finished_by_the_next_gateway() {
    let office = Office::open().await;
    old_decisions(&office, 3).await;
    let core = office.core();
    // Asked for, and nobody had heard of it when the gateway ended.
    let asked = tandem::state::retention::RunDoc {
        id: uuid::Uuid::now_v7(),
        by: "privacy".to_owned(),
        is_dry: false,
        asked_at: core.clock.now(),
        ended_at: None,
        counts: BTreeMap::new(),
    };
    let mut tx = core.store.begin().await.unwrap();
    tx.put(&asked, core.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    drop(core);
    let office = office.restarted("").await;
    let core = office.core();
    let mut changed = core.changed.subscribe();
    let path = format!("/v1/retention/runs/{}", asked.id);
    let run = loop {
        let run = office.get("auditor", &path).await.json();
        if run["ended_at"].is_string() {
            break run;
        }
        changed.changed().await.unwrap();
    };
    assert_eq!(counts(&run, "disposed").get("decisions"), Some(&3), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_dry_or_confirmed_and_asked_for_by_a_privacy_officer() {
    let office = Office::open().await;
    for body in [json!({}), json!({ "dry_run": true, "confirm": true })] {
        let refused = office.post("privacy", "/v1/retention/runs", &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let body = json!({ "confirm": true });
    let refused = office.post("operator", "/v1/retention/runs", &body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let unknown = "/v1/retention/runs/0198c2f0-0000-7000-8000-000000000000";
    assert_eq!(
        office.get("auditor", unknown).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_goes_before_its_events_and_parked_events_keep_it() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    let unknown = json!([{
        "occurred_at": "2026-02-02T08:00:00-08:00", "source_event_id": "membership-1",
        "source_person_id": "nobody", "type": "household.membership",
        "payload": { "person": "nobody", "household": "h-1", "relation": "child" },
    }]);
    let answer = office.post("bh", "/v1/events", &unknown).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    let core = office.core();
    let mut tx = core.store.snapshot().await.unwrap();
    assert_eq!(tx.count_events(EventState::Parked).await.unwrap(), 1);
    let inputs = tx.inputs(10).await.unwrap();
    let of = |system: &str| -> InputId {
        inputs
            .iter()
            .find(|input| input.system == system)
            .unwrap()
            .id
    };
    drop(tx);
    // Four years: originals are past their term, and nothing else is.
    core.clock.set("2030-02-03T09:00:00-08:00".parse().unwrap());
    let done = run(&office, "confirm").await;
    assert_eq!(
        counts(&done, "disposed"),
        BTreeMap::from([("originals".to_owned(), 1)])
    );
    assert_eq!(needed(&done, "originals"), json!({ "waiting-event": 1 }));
    let mut tx = core.store.snapshot().await.unwrap();
    assert_eq!(tx.original(of("calworks-demo")).await.unwrap(), None);
    assert!(tx.original(of("bh-demo")).await.unwrap().is_some());
    assert_eq!(
        tx.events_after(0, 10).await.unwrap().len(),
        1,
        "what it told is kept"
    );
}
