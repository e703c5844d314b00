//! What the stored consents of other people cost: `cargo run --release -p tandem-tests --example consents -- 1000000`.
//!
//! Two gateways of one run, the first with a thousand consents in its store, the second with as many as the command line
//! names; each consent is of a person of its own. Of both is measured what a decision reads and what it costs, the look
//! at the times of consents, and what a privacy officer asks for over HTTP.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

#[expect(dead_code, reason = "the people's questions are for another example")]
mod county;

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::pipeline::expiries;
use tandem::pipeline::judge::{Ask, AskedItem};
use tandem::serve::Gateway;
use tandem::state::directive::DirectiveDoc;
use tandem::state::record::RecordDoc;
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::RecordKey;
use tandem_mappings::model::purpose::Purpose;

use county::{Invented, SYSTEM, deploy};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Consents in the smaller store.
const FEW: usize = 1_000;
/// Consents that are written in one transaction.
const COMMIT: usize = 5_000;
/// How often each thing is done that is measured.
const ROUNDS: usize = 200;

#[tokio::main]
async fn main() {
    let many = std::env::args().nth(1);
    let many: usize = many.map_or(100_000, |text| text.parse().unwrap());
    let _provider = rustls::crypto::ring::default_provider().install_default();
    let few = Box::pin(measured(FEW)).await;
    let many = Box::pin(measured(many)).await;
    println!(
        "{:<44} {:>12} {:>12} {:>7}",
        "median of", FEW, "many", "ratio"
    );
    for ((what, few), (_, many)) in few.iter().zip(&many) {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{what:<44} {few:>12.1?} {many:>12.1?} {ratio:>7.2}");
    }
}

type Figures = Vec<(&'static str, Duration)>;

/// The figures of a gateway with so many consents.
async fn measured(consents: usize) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    deploy(folder.path());
    let gateway = start(folder.path()).await;
    let (began, now) = (Instant::now(), Clock::System.now());
    for first in (0..consents).step_by(COMMIT) {
        let mut tx = gateway.core.store.begin().await.unwrap();
        for number in first..consents.min(first + COMMIT) {
            tx.put(&consent(number, now), now).await.unwrap();
            if number < FEW {
                tx.put(&record(number), now).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
    }
    println!("{consents} consents written in {:.1?}", began.elapsed());
    let began = Instant::now();
    let next = expiries::look(&gateway.core).await.unwrap();
    println!(
        "first look at their times in {:.1?}, the next at {next:?}",
        began.elapsed()
    );
    let token = std::fs::read_to_string(folder.path().join("privacy.token")).unwrap();
    let officer = Officer {
        client: reqwest::Client::new(),
        base: format!("http://{}", gateway.address),
        token,
    };
    let mut figures = Box::pin(within(&gateway)).await;
    figures.extend(officer.asks().await);
    gateway.stop().await;
    figures
}

async fn start(folder: &Path) -> Gateway {
    let loaded = Loaded::from_file(&folder.join("gateway.toml")).unwrap();
    Box::pin(Gateway::start(loaded, Clock::System))
        .await
        .unwrap()
}

/// What happens inside the gateway.
async fn within(gateway: &Gateway) -> Figures {
    let core = &gateway.core;
    let (mut reads, mut decisions) = (Vec::new(), [Vec::new(), Vec::new()]);
    for round in 0..ROUNDS {
        let record = record(round * 3 % FEW);
        let key = RecordDoc::key_of(&record.key);
        let mut tx = core.store.snapshot().await.unwrap();
        let began = Instant::now();
        let found = tx
            .find::<DirectiveDoc>("directive.record", &key)
            .await
            .unwrap();
        reads.push(began.elapsed());
        assert_eq!(found.len(), 1);
        for times in &mut decisions {
            // What a transaction has read it does not read again.
            let mut tx = core.store.snapshot().await.unwrap();
            let began = Instant::now();
            let judged = core
                .judge
                .weigh(&mut tx, ask(&record), Clock::System.now())
                .await
                .unwrap();
            times.push(began.elapsed());
            assert!(judged.judged.permits("cash"), "the consent opens it");
        }
    }
    let mut looks = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        expiries::look(core).await.unwrap();
        looks.push(began.elapsed());
    }
    let [first, again] = decisions;
    vec![
        ("reading a person's consents", median(reads)),
        ("a decision with its reading", median(first)),
        ("the same decision again", median(again)),
        ("a look at the times of consents", median(looks)),
    ]
}

fn ask(record: &RecordDoc) -> Ask<'static> {
    let [calworks, cws] =
        ["org-calworks", "org-cws"].map(|id| Box::leak(Box::new(id.parse().unwrap())));
    Ask {
        action: Action::Disclose,
        purpose: Purpose::CoordinationOfCare,
        requester: calworks,
        recipient: cws,
        person: Some(record.person_id),
        items: vec![AskedItem {
            id: "cash".to_owned(),
            category: Category::CashAid,
            labels: std::collections::BTreeSet::new(),
            labelled_by: std::collections::BTreeSet::new(),
            source: "org-calworks".parse().unwrap(),
            authored: None,
        }],
        holds_copy: false,
        serves_subject: true,
    }
}

/// A privacy officer who asks over HTTP.
struct Officer {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Officer {
    async fn asks(&self) -> Figures {
        let (mut inbox, mut one, mut page) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            inbox.push(self.get("/v1/privacy/inbox").await);
            let record = json!({"system": SYSTEM, "person": (round * 3 % FEW).to_string()});
            one.push(
                self.post("/v1/consents/search", &json!({"record": record}))
                    .await,
            );
            page.push(self.get("/v1/consents?category=CASH_AID&limit=50").await);
        }
        vec![
            ("the officer's inbox", median(inbox)),
            ("a search by record", median(one)),
            ("a page of a search by category", median(page)),
        ]
    }

    async fn get(&self, path: &str) -> Duration {
        self.timed(self.client.get(format!("{}{path}", self.base)))
            .await
    }

    async fn post(&self, path: &str, body: &Value) -> Duration {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json");
        self.timed(request.body(body.to_string())).await
    }

    async fn timed(&self, request: reqwest::RequestBuilder) -> Duration {
        let began = Instant::now();
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        began.elapsed()
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn key(number: usize) -> RecordKey {
    serde_json::from_value(json!({ "system": SYSTEM, "person": number.to_string() })).unwrap()
}

/// A consent of a person of its own. One in a thousand waits to be verified; the ends lie in the coming four years.
fn consent(number: usize, now: Timestamp) -> DirectiveDoc {
    let state = if number % 1_000 == 999 {
        "signed_unverified"
    } else {
        "active"
    };
    let organizations = [
        "org-calworks",
        "org-cws",
        "org-clinic",
        "org-bh",
        "org-hmis",
    ];
    let directive: Directive = serde_json::from_value(json!({
        "id": format!("d-{number}"), "version": 1, "subject": "p", "state": state,
        "signer": {"who": "p", "capacity": "self"},
        "form_template": {"id": "county-general-release", "version": "2026-1", "language": "en"},
        "method": "e_signature", "captured_by": "w-1", "captured_at": "2026-02-02T10:00:00-08:00",
        "verified_by": "w-2", "verified_at": "2026-02-02T11:00:00-08:00", "effect": "permit",
        "categories": ["CASH_AID", "HOMELESS_SERVICES"], "disclosers": organizations,
        "recipients": organizations, "purposes": ["COC"], "valid_from": "2026-02-02",
        "expiry": {"date": format!("{}-{:02}-28", 2028 + number % 4, 1 + number % 12)}
    }))
    .unwrap();
    DirectiveDoc::new(directive, vec![key(number)], "w-1".to_owned(), now, 0)
}

fn record(number: usize) -> RecordDoc {
    let id = format!("01900000-0000-7000-8000-{number:012x}");
    let at = "2026-02-02T17:00:00Z";
    let mut person = Invented(number).person();
    // Old enough to sign.
    person["birth"]["date"] = json!("1980-01-01");
    serde_json::from_value(json!({
        "key": key(number), "record_kind": "caseload", "person": person,
        "person_id": id, "standing": "active", "may_match": true, "intake_decision": id,
        "memberships": [], "first_received_at": at, "received_at": at,
    }))
    .unwrap()
}
