//! The gateway links alone only as far as it may, says how far that is, and learns it from the records.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::pipeline::{learning, steward};
use tandem::state::link::LinkDoc;
use tandem_matching::Decision;

use crate::api_office::{Office, person, record_received};

const LIMITS: &str = "limits = { requests_per_second = 1000, burst = 1000, body_bytes = 4000000 }";

/// Invented names, and nobody's.
const GIVEN: [&str; 8] = [
    "Testa", "Xenia", "Zorla", "Quilla", "Vandra", "Ottoria", "Jumina", "Perpetra",
];
const STEMS: [&str; 12] = [
    "Demo", "Exempla", "Sampler", "Mock", "Proto", "Speci", "Fiction", "Trial", "Pattern", "Model",
    "Draft", "Figment",
];
const ENDINGS: [&str; 7] = ["field", "ton", "berg", "wood", "dale", "brook", "stein"];

/// People whom two systems know; a few of them with a slip in the birth date or another address in each.
fn people(system: usize) -> Vec<(String, Value)> {
    (0..320_usize)
        .map(|number| {
            let given = GIVEN[number % GIVEN.len()];
            let stem = STEMS[number / 3 % STEMS.len()];
            let family = format!("{stem}{}", ENDINGS[number / 5 % ENDINGS.len()]);
            let slip = usize::from(system == 1 && number % 9 == 0);
            let birth = format!(
                "{}-{:02}-{:02}",
                1950 + number * 7 % 60,
                1 + number * 5 % 12,
                1 + number * 11 % 27 + slip
            );
            let mut record = person(given, &family, &birth, "");
            record["identifiers"] = json!([]);
            record["phones"] = json!([]);
            (format!("{system}-{number}"), record)
        })
        .collect()
}

async fn tell(office: &Office, who: &str, people: &[(String, Value)]) {
    for some in people.chunks(100) {
        let events = some.iter().map(|(id, person)| record_received(id, person));
        let events: Vec<Value> = events.collect();
        let answer = office.post(who, "/v1/events", &json!(events)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    }
    office.settle().await;
}

async fn matching(office: &Office) -> Value {
    office.get("operator", "/v1/matching").await.json()
}

async fn links(office: &Office, standing: &str) -> Vec<Value> {
    let path = format!("/v1/links?standing={standing}&limit=1000");
    let answer = office.get("steward", &path).await.json();
    answer["links"].as_array().unwrap().clone()
}

/// Waits until the model in use has judged all that wait.
async fn judged(office: &Office) -> Value {
    let mut changed = office.core().changed.subscribe();
    let judged = async {
        loop {
            let matching = matching(office).await;
            if matching["to_judge"] == 0 && matching["learning"] == false {
                return matching;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(120), judged)
        .await
        .unwrap()
}

async fn question(office: &Office, person: &Value) -> StatusCode {
    let question = json!({ "scope": "own", "person": person });
    office.post("calworks", "/v1/match", &question).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn without_records_to_learn_from_only_pairs_with_the_odds_of_the_rate_are_linked() {
    let office = Office::with("linking = { false_match_rate = 0.001 }").await;
    let model = &matching(&office).await["model"];
    let bits = model["link_bits"].as_f64().unwrap();
    assert!((bits - 9.964).abs() < 0.001, "{bits}");
    assert_eq!(model["wanted_false_match_rate"], 0.001);
    assert_eq!(model["expected_false_match_rate"], Value::Null);
    let lax = Office::with("linking = { false_match_rate = 0.01 }").await;
    let lax = &matching(&lax).await["model"];
    assert!(lax["link_bits"].as_f64().unwrap() < bits);
    assert_ne!(lax["version"], model["version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stewards_word_that_is_given_up_before_it_is_durable_counts_for_nothing() {
    let office = Office::with(&format!("linking = {{ learn = false }}\n{LIMITS}")).await;
    tell(&office, "calworks", &people(0)[..40]).await;
    tell(&office, "cws", &people(1)[..40]).await;
    let core = office.core();
    let mut tx = core.store.snapshot().await.unwrap();
    let waiting = tx.find::<LinkDoc>("link.standing", "candidate").await;
    let link = waiting.unwrap().remove(0);
    drop(tx);
    let ruled = async || {
        let mut matcher = core.matcher.lock().await;
        matcher.candidate(&link.a, &link.b).unwrap().decision
    };
    assert_eq!(ruled().await, Decision::Review);
    let mut tx = core.begin().await.unwrap();
    let reason = "both came to the office";
    steward::reject(&core, &mut tx, link.id, "a steward", reason)
        .await
        .unwrap();
    assert_eq!(ruled().await, Decision::NoLink);
    // The steward's client hangs up.
    drop(tx);
    drop(core.begin().await.unwrap());
    assert_eq!(ruled().await, Decision::Review);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_records_show_links_pairs_that_waited_and_undoes_none() {
    let office = Office::with(&format!("linking = {{ learn = false }}\n{LIMITS}")).await;
    tell(&office, "calworks", &people(0)).await;
    tell(&office, "cws", &people(1)).await;
    let (linked, waiting) = (
        links(&office, "linked").await,
        links(&office, "candidate").await,
    );
    assert_eq!(matching(&office).await["records"], 640);
    let fixed = matching(&office).await["model"].clone();
    assert!(waiting.len() > 2, "nothing waits for a steward");
    assert!(waiting.iter().all(|link| link["model"] == fixed["version"]));
    let path = format!("/v1/links/{}/reject", waiting[0]["id"].as_str().unwrap());
    let reason = json!({ "reason": "both came to the office" });
    let rejected = office.post("steward", &path, &reason).await;
    assert_eq!(rejected.status, StatusCode::OK, "{}", rejected.text);

    let office = office
        .restarted(&format!("linking = {{ learn = true }}\n{LIMITS}"))
        .await;
    let learnt = judged(&office).await["model"].clone();
    assert_ne!(learnt["version"], fixed["version"]);
    assert_eq!(learnt["learnt_from_records"], 640);
    let expected = &learnt["expected_false_match_rate"];
    assert!(expected["share"].as_f64().unwrap() <= 0.001, "{expected}");
    assert!(expected["low"].as_f64() <= expected["share"].as_f64());
    assert_eq!(office.audited("match.model").await, 1);
    let now = links(&office, "linked").await;
    assert!(
        now.len() > linked.len(),
        "{} then {}",
        linked.len(),
        now.len()
    );
    for link in &linked {
        assert!(now.iter().any(|one| one["id"] == link["id"]), "{link}");
    }
    let new = now
        .iter()
        .find(|one| linked.iter().all(|old| old["id"] != one["id"]))
        .unwrap();
    let path = format!("/v1/links/{}", new["id"].as_str().unwrap());
    let explained = office.get("steward", &path).await.json();
    assert_eq!(explained["explanation"]["model"], learnt);
    // Whatever waits, waits by the new model's word; a steward's word stands.
    for link in links(&office, "candidate").await {
        assert_eq!(link["model"], learnt["version"], "{link}");
    }
    let by_steward = &links(&office, "rejected").await;
    assert_eq!(by_steward.len(), 1);
    assert_eq!(by_steward[0]["id"], waiting[0]["id"]);
    let mut all = now.clone();
    for standing in ["candidate", "undone"] {
        all.extend(links(&office, standing).await);
    }
    for link in &waiting[1..] {
        let found: Vec<&Value> = all.iter().filter(|one| one["id"] == link["id"]).collect();
        assert_eq!(found.len(), 1, "{link} has vanished");
        assert_eq!(found[0]["decider"], "matcher");
    }
    for link in &now {
        let number = |side: &str| link[side]["person"].as_str().unwrap()[2..].to_owned();
        assert_eq!(number("a"), number("b"), "two people are linked");
    }

    // Started once more, it neither learns again nor links otherwise.
    let office = office
        .restarted(&format!("linking = {{ learn = true }}\n{LIMITS}"))
        .await;
    assert_eq!(matching(&office).await["model"], learnt);
    assert_eq!(office.audited("match.model").await, 1);
    assert_eq!(links(&office, "linked").await.len(), now.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_and_records_come_in_while_a_model_is_learnt() {
    let office = Office::with(&format!("linking = {{ learn = false }}\n{LIMITS}")).await;
    let (known, others) = (people(0), people(1));
    tell(&office, "calworks", &known).await;
    tell(&office, "cws", &others).await;
    let core = office.core();
    let index = core.matcher.lock().await;
    // Somebody holds the index from beginning to end: learning needs it at no time.
    let learnt = tokio::time::timeout(Duration::from_secs(120), Box::pin(learning::learn(&core)));
    let learnt = learnt.await.unwrap().unwrap();
    assert_eq!(learnt.records, index.len());
    drop(index);

    // The writer is held, so that learning is begun and cannot end.
    let writer = core.store.begin().await.unwrap();
    let mut changed = core.changed.subscribe();
    let learner = tokio::spawn({
        let core = office.core();
        async move { Box::pin(learning::learn_anew(&core)).await }
    });
    while matching(&office).await["learning"] == false {
        changed.changed().await.unwrap();
    }
    let before = matching(&office).await["model"].clone();
    assert_eq!(question(&office, &known[7].1).await, StatusCode::OK);
    assert_eq!(matching(&office).await["learning"], true);
    drop(writer);
    learner.await.unwrap().unwrap();
    let after = judged(&office).await["model"].clone();
    assert_ne!(after["version"], before["version"]);
    assert_eq!(after["learnt_from_records"], 640);
}
