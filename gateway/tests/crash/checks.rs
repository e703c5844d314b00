//! What must hold after a round.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::state::recalling::RecallingDoc;
use tandem::store::{EventState, OutboxRow, OutboxState, Store};
use tandem_mappings::model::id::MessageId;

use crate::county::County;
use crate::family::{Family, day_of};

/// How the partner refuses a message for good.
const REFUSALS: [&str; 2] = ["the partner answered 409", "the partner answered 412"];
/// Longest time until a county at rest is at rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until nothing is under way, and looks at everything. Returns what was counted.
pub(crate) async fn check(county: &County) -> Value {
    let store = county.store().await;
    let stands = at_rest(county, &store).await;
    no_complaints(county);
    for family in &county.families {
        assert_eq!(
            heard_by_cws(county, family),
            days(family.told.by_calworks),
            "what child welfare heard of {family:?}"
        );
        assert_eq!(
            heard_by_calworks(county, family),
            days(family.told.by_cws),
            "what CalWORKs heard of {family:?}"
        );
    }
    for family in &county.gone {
        for (heard, told) in [
            (heard_by_cws(county, family), family.told.by_calworks),
            (heard_by_calworks(county, family), family.told.by_cws),
        ] {
            let told = days(told);
            assert!(
                told.starts_with(&heard),
                "of {family:?}, who went away, was heard {heard:?}"
            );
        }
        nothing_left_after(county, &store, family).await;
    }
    store.close().await;
    stands
}

fn no_complaints(county: &County) {
    let complaints: Vec<String> = county
        .partner
        .violations()
        .iter()
        .chain(&county.calworks.violations())
        .map(ToString::to_string)
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// Waits until every event took effect, no lane has anything to do, and nothing that was told is still looked at.
async fn at_rest(county: &County, store: &Store) -> Value {
    let look = async {
        loop {
            send_again(county, store).await;
            let mut tx = store.snapshot().await.unwrap();
            let waiting = tx.count_events(EventState::Waiting).await.unwrap()
                + tx.count_events(EventState::Staged).await.unwrap();
            // A file that CalWORKs has not acknowledged may not have been read yet.
            let on_its_way = [
                OutboxState::Queued,
                OutboxState::Failed,
                OutboxState::Delivered,
            ];
            let under_way = tx.outbox_in(&on_its_way).await.unwrap();
            let recalling = tx.all::<RecallingDoc>().await.unwrap();
            no_complaints(county);
            if waiting == 0 && recalling.is_empty() && under_way.iter().all(|row| !is_served(row)) {
                let counts = tx.lane_counts().await.unwrap();
                for state in [EventState::Parked, EventState::Deferred] {
                    let notes = tx.events_aside(state, 10).await.unwrap();
                    assert!(notes.is_empty(), "{state:?}: {notes:#?}");
                }
                let counts = counts.iter().map(|count| {
                    json!(format!(
                        "{} {} {}",
                        count.count,
                        count.lane,
                        count.state.code()
                    ))
                });
                return counts.collect::<Value>();
            }
            drop(tx);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, look).await;
    if let Ok(found) = found {
        return found;
    }
    no_complaints(county);
    let mut tx = store.snapshot().await.unwrap();
    let waiting = [
        OutboxState::Queued,
        OutboxState::Failed,
        OutboxState::Parked,
        OutboxState::Delivered,
    ];
    let stuck = tx.outbox_in(&waiting).await;
    let stuck: Vec<String> = stuck
        .unwrap()
        .iter()
        .filter(|row| is_served(row))
        .map(|row| {
            format!(
                "{} of {} {:?}, attempts {}, due {}, {:?}",
                row.kind, row.lane, row.state, row.attempts, row.due_at, row.note
            )
        })
        .collect();
    let recalling = tx.all::<RecallingDoc>().await.unwrap().len();
    panic!("stuck: {stuck:#?}, recalls that do not end: {recalling}")
}

/// What the partner refused stands still until the operator has asked it why, and sends it again.
async fn send_again(county: &County, store: &Store) {
    let mut tx = store.snapshot().await.unwrap();
    let parked = tx.outbox_in(&[OutboxState::Parked]).await.unwrap();
    drop(tx);
    for row in parked.iter().filter(|row| is_served(row)) {
        let note = row.note.as_deref().unwrap_or_default();
        let is_refusal = REFUSALS.iter().any(|refusal| note.ends_with(refusal));
        assert!(is_refusal, "parked: {note}");
        let body = json!({ "message": row.id.to_string() });
        let path = format!("/v1/lanes/{}/replay", row.lane);
        county
            .office(0)
            .post("operator", &path, &body)
            .await
            .unwrap();
        county.sent_again.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether somebody takes the messages of its lane: nobody answers for the others.
fn is_served(row: &OutboxRow) -> bool {
    row.lane == "cws-demo" || row.lane == "calworks-demo"
}

fn days(told: u32) -> Vec<String> {
    (1..=told).map(day_of).collect()
}

fn is_about(case_ids: &[String], family: &Family) -> bool {
    let case = family.cws_case().replace('-', "");
    case_ids.iter().any(|id| id.replace('-', "") == case)
}

/// The standings of a family in the order in which child welfare took them in.
fn heard_by_cws(county: &County, family: &Family) -> Vec<String> {
    let received = county.partner.received();
    let of_family = received
        .iter()
        .filter(|one| is_about(&one.content.case_ids, family));
    let tasks = of_family.flat_map(|one| one.content.plan.iter().flat_map(|plan| &plan.tasks));
    tasks.map(|task| task.start.clone()).collect()
}

/// The days in court of a family in the order in which CalWORKs took them in.
fn heard_by_calworks(county: &County, family: &Family) -> Vec<String> {
    let received = county.calworks.received();
    let told = received.iter().map(|one| &one.content).filter(|message| {
        message.field("case_number") == family.calworks_case()
            && message.field("reason_text").starts_with("court.date")
    });
    told.map(|message| message.field("effective_date").to_owned())
        .collect()
}

/// Of a family whose consent is taken back nothing was tried any more, and what had been told is taken back.
async fn nothing_left_after(county: &County, store: &Store, family: &Family) {
    let revoked = family.revoked.unwrap();
    let received = county.partner.received();
    let told: Vec<MessageId> = received
        .iter()
        .filter(|one| is_about(&one.content.case_ids, family))
        .filter(|one| one.content.plan.is_some())
        .map(|one| MessageId(one.message_id.parse().unwrap()))
        .collect();
    let mut tx = store.snapshot().await.unwrap();
    for message in &told {
        for attempt in tx.attempts(*message).await.unwrap() {
            // One that was decided against tried nothing.
            assert!(
                attempt.started_at < revoked || attempt.outcome == "withdrawn",
                "{attempt:?} of {family:?}, though consent was taken back"
            );
        }
    }
    let told_ids: Vec<String> = told.iter().map(ToString::to_string).collect();
    let recalls: Vec<&str> = received
        .iter()
        .filter(|one| !told_ids.contains(&one.content.message_id))
        .map(|one| one.content.raw.as_str())
        .collect();
    for message in told {
        assert!(
            recalls.iter().any(|raw| raw.contains(&message.to_string())),
            "{message} of {family:?} was not recalled"
        );
    }
}
