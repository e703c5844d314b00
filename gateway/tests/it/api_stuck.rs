//! A consent that can't be looked after holds up no other, is shown by its name and looked after as soon as it can be.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::pipeline::{expiries, timers};
use tandem::state::directive::DirectiveDoc;
use tandem::state::record::{RecordDoc, Standing};
use tandem::state::referral::ReferralDoc;
use tandem::store::{Document, Index, OutboxState};
use tandem_mappings::model::id::RecordKey;

use crate::api_consents::{release, state};
use crate::api_lanes::command;
use crate::api_office::{Office, marisol, person, record_received};
use crate::api_referrals::{referred, request};

/// The last day of both consents is over.
const OVER: &str = "2026-06-30T00:00:00-07:00";

/// What a later version of the program may have written: of a shape that this one does not know, found as before.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Odd {
    id: String,
    indexes: Vec<(String, String)>,
}

impl Document for Odd {
    const KIND: &'static str = DirectiveDoc::KIND;
    const HAS_TIMES: bool = true;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<Index> {
        let field = "directive.record";
        let own = self.indexes.iter().filter(|(name, _)| name == field);
        own.map(|(_, value)| Index::new(field, value.clone()))
            .collect()
    }
}

/// A record of a shape that this version does not know.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct OddRecord(String);

impl Document for OddRecord {
    const KIND: &'static str = RecordDoc::KIND;

    fn key(&self) -> String {
        self.0.clone()
    }
}

/// A referral of a shape that this version does not know.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct OddReferral(String);

impl Document for OddReferral {
    const KIND: &'static str = ReferralDoc::KIND;

    fn key(&self) -> String {
        self.0.clone()
    }
}

/// Two people at CalWORKs, each with a consent that ends on the same day or with the same event.
async fn scene(expiry: &Value) -> Office {
    scene_with(&json!({ "expiry": expiry })).await
}

async fn scene_with(changes: &Value) -> Office {
    let office = Office::open().await;
    let other = person("Otto", "Otherfield", "1980-05-05", "91234567B");
    for (id, who, consent) in [("91234567A", marisol(), "d-1"), ("91234567B", other, "d-2")] {
        office.record("calworks", id, &who).await;
        let directive = release(consent, changes);
        let body = json!({ "directive": directive, "covers": [{ "system": "calworks-demo", "person": id }] });
        let captured = office.post("privacy", "/v1/consents", &body).await;
        assert_eq!(captured.status, StatusCode::CREATED, "{}", captured.text);
        let verify = format!("/v1/consents/{consent}/verify");
        let verified = office.post("privacy-second", &verify, &json!({})).await;
        assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
    }
    office
}

async fn put<D: Document>(office: &Office, document: &D) {
    let core = office.core();
    let mut tx = core.store.begin().await.unwrap();
    tx.put(document, core.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// Makes a consent unreadable. Returns what it was.
async fn spoil(office: &Office, id: &str) -> DirectiveDoc {
    let mut tx = office.core().store.snapshot().await.unwrap();
    let good = tx.get::<DirectiveDoc>(id).await.unwrap().unwrap();
    drop(tx);
    let indexes = good.indexes().into_iter();
    let odd = Odd {
        id: id.to_owned(),
        indexes: indexes
            .map(|index| (index.field.to_owned(), index.value))
            .collect(),
    };
    put(office, &odd).await;
    good
}

async fn at(office: &Office, instant: &str) {
    let core = office.core();
    core.clock.set(instant.parse().unwrap());
    expiries::look(&core).await.unwrap();
}

async fn stuck(office: &Office) -> Vec<Value> {
    let inbox = office.get("privacy", "/v1/privacy/inbox?kind=stuck").await;
    assert_eq!(inbox.status, StatusCode::OK, "{}", inbox.text);
    inbox.json()["entries"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_cannot_be_read_holds_up_no_other_and_is_looked_after_once_it_can_be() {
    let office = scene(&json!({ "date": "2026-06-29" })).await;
    let good = spoil(&office, "d-1").await;
    at(&office, OVER).await;
    assert_eq!(state(&office, "d-2").await, "expired");
    let entries = stuck(&office).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["consent"], "d-1");
    assert_eq!(entries[0]["error"], "stored directive has an unknown shape");
    assert_eq!(entries[0]["due"], "2026-06-30T08:00:00Z", "tried again");

    for query in ["", "?limit=1", "?state=expired"] {
        let mut path = format!("/v1/consents{query}");
        let (mut read, mut lost) = (Vec::new(), Vec::new());
        loop {
            let page = office.get("privacy", &path).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text);
            let page = page.json();
            read.extend(page["consents"].as_array().unwrap().clone());
            lost.extend(page["unreadable"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("/v1/consents?limit=1&after={next}");
        }
        assert_eq!(read.len(), 1, "{query}");
        assert_eq!(read[0]["id"], "d-2", "{query}");
        // By its state it is found no more: nothing tells where it stands.
        let is_found = query != "?state=expired";
        assert_eq!(lost.len(), usize::from(is_found), "{query}");
        assert!(lost.iter().all(|one| one["id"] == "d-1"), "{lost:?}");
    }
    let search = json!({ "record": { "system": "calworks-demo", "person": "91234567A" } });
    let found = office.post("privacy", "/v1/consents/search", &search).await;
    assert_eq!(found.json()["unreadable"][0]["id"], "d-1", "{}", found.text);

    // Tried again, it is noted once.
    at(&office, "2026-06-30T09:00:00-07:00").await;
    assert_eq!(office.audited("consent.stuck").await, 1);
    put(&office, &good).await;
    at(&office, "2026-06-30T09:00:01-07:00").await;
    assert_eq!(state(&office, "d-1").await, "expired");
    assert!(stuck(&office).await.is_empty());
    assert_eq!(office.audited("consent.freed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_whose_end_cannot_be_followed_stays_as_it_was_and_holds_up_no_other() {
    let office = scene(&json!({ "date": "2026-06-29" })).await;
    let key = RecordDoc::key_of(&RecordKey {
        system: "calworks-demo".parse().unwrap(),
        person: "91234567A".parse().unwrap(),
    });
    let mut tx = office.core().store.snapshot().await.unwrap();
    let record = tx.get::<RecordDoc>(&key).await.unwrap().unwrap();
    drop(tx);
    put(&office, &OddRecord(key)).await;
    at(&office, OVER).await;
    let ended = office.audited("consent.expire").await;
    assert_eq!(
        (state(&office, "d-2").await.as_str(), ended),
        ("expired", 1)
    );
    assert_eq!(
        state(&office, "d-1").await,
        "active",
        "nothing was half done"
    );
    let entries = stuck(&office).await;
    assert_eq!(entries[0]["consent"], "d-1", "{entries:?}");
    assert_eq!(entries[0]["error"], "stored record has an unknown shape");
    put(&office, &record).await;
    at(&office, "2026-06-30T01:00:00-07:00").await;
    assert_eq!(state(&office, "d-1").await, "expired");
    assert!(stuck(&office).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_about_an_unreadable_consent_is_parked_and_those_about_others_take_effect() {
    let office = scene(&json!({ "event": "Program exit" })).await;
    spoil(&office, "d-1").await;
    let exit = |id: &str| {
        json!({
            "occurred_at": "2026-02-02T08:30:00-08:00", "source_event_id": format!("exit-{id}"),
            "source_person_id": id, "type": "enrollment.ended",
            "payload": { "program": "calworks", "case": format!("case-{id}"), "people": [id], "status": "closed",
                         "from": "2026-01-05", "to": "2026-02-02" },
        })
    };
    let told = json!([exit("91234567A"), exit("91234567B")]);
    let answer = office.post("calworks", "/v1/events", &told).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
    assert_eq!(state(&office, "d-2").await, "expired");
    assert_eq!(office.audited("event.parked").await, 1);
    expiries::look(&office.core()).await.unwrap();
    assert_eq!(stuck(&office).await[0]["consent"], "d-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_about_an_unreadable_consent_waits_and_those_about_others_go_out() {
    let parties = json!({ "named": ["org-calworks", "org-cws"] });
    let office = scene_with(&json!({
        "expiry": { "date": "2026-06-29" }, "disclosers": parties, "recipients": parties,
        "categories": ["PERSON_INDEX", "CASH_AID", "CW_CASE", "CONTACT_LOCATION"],
    }))
    .await;
    let lane = |verb: &'static str| {
        let office = &office;
        async move {
            let path = format!("/v1/lanes/cws-demo/{verb}");
            let why = json!({ "reason": "the test looks at what waits" });
            let answer = office.post("operator", &path, &why).await;
            assert!(answer.status.is_success(), "{}", answer.text);
        }
    };
    lane("pause").await;
    for (reference, id) in [("R-1", "91234567A"), ("R-2", "91234567B")] {
        let mut asked = request(reference);
        asked["subjects"] = json!([id]);
        let asked = office.post("calworks", "/v1/referrals", &asked).await;
        assert_eq!(asked.json()["status"], "requested", "{}", asked.text);
    }
    let good = spoil(&office, "d-1").await;
    lane("resume").await;
    let told = office.message("cws-demo", OutboxState::Delivered).await;
    let waits = office.message("cws-demo", OutboxState::Failed).await;
    assert_ne!(told.id, waits.id);
    let note = "cannot be decided: stored directive has an unknown shape";
    assert_eq!((waits.note.as_deref(), waits.attempts), (Some(note), 0));
    put(&office, &good).await;
    office.core().clock.set(waits.due_at);
    office.delivered("cws-demo", waits.id).await;
}

/// CalWORKs tells one thing about the first of the two.
async fn told(office: &Office, event: Value) {
    let answer = office.post("calworks", "/v1/events", &json!([event])).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    office.settle().await;
}

/// What CalWORKs says of the first of the two by now.
fn changed(event: &str, family: &str) -> Value {
    let changed = person("Marisol", family, "1994-05-17", "91234567A");
    let mut record = record_received("91234567A", &changed);
    record["source_event_id"] = json!(event);
    record
}

/// A change of the record could not take effect; by now it could.
async fn held_up() -> Office {
    let office = scene(&json!({ "date": "2026-06-29" })).await;
    let good = spoil(&office, "d-1").await;
    told(&office, changed("changed-1", "Older")).await;
    assert_eq!(office.audited("event.parked").await, 1);
    put(&office, &good).await;
    office
        .core()
        .clock
        .set("2026-02-02T10:00:00-08:00".parse().unwrap());
    office
}

/// Replays all events: one is chosen, and left as it is for this reason. Returns the record as it stands then.
async fn left_alone(office: &Office, why: &str) -> RecordDoc {
    let dry = ["replay", "events", "--dry-run", "--json"];
    for arguments in [&dry[..], &["replay", "events", "--json"]] {
        let ended = command(office, arguments).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        let counts = ended.json();
        assert_eq!(counts["selected"], 1, "{counts}");
        assert_eq!(counts["skipped_for"], json!({ why: 1 }), "{counts}");
    }
    office.settle().await;
    let key = RecordDoc::key_of(&RecordKey {
        system: "calworks-demo".parse().unwrap(),
        person: "91234567A".parse().unwrap(),
    });
    let mut tx = office.core().store.snapshot().await.unwrap();
    tx.get::<RecordDoc>(&key).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_brings_no_record_back_that_was_sealed_since() {
    let office = held_up().await;
    let sealed = json!({
        "occurred_at": "2026-02-02T09:30:00-08:00", "source_event_id": "seal-1", "source_person_id": "91234567A",
        "type": "record.sealed", "payload": { "record_kind": "Client", "reason": "sealed" },
    });
    told(&office, sealed).await;
    let record = left_alone(&office, "something-was-sealed-since").await;
    assert_eq!(record.standing, Standing::Sealed);
    assert!(record.person.names.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_does_not_write_over_what_was_told_later() {
    let office = held_up().await;
    told(&office, changed("changed-2", "Newer")).await;
    let record = left_alone(&office, "a-later-event-took-effect").await;
    let names = serde_json::to_string(&record.person.names).unwrap();
    assert!(
        names.contains("Newer") && !names.contains("Older"),
        "{names}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_that_cannot_be_read_holds_up_the_timers_of_no_other() {
    let office = Office::open().await;
    referred(&office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    for number in 0..3 {
        put(&office, &OddReferral(format!("odd-{number}"))).await;
    }
    let core = office.core();
    core.clock.set("2026-02-03T09:00:01-08:00".parse().unwrap());
    timers::look(&core).await.unwrap();
    assert_eq!(office.audited("referral.timer").await, 1);
}
