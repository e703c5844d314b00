//! A hold on an organisation lasts longer than its connection: what its system sent stays when nothing connects it any more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use tandem::pipeline::retention;
use tandem::state::break_glass::BreakGlassDoc;
use tandem::state::episode::EpisodeDoc;
use tandem::state::legal_hold::HoldScope;
use tandem::state::plan::PlanDoc;
use tandem::store::{EventState, InputState, Received, Settled, Tx};
use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{EpisodeId, EventId, InputId, PersonId, RecordKey};

use super::{Age, Row, put, record};
use crate::api_office::{Office, marisol, record_received, tokens};
use crate::api_retention::{counts, run};

/// A gateway whose registry knows a system that its configuration connects no more.
async fn without(system: &str) -> Office {
    let (section, token) = (
        format!("[systems.{system}]"),
        format!("system = \"{system}\""),
    );
    Office::changed(|folder, text| {
        let all = tokens();
        let fewer = all.split("[[tokens]]").filter(|one| !one.contains(&token));
        let fewer = fewer.collect::<Vec<_>>().join("[[tokens]]");
        std::fs::write(folder.join("fewer.toml"), fewer).unwrap();
        let (before, own) = text.split_once(&section).unwrap();
        let (_gone, after) = own.split_once("[systems.").unwrap();
        format!("{before}[systems.{after}").replace("\"tokens.toml\"", "\"fewer.toml\"")
    })
    .await
}

/// A row of each kind about a person of a system, all of them long past their terms.
async fn told_long_ago(tx: &mut Tx, key: &RecordKey) {
    let (age, person) = (Age::Past(8), PersonId(uuid::Uuid::now_v7()));
    let at = age.at();
    tx.put(&record(key, person, at), at).await.unwrap();
    let rows = [
        Row::Decision(age),
        Row::Message(age, true),
        Row::Consent(age, true),
    ];
    for row in rows {
        put(tx, key, person, &row).await;
    }
    original_and_event(tx, key, at).await;
    let mut episode = EpisodeDoc::new(EpisodeId(uuid::Uuid::now_v7()));
    episode.members.insert(key.clone());
    tx.put(&episode, at).await.unwrap();
    let plan = json!({
        "system": key.system, "episode": null, "updated_at": at,
        "content": {
            "plan": "plan-1", "plan_type": "welfare-to-work", "status": "completed",
            "subjects": [key.person],
        },
    });
    let plan: PlanDoc = serde_json::from_value(plan).unwrap();
    tx.put(&plan, at).await.unwrap();
    let emergency = json!({
        "id": uuid::Uuid::now_v7(), "system": key.system, "user": "u-1", "name": "Nobody Demofield",
        "role": "clinician", "purpose": "BTG", "reason": "overdose", "text": "invented",
        "at": at, "decision": uuid::Uuid::now_v7(),
    });
    let emergency: BreakGlassDoc = serde_json::from_value(emergency).unwrap();
    tx.put(&emergency, at).await.unwrap();
}

async fn original_and_event(tx: &mut Tx, key: &RecordKey, at: Timestamp) {
    let original = Received {
        id: InputId(uuid::Uuid::now_v7()),
        system: &key.system,
        format: "tandem/events",
        name: "extract-1",
        content_hash: [7; 32],
        at,
        original: b"an invented file",
        settled: Some(Settled {
            state: InputState::Published,
            outcome: "accepted",
            report: "{}",
        }),
    };
    tx.add_input(&original).await.unwrap();
    let told = record_received(key.person.as_str(), &marisol());
    let event = Event {
        id: EventId(uuid::Uuid::now_v7()),
        recorded_at: at,
        system: key.system.clone(),
        jurisdiction: "demo-county".parse().unwrap(),
        decision_id: None,
        payload_version: 1,
        told: serde_json::from_value(told).unwrap(),
    };
    tx.append_event(&event, None, EventState::Applied)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_organization_keeps_every_kind_though_its_system_is_connected_no_more() {
    let office = without("calworks-demo").await;
    let core = office.core();
    let key = RecordKey {
        system: "calworks-demo".parse().unwrap(),
        person: "91234567A".parse().unwrap(),
    };
    let mut tx = core.store.begin().await.unwrap();
    told_long_ago(&mut tx, &key).await;
    tx.commit().await.unwrap();
    let scope = HoldScope::Organization("org-calworks".parse().unwrap());
    let placed = retention::place(&core, "privacy", scope, "letter".into()).await;
    let hold = placed.unwrap().id;
    let done = run(&office, "confirm").await;
    let kinds = [
        "consents",
        "decisions",
        "deliveries",
        "emergencies",
        "episodes",
        "events",
        "originals",
        "people",
        "plans",
    ];
    let one_of_each: BTreeMap<_, _> = kinds.map(|kind| (kind.to_owned(), 1)).into();
    assert_eq!(counts(&done, "held"), one_of_each, "{done}");
    assert_eq!(counts(&done, "disposed"), BTreeMap::new());
    // They are past their terms, and nothing but the hold keeps them.
    let released = retention::release(&core, "privacy", hold, "over".into()).await;
    released.unwrap();
    let disposed = counts(&run(&office, "confirm").await, "disposed");
    assert!(disposed.contains_key("originals"), "{disposed:?}");
}
