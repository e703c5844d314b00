//! A revocation holds at once and is never given up, however much was told and whether its caller waits or not.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::pipeline::consents::{self, Captured, Taken};
use tandem::pipeline::core::Core;
use tandem::pipeline::expiries;
use tandem::pipeline::proposal::Proposal;
use tandem::state::disclosure::DisclosureDoc;
use tandem::state::recalling::{Reached, RecallingDoc};
use tandem::store::{OutboxRow, OutboxState};
use tandem_adapter_port::outbound::OutboundBody;
use tandem_mappings::model::id::{MessageId, PersonId, RecordKey};
use tandem_simulators::postgres::Cluster;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::api_office::Office;
use crate::api_referrals::{asked, release};
use crate::processes::in_postgres;

const PATIENCE: Duration = Duration::from_secs(120);
const LIMITS: &str = "limits = { requests_per_second = 1000, burst = 1000 }";
/// So much was told that it takes many transactions to look at it.
const MANY: usize = 300;
const REVOKE: &str = "/v1/consents/consent-1/revoke";

/// An office in which child welfare was told so many messages about a mother who permits it. Their ids.
async fn told(settings: &str, count: usize) -> (Office, Vec<MessageId>) {
    let office = Office::with(&format!("{LIMITS}\n{settings}")).await;
    asked(&office).await;
    let first = office
        .row(|row| row.lane == "cws-demo" && row.kind == "referral")
        .await;
    let told = copies(&office.core(), &first, count).await;
    (office, told)
}

/// A message that was told is told so often, under an id of its own each time.
pub(crate) async fn copies(core: &Core, first: &OutboxRow, count: usize) -> Vec<MessageId> {
    let mut tx = core.store.begin().await.unwrap();
    let held: DisclosureDoc = tx.get(&first.id.to_string()).await.unwrap().unwrap();
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = MessageId(uuid::Uuid::now_v7());
        let row = OutboxRow {
            id,
            state: OutboxState::Acknowledged,
            ..first.clone()
        };
        tx.add_outbox(&row).await.unwrap();
        let held = DisclosureDoc {
            message: id,
            ..held.clone()
        };
        tx.put(&held, core.clock.now()).await.unwrap();
        ids.push(id);
    }
    tx.commit().await.unwrap();
    ids
}

fn revocation() -> Value {
    json!({ "categories": [], "channel": "phone" })
}

/// Waits until nothing that was told is looked at any more.
pub(crate) async fn at_rest(core: &Core) {
    let mut changed = core.changed.subscribe();
    let resting = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            let docs: Vec<RecallingDoc> = tx.all().await.unwrap();
            drop(tx);
            if docs.iter().all(is_beyond_help) {
                return;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, resting).await.unwrap();
}

/// A look of which nobody can say how far it came.
fn is_beyond_help(document: &RecallingDoc) -> bool {
    let reached = document.reached.as_ref();
    reached.is_some_and(|reached| reached.place == "nowhere")
}

/// Waits for something that nobody announces.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

/// The messages that recall notices name, each as often as it is named.
pub(crate) async fn recalled(core: &Core) -> Vec<MessageId> {
    let mut tx = core.store.snapshot().await.unwrap();
    let rows = tx.outbox_in(&OutboxState::ALL).await.unwrap();
    let named = rows
        .iter()
        .filter(|row| row.kind == "recall")
        .flat_map(|row| {
            let proposal: Proposal = serde_json::from_slice(&row.content).unwrap();
            match proposal.body {
                OutboundBody::Recall(recall) => recall.messages,
                _ => Vec::new(),
            }
        });
    let mut named: Vec<MessageId> = named.collect();
    named.sort_unstable();
    named
}

/// Every message is recalled, and none twice.
pub(crate) async fn each_is_recalled_once(core: &Core, told: &[MessageId]) {
    let recalled = recalled(core).await;
    let twice = recalled.windows(2).find(|two| two[0] == two[1]);
    assert_eq!(twice, None, "recalled twice");
    let missed = told.iter().filter(|id| !recalled.contains(id)).count();
    assert_eq!(missed, 0, "of {} were not recalled", told.len());
}

async fn standing(office: &Office) -> Value {
    let path = "/v1/consents/consent-1";
    office.get("privacy", path).await.json()["current"]["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_waits_for_what_was_told_and_names_all_that_is_recalled() {
    let (office, told) = told("", 100).await;
    let answer = office.post("privacy", REVOKE, &revocation()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = answer.json();
    let named = answer["recalled"].as_array().unwrap();
    assert!(told.iter().all(|id| named.contains(&json!(id))), "{answer}");
    assert_eq!(answer.get("recalling"), None, "nothing is left");
    each_is_recalled_once(&office.core(), &told).await;
    let again = office.post("privacy", REVOKE, &revocation()).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
}

/// The officer asks for a revocation, and the connection breaks before anybody could answer.
async fn hangs_up_at_once(settings: &str) {
    let (office, told) = told(settings, MANY).await;
    let core = office.core();
    let others = core.store.begin().await.unwrap();
    let mut connection = tokio::net::TcpStream::connect(office.address())
        .await
        .unwrap();
    let body = revocation().to_string();
    let request = format!(
        "POST {REVOKE} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer privacy\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    // It waits for its turn to write.
    until(|| !core.owed.is_empty()).await;
    connection.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let hung_up = connection.read_to_end(&mut answer);
    let _reset = tokio::time::timeout(PATIENCE, hung_up).await.unwrap();
    assert!(answer.is_empty(), "somebody still waited for it");
    drop(others);
    until(|| core.owed.is_empty()).await;
    assert_eq!(standing(&office).await, "revoked");
    at_rest(&core).await;
    each_is_recalled_once(&core, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_whose_caller_hangs_up_at_once_holds_and_all_that_was_told_is_recalled() {
    hangs_up_at_once("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_revocation_whose_caller_hangs_up_at_once_holds_and_all_is_recalled() {
    let cluster = Cluster::start(false).unwrap();
    hangs_up_at_once(&in_postgres(&cluster)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_have_their_turn_to_write_while_much_that_was_told_is_looked_at() {
    let (office, told) = told("", MANY).await;
    let core = office.core();
    let writes = async {
        let mut changed = core.changed.subscribe();
        let (mut has_begun, mut turns) = (false, 0);
        loop {
            let mut tx = core.store.begin().await.unwrap();
            let docs: Vec<RecallingDoc> = tx.all().await.unwrap();
            let now = core.clock.now();
            tx.audit(now, "operator", "test.turn", "", "")
                .await
                .unwrap();
            tx.commit().await.unwrap();
            match (docs.is_empty(), has_begun) {
                (false, _) => (has_begun, turns) = (true, turns + 1),
                (true, true) => return turns,
                (true, false) => changed.changed().await.unwrap(),
            }
        }
    };
    let body = revocation();
    let revoked = office.post("privacy", REVOKE, &body);
    let both = async { tokio::join!(writes, revoked) };
    let (turns, answer) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(turns >= 3, "others wrote {turns} times meanwhile");
    each_is_recalled_once(&core, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_permitted_again_before_it_was_looked_at_stays_with_its_holder() {
    let (office, told) = told("", MANY).await;
    let core = office.core();
    let mut tx = core.store.begin().await.unwrap();
    let (id, taken) = ("consent-1".parse().unwrap(), Taken::default());
    let revoked = Box::pin(consents::revoke(&core, &mut tx, &id, &taken, "privacy")).await;
    assert!(revoked.unwrap().1.goes_on, "there is more to look at");

    let later = core.clock.now().checked_add(SignedDuration::from_secs(60));
    core.clock.set(later.unwrap());
    let mut anew = release();
    anew["id"] = json!("consent-2");
    let captured = Captured {
        directive: serde_json::from_value(anew).unwrap(),
        covers: vec![RecordKey {
            system: "calworks-demo".parse().unwrap(),
            person: "91234567A".parse().unwrap(),
        }],
        actor: "privacy",
        consent: None,
        filed_by: None,
    };
    let captured = Box::pin(consents::capture(&core, &mut tx, captured)).await;
    let id = captured.unwrap().directive.id;
    let verified = Box::pin(consents::verify(&core, &mut tx, &id, "privacy-second")).await;
    verified.unwrap();
    tx.commit().await.unwrap();
    core.wake();
    at_rest(&core).await;
    let recalled = recalled(&core).await;
    let count = told.iter().filter(|id| recalled.contains(id)).count();
    assert!((1..MANY / 2).contains(&count), "{count} were recalled");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_consent_ends_by_itself_all_that_was_told_on_it_is_recalled_once() {
    let (office, told) = told("", 100).await;
    let core = office.core();
    core.clock.set("2027-02-02T00:00:00-08:00".parse().unwrap());
    expiries::look(&core).await.unwrap();
    assert_eq!(standing(&office).await, "expired");
    at_rest(&core).await;
    each_is_recalled_once(&core, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_for_whom_the_look_fails_holds_up_no_other_and_is_shown_to_the_operator() {
    let (office, told) = told("", 100).await;
    let core = office.core();
    let nobody = PersonId(uuid::Uuid::nil());
    let document = RecallingDoc {
        reached: Some(Reached {
            id: nobody,
            place: "nowhere".to_owned(),
        }),
        ..RecallingDoc::new(nobody, core.clock.now())
    };
    let mut tx = core.store.begin().await.unwrap();
    tx.put(&document, core.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let answer = office.post("privacy", REVOKE, &revocation()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    at_rest(&core).await;
    each_is_recalled_once(&core, &told).await;
    let hour = core.clock.now().checked_add(SignedDuration::from_hours(1));
    core.clock.set(hour.unwrap());
    let shown = office.get("operator", "/metrics").await.text;
    for figure in ["pending 1", "oldest_age_seconds 3600"] {
        assert!(
            shown.contains(&format!("tandem_recalls_{figure}\n")),
            "{figure}"
        );
    }
}
