//! What is past an instant is found by age, and what is disposed of leaves its key and its place.

use jiff::{SignedDuration, Timestamp};
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{EventId, InputId, PersonId};
use tandem_mappings::model::message::IndicatorReported;

use super::*;
use crate::store::{
    Aged, Disposal, EventState, Evidence, EvidenceKind, Ingested, InputState, Logged, NewDecision,
    Received, Settled, Shelf, Stage,
};

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(days * 24)
}

fn decision(at: Timestamp) -> NewDecision {
    NewDecision {
        id: DecisionId(uuid::Uuid::now_v7()),
        decided_at: at,
        action: "disclose".to_owned(),
        stage: Stage::Query.code().to_owned(),
        outcome: "deny".to_owned(),
        recipient: "org-cws".to_owned(),
        person: Some(PersonId(uuid::Uuid::now_v7())),
        bundle: "sha256:rules".to_owned(),
        link_version: 1,
        record: "{}".to_owned(),
        evidence: Vec::new(),
    }
}

fn event(at: Timestamp) -> Event {
    let told = IndicatorReported {
        indicator: "I-1".to_owned(),
        numerator: 1,
        denominator: None,
        from: "2026-01-01".parse().unwrap(),
        to: "2026-01-31".parse().unwrap(),
        strata: Vec::new(),
        source: "invented".to_owned(),
        note: None,
    };
    let id = uuid::Uuid::now_v7();
    Event {
        id: EventId(id),
        recorded_at: at,
        system: SystemId::new("cws-demo").unwrap(),
        jurisdiction: "demo-county".parse().unwrap(),
        decision_id: None,
        payload_version: 1,
        told: NewEvent::new(
            at,
            id.to_string().parse().unwrap(),
            Body::IndicatorReported(Box::new(told)),
        ),
    }
}

fn disposal(object: &'static str) -> Disposal {
    Disposal {
        at: now(),
        actor: "gateway".to_owned(),
        action: "test.dispose",
        object,
        detail: "rule".to_owned(),
    }
}

async fn all_past(tx: &mut Tx, shelf: Shelf, cutoff: Timestamp) -> Vec<Aged> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = tx.past(shelf, cutoff, after.take(), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else {
            return found;
        };
        after = Some(last.clone());
        found.extend(page);
    }
}

pub(super) async fn rows_past_an_instant_are_given_by_age_and_each_once(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    // Several of one instant, so that the page ends among them.
    let ages = [5, 9, 9, 9, 9, 9, 30, 1];
    for days in ages {
        let at = days_ago(days);
        tx.add_decision(decision(at)).await.unwrap();
        tx.append_event(&event(at), None, EventState::Applied)
            .await
            .unwrap();
        let note = Note {
            id: uuid::Uuid::now_v7().to_string(),
            owner: "a".into(),
        };
        tx.put(&note, at).await.unwrap();
        let message = row(&tx, "case-1");
        tx.add_outbox(&message).await.unwrap();
        let ended = OutboxRow {
            state: OutboxState::Acknowledged,
            ..message
        };
        assert!(
            tx.move_outbox(&ended, OutboxState::Queued, at)
                .await
                .unwrap()
        );
    }
    for shelf in [
        Shelf::Decisions,
        Shelf::Events,
        Shelf::Documents(Note::KIND),
        Shelf::Messages,
    ] {
        let found = all_past(&mut tx, shelf, days_ago(5)).await;
        let days: Vec<i64> = found
            .iter()
            .map(|aged| now().duration_since(aged.at).as_hours() / 24)
            .collect();
        assert_eq!(
            days,
            [30, 9, 9, 9, 9, 9],
            "{shelf:?}: at the instant itself is not past it"
        );
        let mut keys: Vec<_> = found.iter().map(|aged| aged.key.clone()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 6, "{shelf:?}");
        let standing = tx.standing(shelf).await.unwrap();
        assert_eq!(standing, (8, Some(days_ago(30))), "{shelf:?}");
    }
}

pub(super) async fn what_waits_is_past_no_instant(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    for state in [EventState::Waiting, EventState::Parked, EventState::Staged] {
        tx.append_event(&event(days_ago(9)), None, state)
            .await
            .unwrap();
    }
    for state in OutboxState::ALL {
        let message = row(&tx, "case-1");
        tx.add_outbox(&message).await.unwrap();
        let moved = OutboxRow { state, ..message };
        tx.move_outbox(&moved, OutboxState::Queued, days_ago(9))
            .await
            .unwrap();
    }
    assert!(all_past(&mut tx, Shelf::Events, now()).await.is_empty());
    let ended = all_past(&mut tx, Shelf::Messages, now()).await;
    assert_eq!(
        ended.len(),
        4,
        "delivered, acknowledged, withdrawn, skipped"
    );
}

pub(super) async fn a_disposed_original_is_gone_and_the_same_input_is_still_known(place: Place) {
    let system = SystemId::new("cws-demo").unwrap();
    let (id, hash) = (InputId(uuid::Uuid::now_v7()), [7; 32]);
    let mut tx = place.store.begin().await.unwrap();
    let received = Received {
        id,
        system: &system,
        format: "child-welfare/niem",
        name: "extract-1",
        content_hash: hash,
        at: days_ago(9),
        original: b"an invented file",
        settled: None,
    };
    tx.add_input(&received).await.unwrap();
    assert_eq!(
        all_past(&mut tx, Shelf::Inputs, now()).await,
        [],
        "it is still read"
    );
    let settled = Settled {
        state: InputState::Published,
        outcome: "accepted",
        report: "{}",
    };
    tx.settle_input(id, settled).await.unwrap();
    tx.ingest(&system, "m-1", b"one").await.unwrap();
    let position = tx
        .append_event(&event(days_ago(9)), Some(id), EventState::Parked)
        .await;
    assert!(
        tx.input_waits(id).await.unwrap(),
        "a parked event may be replayed"
    );
    tx.settle_event(position.unwrap(), EventState::Applied, None)
        .await
        .unwrap();
    assert!(!tx.input_waits(id).await.unwrap());

    let found = all_past(&mut tx, Shelf::Inputs, now()).await;
    assert_eq!(found[0].input().unwrap(), id);
    tx.empty_input(id, now()).await.unwrap();
    assert_eq!(tx.original(id).await.unwrap(), None);
    assert!(all_past(&mut tx, Shelf::Inputs, now()).await.is_empty());
    assert_eq!(tx.standing(Shelf::Inputs).await.unwrap(), (0, None));
    let same = tx.same_input(&system, "extract-1", &hash).await.unwrap();
    assert_eq!(same.unwrap().id, id);
    assert_eq!(
        tx.ingest(&system, "m-1", b"one").await.unwrap(),
        Ingested::Same
    );
}

pub(super) async fn positions_go_on_after_the_last_event_and_message_were_disposed_of(
    place: Place,
) {
    let mut tx = place.store.begin().await.unwrap();
    let mut last = 0;
    for _ in 0..3 {
        last = tx
            .append_event(&event(days_ago(9)), None, EventState::Applied)
            .await
            .unwrap();
        let message = row(&tx, "case-1");
        tx.add_outbox(&message).await.unwrap();
        tx.empty_event(last, now()).await.unwrap();
        tx.empty_message(message.id, now()).await.unwrap();
        assert!(!tx.message_is_kept(message.id).await.unwrap());
        let kept = tx.outbox(message.id).await.unwrap().unwrap();
        assert_eq!(kept.content, b"", "its lane and its end are still told");
    }
    assert_eq!(last, 3);
    assert!(tx.events_after(0, 10).await.unwrap().is_empty());
    assert!(tx.events_as_applied(0, 10).await.unwrap().1.is_empty());
    let next = tx
        .append_event(&event(now()), None, EventState::Applied)
        .await
        .unwrap();
    assert_eq!(next, 4);
    assert_eq!(tx.last_of_outbox().await.unwrap(), 3);
    assert_eq!(tx.events_as_applied(0, 10).await.unwrap().0, 4);
}

pub(super) async fn a_message_that_was_disposed_of_is_not_put_back_into_its_lane(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let message = row(&tx, "case-1");
    tx.add_outbox(&message).await.unwrap();
    let delivered = OutboxRow {
        state: OutboxState::Delivered,
        ..message
    };
    tx.move_outbox(&delivered, OutboxState::Queued, now())
        .await
        .unwrap();
    let chosen = async |tx: &mut Tx| {
        tx.choices("hmis-demo", OutboxState::Delivered, 0, 10, 10)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(chosen(&mut tx).await, 1);
    tx.empty_message(delivered.id, now()).await.unwrap();
    assert_eq!(chosen(&mut tx).await, 0);
    assert!(
        !tx.requeue(delivered.id, OutboxState::Delivered, now())
            .await
            .unwrap()
    );
}

pub(super) async fn a_decision_is_used_by_messages_and_attempts_made_with_it(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let (main, alone) = (decision(days_ago(9)), decision(days_ago(8)));
    let beside = NewDecision {
        id: DecisionId(uuid::Uuid::now_v7()),
        person: Some(PersonId(uuid::Uuid::now_v7())),
        ..main.clone()
    };
    for one in [&main, &beside, &alone] {
        tx.add_decision(one.clone()).await.unwrap();
        assert!(tx.was_decided_about(one.person.unwrap()).await.unwrap());
    }
    let message = OutboxRow {
        decision: main.id,
        ..row(&tx, "case-1")
    };
    tx.add_outbox(&message).await.unwrap();
    let attempt = AttemptRow {
        message: message.id,
        number: 0,
        started_at: now(),
        ended_at: now(),
        outcome: "delivered".to_owned(),
        fault: None,
        response: None,
        note: None,
        decision: main.id,
    };
    tx.add_attempt(&attempt).await.unwrap();
    let used = async |tx: &mut Tx| {
        let mut used = Vec::new();
        for one in [&main, &beside, &alone] {
            used.push(tx.decision_is_used(one.id).await.unwrap());
        }
        used
    };
    assert_eq!(used(&mut tx).await, [true, true, false]);
    tx.empty_message(message.id, now()).await.unwrap();
    assert_eq!(
        used(&mut tx).await,
        [true, true, false],
        "its attempt stands"
    );
    let attempts = tx.logged_attempts(message.id).await.unwrap();
    assert_eq!(attempts, [Logged::Attempt(message.id, 1)]);
    let said = disposal("attempts");
    tx.dispose(&attempts, &said).await.unwrap();
    assert_eq!(used(&mut tx).await, [false, false, false]);
    assert!(tx.attempts(message.id).await.unwrap().is_empty());

    let all = [Logged::Decision(main.id), Logged::Decision(beside.id)];
    tx.dispose(&all, &said).await.unwrap();
    assert!(tx.decision(main.id).await.unwrap().is_none());
    assert!(!tx.was_decided_about(beside.person.unwrap()).await.unwrap());
    let position = tx.position_of(&all[0]).await.unwrap().unwrap();
    let leaf = &tx.leaves(position, 1).await.unwrap()[0];
    assert!(
        leaf.blind.is_none(),
        "nobody can tell any more what it committed to"
    );
    let entry = tx
        .audit_entry(leaf.disposed.unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (entry.action.as_str(), entry.object.as_str()),
        ("test.dispose", "attempts")
    );
    assert!(
        entry.detail.starts_with("rule leaves=2 digest=sha256:"),
        "{}",
        entry.detail
    );
}

pub(super) async fn a_directive_is_named_to_the_day_and_may_be_kept_again(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let evidence = Evidence {
        kind: EvidenceKind::Directive,
        hash: "sha256:one".to_owned(),
        content: "{}".to_owned(),
    };
    tx.keep(&evidence, days_ago(30)).await.unwrap();
    assert!(
        !tx.may_be_named_since("sha256:one", days_ago(20))
            .await
            .unwrap()
    );
    tx.keep(&evidence, days_ago(10)).await.unwrap();
    assert!(
        tx.may_be_named_since("sha256:one", days_ago(10))
            .await
            .unwrap()
    );
    // Within a day nothing is written; whoever asks counts the day in.
    let soon = days_ago(10) + SignedDuration::from_hours(23);
    tx.keep(&evidence, soon).await.unwrap();
    assert!(tx.may_be_named_since("sha256:one", soon).await.unwrap());
    assert!(
        !tx.may_be_named_since("sha256:one", days_ago(8))
            .await
            .unwrap()
    );
    let found = all_past(&mut tx, Shelf::Evidence, days_ago(9)).await;
    assert_eq!(found[0].hash().unwrap(), "sha256:one");

    let logged = [Logged::Evidence("sha256:one".to_owned())];
    let first = tx.position_of(&logged[0]).await.unwrap();
    let said = disposal("evidence");
    tx.dispose(&logged, &said).await.unwrap();
    assert_eq!(
        tx.evidence(EvidenceKind::Directive, "sha256:one")
            .await
            .unwrap(),
        None
    );
    assert_eq!(tx.standing(Shelf::Evidence).await.unwrap(), (0, None));
    assert_eq!(tx.position_of(&logged[0]).await.unwrap(), None);
    tx.keep(&evidence, now()).await.unwrap();
    let second = tx.position_of(&logged[0]).await.unwrap();
    assert!(
        second > first,
        "it has a leaf of its own: {first:?} {second:?}"
    );
}

/// The sealed bytes of an input's original, as they stand in the file.
async fn sealed(place: &Place) -> Vec<u8> {
    let mut tx = place.store.snapshot().await.unwrap();
    let row = query("SELECT sealed FROM input")
        .fetch_one(&mut tx.inner)
        .await
        .unwrap();
    row.get("sealed")
}

#[tokio::test]
async fn on_sqlite_the_bytes_of_what_was_disposed_of_are_overwritten() {
    let place = on_sqlite().await;
    let system = SystemId::new("cws-demo").unwrap();
    let id = InputId(uuid::Uuid::now_v7());
    // Longer than a page, so that its pages become free.
    let original = b"an invented line\n".repeat(2_000);
    let mut tx = place.store.begin().await.unwrap();
    let received = Received {
        id,
        system: &system,
        format: "child-welfare/niem",
        name: "extract-1",
        content_hash: [7; 32],
        at: now(),
        original: &original,
        settled: None,
    };
    tx.add_input(&received).await.unwrap();
    tx.commit().await.unwrap();
    let sealed = sealed(&place).await;
    let pieces: Vec<&[u8]> = sealed
        .chunks(64)
        .filter(|piece| piece.len() == 64)
        .collect();
    let mut tx = place.store.begin().await.unwrap();
    tx.empty_input(id, now()).await.unwrap();
    tx.commit().await.unwrap();
    // The write-ahead log goes with the last connection.
    place.store.close().await;
    let mut read = 0;
    for entry in std::fs::read_dir(place.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        read += bytes.len();
        let found = pieces
            .iter()
            .any(|piece| bytes.windows(64).any(|part| part == *piece));
        assert!(
            !found,
            "a piece of the disposed original is still in the folder"
        );
    }
    assert!(read > sealed.len(), "the file was read");
}
