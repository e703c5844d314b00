//! The contract of the store.

mod apart;
mod basis;
mod disposal;
mod outdated;
mod relied;
mod rotation;

use std::path::Path;

use tandem_mappings::model::id::{DecisionId, MessageId, SystemId};
use tandem_simulators::postgres::Cluster;

use super::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, PartialEq, Debug)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) owner: String,
}

impl Document for Note {
    const KIND: &'static str = "note";

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new("note.owner", self.owner.clone())]
    }
}

/// A decision about nobody.
pub(super) fn decision(id: u128, stage: Stage, outcome: &str) -> NewDecision {
    NewDecision {
        id: DecisionId(uuid::Uuid::from_u128(id)),
        decided_at: now(),
        action: "match".to_owned(),
        stage: stage.code().to_owned(),
        outcome: outcome.to_owned(),
        recipient: "org-calworks".to_owned(),
        person: None,
        bundle: "none".to_owned(),
        link_version: 0,
        record: "null".to_owned(),
        evidence: Vec::new(),
    }
}

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) address: Option<PgConnectOptions>,
    /// Ends after its connections.
    pub(super) cluster: Option<Cluster>,
}

impl Place {
    /// The store as a gateway finds it that starts after this one was stopped.
    pub(crate) async fn again(&self) -> Store {
        let sealer = sealer(self.folder.path());
        match &self.address {
            Some(address) => Store::open_postgres(address.clone(), sealer).await.unwrap(),
            None => {
                let file = self.folder.path().join("tandem.sqlite");
                Store::open(&file, sealer).await.unwrap()
            }
        }
    }

    /// Another gateway on the same database.
    pub(super) async fn another(&self) -> Store {
        let address = self.address.clone().unwrap();
        let sealer = sealer(self.folder.path());
        Store::open_postgres(address, sealer).await.unwrap()
    }
}

pub(crate) fn sealer(folder: &Path) -> Sealer {
    let county = "demo-county".parse().unwrap();
    Sealer::open_or_create(&folder.join("root.key"), county).unwrap()
}

pub(crate) async fn on_sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tandem.sqlite");
    let store = Store::open(&file, sealer(folder.path())).await.unwrap();
    Place {
        folder,
        store,
        address: None,
        cluster: None,
    }
}

pub(crate) async fn on_postgres() -> Place {
    let cluster = Cluster::start(false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address: PgConnectOptions = cluster.database().unwrap().parse().unwrap();
    let sealer = sealer(folder.path());
    let store = Store::open_postgres(address.clone(), sealer).await.unwrap();
    Place {
        folder,
        store,
        address: Some(address),
        cluster: Some(cluster),
    }
}

/// Rules that hold on both engines.
macro_rules! contract {
    ($($rule:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $rule() { super::$rule($crate::store::tests::on_sqlite().await).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $rule() { super::$rule($crate::store::tests::on_postgres().await).await; })+
        }
    };
}
pub(crate) use contract;

pub(crate) fn now() -> jiff::Timestamp {
    "2026-02-02T09:00:00-08:00".parse().unwrap()
}

pub(crate) fn row(tx: &Tx, case: &str) -> OutboxRow {
    OutboxRow {
        id: MessageId(uuid::Uuid::now_v7()),
        position: 0,
        lane: "hmis-demo".to_owned(),
        case_key: tx.mac("case", case).unwrap().to_vec(),
        kind: "referral".to_owned(),
        state: OutboxState::Queued,
        attempts: 0,
        due_at: now(),
        created_at: now(),
        changed_at: now(),
        decision: DecisionId(uuid::Uuid::now_v7()),
        file: None,
        is_handed: false,
        fault: None,
        note: None,
        content: b"{}".to_vec(),
        trace: None,
    }
}

/// What of the lane may be tried.
async fn due(tx: &mut Tx, up_to: i64) -> Vec<OutboxRow> {
    let wanted = Wanted {
        lane: "hmis-demo",
        now: now(),
        up_to,
        limit: 10,
        turn: 0,
    };
    tx.due_outbox(&wanted).await.unwrap().rows
}

async fn a_lane_that_drains_tries_what_was_written_before_and_a_resumed_one_all(place: Place) {
    let halt = Halt {
        by: "operator".to_owned(),
        reason: "their upgrade".to_owned(),
        at: now(),
    };
    let mut tx = place.store.begin().await.unwrap();
    let (before, after) = (row(&tx, "case-1"), row(&tx, "case-2"));
    tx.add_outbox(&before).await.unwrap();
    tx.drain_lane("hmis-demo", &halt).await.unwrap();
    tx.add_outbox(&after).await.unwrap();
    let lane = tx.lane("hmis-demo").await.unwrap();
    assert_eq!(lane.halt, Some(halt.clone()));
    let up_to = lane.tried_to().unwrap();
    let due = due(&mut tx, up_to).await;
    assert_eq!(
        due.iter().map(|one| one.id).collect::<Vec<_>>(),
        [before.id]
    );
    assert!(tx.waits_up_to("hmis-demo", up_to).await.unwrap());
    let delivered = OutboxRow {
        state: OutboxState::Delivered,
        ..before
    };
    assert!(
        tx.move_outbox(&delivered, OutboxState::Queued, now())
            .await
            .unwrap()
    );
    assert!(!tx.waits_up_to("hmis-demo", up_to).await.unwrap());
    tx.resume_lane("hmis-demo").await.unwrap();
    let lane = tx.lane("hmis-demo").await.unwrap();
    assert_eq!((lane.tried_to(), lane.halt), (Some(i64::MAX), None));
    tx.pause_lane("hmis-demo", &halt).await.unwrap();
    assert_eq!(tx.lane("hmis-demo").await.unwrap().tried_to(), None);
}

async fn an_attempt_says_how_it_was_answered_and_a_message_without_an_event_names_none(
    place: Place,
) {
    let mut tx = place.store.begin().await.unwrap();
    let one = row(&tx, "case-1");
    tx.add_outbox(&one).await.unwrap();
    assert_eq!(tx.cause_of(one.id).await.unwrap(), None);
    let attempt = AttemptRow {
        message: one.id,
        number: 0,
        started_at: now(),
        ended_at: now(),
        outcome: "retry".to_owned(),
        fault: Some("network".to_owned()),
        response: Some("tls".to_owned()),
        note: None,
        decision: one.decision,
    };
    tx.add_attempt(&attempt).await.unwrap();
    let kept = tx.attempts(one.id).await.unwrap();
    assert_eq!(kept[0].response.as_deref(), Some("tls"));
}

async fn a_transaction_that_is_dropped_leaves_no_trace(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    tx.put(
        &Note {
            id: "1".into(),
            owner: "a".into(),
        },
        now(),
    )
    .await
    .unwrap();
    drop(tx);
    let mut tx = place.store.begin().await.unwrap();
    assert_eq!(tx.get::<Note>("1").await.unwrap(), None);
}

async fn pages_hold_every_document_once(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    for number in 0..7 {
        let note = Note {
            id: number.to_string(),
            owner: "a".into(),
        };
        tx.put(&note, now()).await.unwrap();
    }
    let (mut found, mut after) = (Vec::new(), Vec::new());
    loop {
        let (notes, last) = tx.page::<Note>(&after, 3).await.unwrap();
        if notes.is_empty() {
            break;
        }
        assert!(notes.len() <= 3);
        found.extend(notes.into_iter().map(|note| note.id));
        after = last;
    }
    found.sort();
    assert_eq!(found, ["0", "1", "2", "3", "4", "5", "6"]);
}

async fn a_document_is_found_by_its_present_index_only(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    tx.put(
        &Note {
            id: "1".into(),
            owner: "a".into(),
        },
        now(),
    )
    .await
    .unwrap();
    tx.put(
        &Note {
            id: "1".into(),
            owner: "b".into(),
        },
        now(),
    )
    .await
    .unwrap();
    assert!(tx.find::<Note>("note.owner", "a").await.unwrap().is_empty());
    assert_eq!(tx.find::<Note>("note.owner", "b").await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_database_file_holds_no_personal_data_in_clear() {
    let place = on_sqlite().await;
    let mut tx = place.store.begin().await.unwrap();
    tx.put(
        &Note {
            id: "Demofield-48211".into(),
            owner: "Marisol".into(),
        },
        now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    place.store.close().await;
    for entry in std::fs::read_dir(place.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for word in [b"Demofield".as_slice(), b"48211", b"Marisol"] {
            assert!(!bytes.windows(word.len()).any(|part| part == word));
        }
    }
}

async fn the_same_key_with_the_same_content_is_ingested_once_and_for_ever(place: Place) {
    let system = SystemId::new("cws-demo").unwrap();
    let mut tx = place.store.begin().await.unwrap();
    assert_eq!(
        tx.ingest(&system, "m-1", b"one").await.unwrap(),
        Ingested::New
    );
    assert_eq!(
        tx.ingest(&system, "m-1", b"one").await.unwrap(),
        Ingested::Same
    );
    assert_eq!(
        tx.ingest(&system, "m-1", b"two").await.unwrap(),
        Ingested::Changed
    );
    assert_eq!(
        tx.ingest(&system, "m-1", b"two").await.unwrap(),
        Ingested::Same
    );
    let other = SystemId::new("calworks-demo").unwrap();
    assert_eq!(
        tx.ingest(&other, "m-1", b"one").await.unwrap(),
        Ingested::New
    );
}

async fn only_the_head_of_a_case_is_due_and_other_cases_go_on(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let (first, second, other) = (
        row(&tx, "family-1"),
        row(&tx, "family-1"),
        row(&tx, "family-2"),
    );
    for one in [&first, &second, &other] {
        tx.add_outbox(one).await.unwrap();
    }
    let due: Vec<_> = due(&mut tx, i64::MAX)
        .await
        .iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(due, [first.id, other.id]);
}

async fn a_parked_head_holds_its_case_until_it_is_skipped(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let (first, second) = (row(&tx, "family-1"), row(&tx, "family-1"));
    tx.add_outbox(&first).await.unwrap();
    tx.add_outbox(&second).await.unwrap();
    let parked = OutboxRow {
        state: OutboxState::Parked,
        ..first.clone()
    };
    assert!(
        tx.move_outbox(&parked, OutboxState::Queued, now())
            .await
            .unwrap()
    );
    assert!(due(&mut tx, i64::MAX).await.is_empty());
    let skipped = OutboxRow {
        state: OutboxState::Skipped,
        ..first
    };
    assert!(
        tx.move_outbox(&skipped, OutboxState::Parked, now())
            .await
            .unwrap()
    );
    assert_eq!(due(&mut tx, i64::MAX).await[0].id, second.id);
}

async fn a_message_is_moved_from_the_state_it_had_or_not_at_all(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let one = row(&tx, "family-1");
    tx.add_outbox(&one).await.unwrap();
    let delivered = OutboxRow {
        state: OutboxState::Delivered,
        ..one
    };
    assert!(
        tx.move_outbox(&delivered, OutboxState::Queued, now())
            .await
            .unwrap()
    );
    assert!(
        !tx.move_outbox(&delivered, OutboxState::Queued, now())
            .await
            .unwrap()
    );
}

use apart::{
    a_document_that_cannot_be_read_hides_no_other_and_is_named_by_the_log,
    what_was_written_since_a_mark_is_undone_and_all_else_stands,
};
use basis::{
    what_decisions_rest_on_is_counted_when_it_changes,
    what_is_counted_after_a_mark_is_counted_anew_when_that_is_undone,
    what_was_opened_before_is_read_as_it_stands_now,
};

use disposal::{
    a_decision_is_used_by_messages_and_attempts_made_with_it,
    a_directive_is_named_to_the_day_and_may_be_kept_again,
    a_disposed_original_is_gone_and_the_same_input_is_still_known,
    a_message_that_was_disposed_of_is_not_put_back_into_its_lane,
    positions_go_on_after_the_last_event_and_message_were_disposed_of,
    rows_past_an_instant_are_given_by_age_and_each_once, what_waits_is_past_no_instant,
};
use relied::{
    what_waits_is_found_by_everybody_about_whom_it_was_decided,
    what_was_seen_under_broken_glass_stands_among_what_was_told,
};

contract!(
    a_directive_is_named_to_the_day_and_may_be_kept_again,
    a_decision_is_used_by_messages_and_attempts_made_with_it,
    a_disposed_original_is_gone_and_the_same_input_is_still_known,
    a_message_that_was_disposed_of_is_not_put_back_into_its_lane,
    positions_go_on_after_the_last_event_and_message_were_disposed_of,
    rows_past_an_instant_are_given_by_age_and_each_once,
    what_waits_is_past_no_instant,
    what_waits_is_found_by_everybody_about_whom_it_was_decided,
    what_was_seen_under_broken_glass_stands_among_what_was_told,
    what_was_written_since_a_mark_is_undone_and_all_else_stands,
    what_decisions_rest_on_is_counted_when_it_changes,
    what_is_counted_after_a_mark_is_counted_anew_when_that_is_undone,
    what_was_opened_before_is_read_as_it_stands_now,
    a_document_that_cannot_be_read_hides_no_other_and_is_named_by_the_log,
    a_transaction_that_is_dropped_leaves_no_trace,
    pages_hold_every_document_once,
    a_document_is_found_by_its_present_index_only,
    the_same_key_with_the_same_content_is_ingested_once_and_for_ever,
    only_the_head_of_a_case_is_due_and_other_cases_go_on,
    a_parked_head_holds_its_case_until_it_is_skipped,
    a_message_is_moved_from_the_state_it_had_or_not_at_all,
    a_lane_that_drains_tries_what_was_written_before_and_a_resumed_one_all,
    an_attempt_says_how_it_was_answered_and_a_message_without_an_event_names_none,
);
