//! Whatever stands in a store: nothing goes that is below its term, needed or held, and everything else does.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod disconnected;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use tandem::pipeline::proposal::Proposal;
use tandem::pipeline::retention;
use tandem::state::directive::DirectiveDoc;
use tandem::state::disclosure::DisclosureDoc;
use tandem::state::legal_hold::HoldScope;
use tandem::state::recalling::{Reached, RecallingDoc};
use tandem::state::record::{RecordDoc, Standing};
use tandem::store::{Document as _, NewDecision, OutboxRow, OutboxState, Stage, Tx};
use tandem_adapter_port::outbound::{OutboundBody, RecallView};
use tandem_consent::Action;
use tandem_mappings::model::id::{DecisionId, MessageId, PersonId, RecordKey};
use tandem_mappings::model::person::PersonRecord;

use crate::api_office::{Office, START};
use crate::api_referrals::release;
use crate::api_retention::run;

const PEOPLE: usize = 4;
/// Runs after which everything that may go is gone: what one frees goes with the next.
const RUNS: usize = 4;

/// A decision that permitted nothing.
pub(crate) fn decision(person: Option<PersonId>, at: Timestamp) -> NewDecision {
    NewDecision {
        id: DecisionId(uuid::Uuid::now_v7()),
        decided_at: at,
        action: "disclose".to_owned(),
        stage: Stage::Query.code().to_owned(),
        outcome: "deny".to_owned(),
        recipient: "org-bh".to_owned(),
        person,
        bundle: "sha256:rules".to_owned(),
        link_version: 1,
        record: "{}".to_owned(),
        evidence: Vec::new(),
    }
}

/// An age around the ends of the terms.
#[derive(Debug, Clone, Copy)]
enum Age {
    /// So many years to the instant.
    Years(i16),
    /// So many, and a microsecond more.
    Past(i16),
    /// So many days.
    Days(i64),
}

impl Age {
    fn at(self) -> Timestamp {
        let start: jiff::Zoned = format!("{START}[America/Los_Angeles]").parse().unwrap();
        match self {
            Self::Years(years) => start.checked_sub(years.years()).unwrap().timestamp(),
            Self::Past(years) => {
                let at = Self::Years(years).at();
                at - SignedDuration::from_micros(1)
            }
            Self::Days(days) => start.timestamp() - SignedDuration::from_hours(days * 24),
        }
    }

    fn is_past(self, years: i16) -> bool {
        self.at() < Self::Years(years).at()
    }
}

fn age() -> impl Strategy<Value = Age> {
    prop_oneof![
        (5_i16..9).prop_map(Age::Years),
        (5_i16..9).prop_map(Age::Past),
        (0_i64..4_000).prop_map(Age::Days),
    ]
}

#[derive(Debug, Clone)]
enum Row {
    Decision(Age),
    /// A delivered message, and whether its holder was told to stop.
    Message(Age, bool),
    /// A consent, and whether it has ended.
    Consent(Age, bool),
}

fn row() -> impl Strategy<Value = Row> {
    prop_oneof![
        age().prop_map(Row::Decision),
        (age(), any::<bool>()).prop_map(|(age, is_recalled)| Row::Message(age, is_recalled)),
        (age(), any::<bool>()).prop_map(|(age, has_ended)| Row::Consent(age, has_ended)),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    /// The age of each person's record.
    people: Vec<Age>,
    /// Rows about a person.
    rows: Vec<(usize, Row)>,
    /// Who is held.
    held: BTreeSet<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    let rows = prop::collection::vec((0..PEOPLE, row()), 0..12);
    let held = prop::collection::btree_set(0..PEOPLE, 0..3);
    (prop::collection::vec(age(), PEOPLE), rows, held).prop_map(|(people, rows, held)| Case {
        people,
        rows,
        held,
    })
}

/// Where a row of a case was put.
enum Put {
    Decision(DecisionId),
    Message(MessageId),
    Consent(String),
}

pub(crate) fn record(key: &RecordKey, person: PersonId, at: Timestamp) -> RecordDoc {
    RecordDoc {
        key: key.clone(),
        record_kind: "Client".to_owned(),
        person: PersonRecord::default(),
        labels: BTreeSet::new(),
        labelled_by: BTreeSet::new(),
        person_id: person,
        former: Vec::new(),
        standing: Standing::Active,
        may_match: false,
        intake_decision: DecisionId(uuid::Uuid::now_v7()),
        memberships: Vec::new(),
        first_received_at: at,
        received_at: at,
    }
}

fn recall() -> Vec<u8> {
    let proposal = Proposal {
        sender: "gateway".parse().unwrap(),
        recipient: "org-cws".parse().unwrap(),
        recipient_system: "cws-demo".parse().unwrap(),
        action: Action::Notify,
        people: Vec::new(),
        recipient_case: None,
        case: "case".to_owned(),
        effect_key: uuid::Uuid::now_v7().to_string(),
        items: Vec::new(),
        body: OutboundBody::Recall(Box::new(RecallView {
            messages: Vec::new(),
            duties: Vec::new(),
        })),
        referral: None,
        episode: None,
    };
    serde_json::to_vec(&proposal).unwrap()
}

async fn message(tx: &mut Tx, person: PersonId, at: Timestamp, is_recalled: bool) -> MessageId {
    let message = OutboxRow {
        id: MessageId(uuid::Uuid::now_v7()),
        position: 0,
        lane: "cws-demo".to_owned(),
        case_key: vec![1],
        kind: "recall".to_owned(),
        state: OutboxState::Delivered,
        attempts: 1,
        due_at: at,
        created_at: at,
        changed_at: at,
        decision: DecisionId(uuid::Uuid::now_v7()),
        file: None,
        is_handed: false,
        fault: None,
        note: None,
        content: recall(),
        trace: None,
    };
    let queued = OutboxRow {
        state: OutboxState::Queued,
        ..message.clone()
    };
    tx.add_outbox(&queued).await.unwrap();
    assert!(
        tx.move_outbox(&message, OutboxState::Queued, at)
            .await
            .unwrap()
    );
    let disclosure = DisclosureDoc {
        message: message.id,
        holder: "cws-demo".parse().unwrap(),
        people: vec![person],
        permitted: Vec::new(),
        decision: message.decision,
        is_recalled,
        recalled_at: None,
        is_presumed: false,
    };
    tx.put(&disclosure, at).await.unwrap();
    message.id
}

async fn put(tx: &mut Tx, key: &RecordKey, person: PersonId, row: &Row) -> Put {
    match row {
        Row::Decision(age) => {
            let row = decision(Some(person), age.at());
            let id = row.id;
            tx.add_decision(row).await.unwrap();
            Put::Decision(id)
        }
        Row::Message(age, is_recalled) => {
            Put::Message(message(tx, person, age.at(), *is_recalled).await)
        }
        Row::Consent(age, has_ended) => {
            let mut told = release();
            let id = uuid::Uuid::now_v7().to_string();
            told["id"] = json!(id);
            told["state"] = json!(if *has_ended { "revoked" } else { "active" });
            let directive = serde_json::from_value(told).unwrap();
            let covers = vec![key.clone()];
            let document = DirectiveDoc::new(directive, covers, "privacy".into(), age.at(), 0);
            tx.put(&document, age.at()).await.unwrap();
            tx.put_scan(&id, b"%PDF invented", age.at()).await.unwrap();
            Put::Consent(id)
        }
    }
}

async fn stands(tx: &mut Tx, put: &Put) -> bool {
    match put {
        Put::Decision(id) => tx.decision(*id).await.unwrap().is_some(),
        Put::Message(id) => {
            let content = tx.message_is_kept(*id).await.unwrap();
            let copy = tx.get::<DisclosureDoc>(&id.to_string()).await.unwrap();
            assert_eq!(
                content,
                copy.is_some(),
                "the content goes with who holds it"
            );
            content
        }
        Put::Consent(id) => {
            let consent = tx.get::<DirectiveDoc>(id).await.unwrap().is_some();
            assert_eq!(
                tx.scan(id).await.unwrap().is_some(),
                consent,
                "a scan goes with its consent"
            );
            consent
        }
    }
}

/// Whether a row stays by the rules as they are written down, whatever a run does.
fn stays(case: &Case, person: usize, row: &Row) -> bool {
    let of_person = || case.rows.iter().filter(|(whose, _)| *whose == person);
    let has_consent = || of_person().any(|(_, row)| matches!(row, Row::Consent(_, false)));
    let is_below = match row {
        Row::Decision(age) | Row::Message(age, _) | Row::Consent(age, _) => !age.is_past(6),
    };
    let is_needed = match row {
        Row::Decision(_) => false,
        Row::Message(_, is_recalled) => !is_recalled && has_consent(),
        Row::Consent(_, has_ended) => !has_ended,
    };
    is_below || is_needed || case.held.contains(&person)
}

/// Whether a person's record stays: while anything about the person does.
fn record_stays(case: &Case, person: usize, age: Age) -> bool {
    let mut rows = case.rows.iter().filter(|(whose, _)| *whose == person);
    !age.is_past(7)
        || case.held.contains(&person)
        || rows.any(|(whose, row)| stays(case, *whose, row))
}

async fn check(office: &Office, case: &Case) -> Result<(), TestCaseError> {
    let core = office.core();
    let people: Vec<(RecordKey, PersonId)> = (0..PEOPLE)
        .map(|_| {
            let key = RecordKey {
                system: "calworks-demo".parse().unwrap(),
                person: uuid::Uuid::now_v7().to_string().parse().unwrap(),
            };
            (key, PersonId(uuid::Uuid::now_v7()))
        })
        .collect();
    let mut tx = core.store.begin().await.unwrap();
    for ((key, person), age) in people.iter().zip(&case.people) {
        tx.put(&record(key, *person, age.at()), age.at())
            .await
            .unwrap();
    }
    let mut rows = Vec::new();
    for (person, row) in &case.rows {
        let (key, id) = &people[*person];
        rows.push(put(&mut tx, key, *id, row).await);
    }
    tx.commit().await.unwrap();
    let mut holds = Vec::new();
    for person in &case.held {
        let scope = HoldScope::Record(people[*person].0.clone());
        let hold = retention::place(&core, "privacy", scope, "letter".into()).await;
        holds.push(hold.unwrap().id);
    }
    for _ in 0..RUNS {
        run(office, "confirm").await;
    }
    let mut tx = core.store.snapshot().await.unwrap();
    for ((person, row), put) in case.rows.iter().zip(&rows) {
        let is_there = stands(&mut tx, put).await;
        prop_assert_eq!(
            is_there,
            stays(case, *person, row),
            "{:?} of {}",
            row,
            person
        );
    }
    for (place, ((key, _), age)) in people.iter().zip(&case.people).enumerate() {
        let known = tx.get::<RecordDoc>(&RecordDoc::key_of(key)).await.unwrap();
        let is_there = known.is_some();
        prop_assert_eq!(
            is_there,
            record_stays(case, place, *age),
            "record {}",
            place
        );
    }
    drop(tx);
    for hold in holds {
        let released = retention::release(&core, "privacy", hold, "over".into()).await;
        released.unwrap();
    }
    Ok(())
}

#[test]
fn nothing_goes_that_is_below_its_term_or_needed_or_held_and_everything_else_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let office = runtime.block_on(Office::open());
    let mut runner = TestRunner::new(Config {
        cases: 32,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&case(), |case| runtime.block_on(check(&office, &case)));
    outcome.unwrap();
    runtime.block_on(office.stopped());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_past_its_term_stays_while_it_is_looked_at_for_what_must_be_recalled() {
    let office = Office::open().await;
    let core = office.core();
    let (old, person) = (Age::Past(8).at(), PersonId(uuid::Uuid::now_v7()));
    let key = RecordKey {
        system: "calworks-demo".parse().unwrap(),
        person: "91234567A".parse().unwrap(),
    };
    // Nobody can say how far it came, so that it does not end by itself.
    let look = RecallingDoc {
        reached: Some(Reached {
            id: person,
            place: "nowhere".to_owned(),
        }),
        ..RecallingDoc::new(person, old)
    };
    let mut tx = core.store.begin().await.unwrap();
    tx.put(&record(&key, person, old), old).await.unwrap();
    let told = Put::Message(message(&mut tx, person, old, false).await);
    tx.put(&look, old).await.unwrap();
    tx.commit().await.unwrap();
    for (is_looked_at, runs) in [(true, 1), (false, RUNS)] {
        if !is_looked_at {
            let mut tx = core.store.begin().await.unwrap();
            tx.remove::<RecallingDoc>(&look.key()).await.unwrap();
            tx.commit().await.unwrap();
        }
        for _ in 0..runs {
            run(&office, "confirm").await;
        }
        let mut tx = core.store.snapshot().await.unwrap();
        assert_eq!(stands(&mut tx, &told).await, is_looked_at);
        let key = RecordDoc::key_of(&key);
        let known = tx.get::<RecordDoc>(&key).await.unwrap().is_some();
        assert_eq!(known, is_looked_at, "the record");
    }
}
