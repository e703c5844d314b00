//! Root keys are rotated while the store is written to, and nothing of what older ones sealed is lost or left.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tandem_mappings::model::event::{Event, NewEvent};
use tandem_mappings::model::id::{EventId, InputId};

use super::*;
use crate::blob::BlobFolder;
use crate::seal::{SealError, key_of};
use crate::store::schema::all_steps;
use crate::store::sealed::{Anew, COLUMN, sealed_tables};
use crate::store::tables::{Kind, tables_of};
use crate::store::{BlobPart, Evidence, EvidenceKind, Resealer, RotationError, Step};

/// A nonce, what proves that nothing was altered, and a byte that names the form: no sealed value is shorter.
const SHORTEST: usize = 1 + 24 + 16;
const LEASE: Duration = Duration::from_secs(600);
/// Rows with a sealed value that one round of writing adds.
const ROUND: i64 = 8;

fn event(number: usize) -> Event {
    let told: NewEvent = serde_json::from_value(serde_json::json!({
        "occurred_at": "2026-02-02T08:00:00-08:00",
        "source_event_id": format!("record-{number}"),
        "source_person_id": "p-1",
        "type": "record.received",
        "payload": { "record_kind": "Client", "person": {
            "names": [{ "given": "Marisol", "family": "Demofield", "name_use": "official", "quality": "full" }],
        } },
    }))
    .unwrap();
    Event {
        id: EventId(uuid::Uuid::now_v7()),
        recorded_at: now(),
        system: SystemId::new("cws-demo").unwrap(),
        jurisdiction: "demo-county".parse().unwrap(),
        decision_id: None,
        payload_version: 1,
        told,
    }
}

fn note(number: usize) -> Note {
    Note {
        id: format!("note-{number}"),
        owner: "the same".to_owned(),
    }
}

/// More rows than any test writes.
const MANY: i64 = 1_000;

/// One value into each column that is sealed.
async fn write(store: &Store, number: usize) {
    let mut tx = store.begin().await.unwrap();
    let input = Received {
        id: InputId(uuid::Uuid::now_v7()),
        system: &SystemId::new("cws-demo").unwrap(),
        format: "child-welfare/niem",
        name: &format!("file-{number}"),
        content_hash: [7; 32],
        at: now(),
        original: b"the original",
        settled: None,
    };
    tx.add_input(&input).await.unwrap();
    tx.append_event(&event(number), None, EventState::Waiting)
        .await
        .unwrap();
    tx.put(&note(number), now()).await.unwrap();
    let decision = NewDecision {
        evidence: vec![Arc::new(Evidence {
            kind: EvidenceKind::Directive,
            hash: format!("sha256:{number}"),
            content: "{}".to_owned(),
        })],
        ..relied::decided()
    };
    tx.add_decision(decision).await.unwrap();
    let message = row(&tx, "family-1");
    tx.add_outbox(&message).await.unwrap();
    tx.put_scan(&format!("consent-{number}"), b"a scan", now())
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let blob = BlobFolder::at(folder.path()).begin().unwrap();
    let blob = blob.finish().unwrap();
    tx.add_blob(input.id, BlobPart::Original, &blob, now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Seals anew to the end. Values that were sealed anew.
async fn to_the_end(store: &Store) -> u64 {
    let resealer = Resealer::of(store).await.unwrap();
    let mut total = 0;
    loop {
        match resealer.step().await.unwrap() {
            Step::Done => return total,
            Step::Went {
                resealed, unopened, ..
            } => {
                assert_eq!(unopened, 0);
                total += resealed;
            }
            Step::Waits(gateways) => panic!("{gateways} gateways seal with an older key"),
        }
    }
}

/// The keys that values name, anywhere in the store, with the column; signs of keys are left out, which stay theirs.
async fn named(store: &Store) -> BTreeSet<(u32, String)> {
    let mut named = BTreeSet::new();
    let mut tx = store.snapshot().await.unwrap();
    for table in tables_of(&all_steps()).await.unwrap() {
        for column in table.columns.iter().filter(|one| one.kind == Kind::Bytes) {
            let place = format!("{}.{}", table.name, column.name);
            if ["root_key.sign", "key_check.value"].contains(&place.as_str()) {
                continue;
            }
            let (name, table) = (&column.name, &table.name);
            let rows = sql::composed(format!("SELECT {name} FROM {table}"));
            for row in rows.fetch_all(&mut tx.inner).await.unwrap() {
                let value: Option<Vec<u8>> = row.get(name);
                let value = value.filter(|value| value.len() >= SHORTEST);
                named.extend(value.map(|value| (key_of(&value).unwrap(), place.clone())));
            }
        }
    }
    named
}

fn keys(named: &BTreeSet<(u32, String)>) -> BTreeSet<u32> {
    named.iter().map(|(number, _)| *number).collect()
}

/// Whether everything that was written is found and opens.
async fn reads(store: &Store, rounds: usize) {
    let mut tx = store.snapshot().await.unwrap();
    let mine = tx.find::<Note>("note.owner", "the same").await.unwrap();
    assert_eq!(mine.len(), rounds);
    for number in 0..rounds {
        let key = format!("note-{number}");
        assert_eq!(tx.get::<Note>(&key).await.unwrap(), Some(note(number)));
        let scan = tx.scan(&format!("consent-{number}")).await.unwrap();
        assert_eq!(scan.unwrap(), b"a scan");
        let hash = format!("sha256:{number}");
        let evidence = tx.evidence(EvidenceKind::Directive, &hash).await.unwrap();
        assert_eq!(evidence.unwrap(), "{}");
    }
    assert_eq!(tx.decisions(None, MANY).await.unwrap().len(), rounds);
    let inputs = tx.inputs(MANY).await.unwrap();
    assert_eq!(inputs.len(), rounds);
    for input in inputs {
        let original = tx.original(input.id).await.unwrap().unwrap();
        assert_eq!(original, b"the original");
        let blob = tx.blob(input.id, BlobPart::Original).await.unwrap();
        assert_eq!(blob.unwrap().bytes, 0);
    }
    let waiting = tx.waiting_events(MANY).await.unwrap();
    assert_eq!(waiting.len(), rounds);
    let lane = tx.lane("hmis-demo").await.unwrap().tried_to().unwrap();
    let due = super::due(&mut tx, lane).await;
    assert_eq!(due[0].content, b"{}");
}

/// The value in the row of a note, as it is sealed.
async fn sealed_note(tx: &mut Tx, number: usize) -> Vec<u8> {
    let key = tx.mac(Note::KIND, &format!("note-{number}")).unwrap();
    sql::query_scalar("SELECT sealed FROM document WHERE key = $1")
        .bind(key.as_slice())
        .fetch_one(&mut tx.inner)
        .await
        .unwrap()
}

/// Puts a value into the row of a note that was sealed elsewhere.
async fn put_sealed_note(tx: &mut Tx, number: usize, value: &[u8]) {
    let key = tx.mac(Note::KIND, &format!("note-{number}")).unwrap();
    sql::query("UPDATE document SET sealed = $2 WHERE key = $1")
        .bind(key.as_slice())
        .bind(value)
        .execute(&mut tx.inner)
        .await
        .unwrap();
}

/// Values that a key still seals, as the store has counted them.
async fn left(store: &Store, number: u32) -> Option<i64> {
    let rows = store.snapshot().await.unwrap().root_keys().await.unwrap();
    let row = rows.into_iter().find(|row| row.number == number).unwrap();
    row.rows_left
}

pub(super) async fn everything_is_sealed_anew_and_the_old_key_may_go(place: Place) {
    let store = &place.store;
    for number in 0..3 {
        write(store, number).await;
    }
    assert_eq!(keys(&named(store).await), BTreeSet::from([1]));
    assert_eq!(store.rotate("administrator", now()).await.unwrap(), 2);
    let refused = store.retire_key(1, "administrator", now()).await;
    assert!(matches!(refused, Err(RotationError::Unfinished(2))));
    assert!(matches!(
        store.rotate("administrator", now()).await,
        Err(RotationError::Unfinished(2))
    ));
    // What is written from now on is sealed with the new key.
    write(store, 3).await;
    let both = named(store).await;
    assert_eq!(keys(&both), BTreeSet::from([1, 2]));
    let places: BTreeSet<&String> = both.iter().map(|(_, place)| place).collect();
    let listed = sealed_tables().await.unwrap();
    let listed: BTreeSet<String> = listed
        .iter()
        .map(|table| format!("{}.{COLUMN}", table.name))
        .collect();
    assert_eq!(places, listed.iter().collect(), "a round writes into each");
    assert_eq!(to_the_end(store).await, 3 * ROUND as u64);
    assert_eq!(keys(&named(store).await), BTreeSet::from([2]));
    assert_eq!(left(store, 1).await, Some(0));
    reads(store, 4).await;
    let aside = store.retire_key(1, "administrator", now()).await.unwrap();
    assert!(aside.ends_with("root.key.retired-1"), "{}", aside.display());
    let reopened = opened(&place, "root.key").await.unwrap();
    reads(&reopened, 4).await;
    assert!(matches!(
        reopened.retire_key(2, "administrator", now()).await,
        Err(RotationError::Seals(2))
    ));
    for number in [1, 9] {
        let gone = reopened.retire_key(number, "administrator", now()).await;
        assert!(matches!(gone, Err(RotationError::Unknown(_))), "{gone:?}");
    }
}

/// The store of a place once more, with the keys in a file of its folder.
async fn opened(place: &Place, file: &str) -> Result<Store, StoreError> {
    let county = "demo-county".parse().unwrap();
    let sealer = Sealer::from_file(&place.folder.path().join(file), county)?;
    match &place.address {
        Some(address) => Store::open_postgres(address.clone(), sealer).await,
        None => Store::open(&place.folder.path().join("tandem.sqlite"), sealer).await,
    }
}

pub(super) async fn what_was_stopped_in_the_middle_goes_on_from_there(place: Place) {
    for number in 0..120 {
        write(&place.store, number).await;
    }
    place.store.rotate("administrator", now()).await.unwrap();
    let resealer = Resealer::of(&place.store).await.unwrap();
    let mut before = 0;
    while before == 0 {
        let Step::Went { resealed, .. } = resealer.step().await.unwrap() else {
            panic!("it ended before it began")
        };
        before += resealed;
    }
    assert_eq!(before, 100, "one transaction writes no more");
    let all = 120 * ROUND;
    assert_eq!(left(&place.store, 1).await, Some(all - 100));
    // Another is stopped while it works, at whichever place: nothing of that piece was written, or all of it.
    {
        let mut step = std::pin::pin!(resealer.step());
        let _not_ready = futures::poll!(&mut step);
    }
    place.store.close().await;

    let again = opened(&place, "root.key").await.unwrap();
    assert_eq!(again.sealer().sealing(), 2);
    let counted = left(&again, 1).await.unwrap().unsigned_abs();
    assert_eq!(to_the_end(&again).await, counted, "nothing is done twice");
    assert_eq!(keys(&named(&again).await), BTreeSet::from([2]));
    reads(&again, 120).await;
}

pub(super) async fn a_value_that_does_not_open_is_left_and_counted_and_holds_nothing_else(
    place: Place,
) {
    let store = &place.store;
    for number in 0..3 {
        write(store, number).await;
    }
    let mut tx = store.begin().await.unwrap();
    let whole = sealed_note(&mut tx, 1).await;
    let mut altered = whole.clone();
    altered[40] ^= 1;
    put_sealed_note(&mut tx, 1, &altered).await;
    tx.commit().await.unwrap();
    store.rotate("administrator", now()).await.unwrap();
    let resealer = Resealer::of(store).await.unwrap();
    let mut steps = 0;
    while resealer.step().await.unwrap() != Step::Done {
        steps += 1;
        assert!(steps < 100, "it never ends");
    }
    let refused = store.retire_key(1, "administrator", now()).await;
    let needed = matches!(refused, Err(RotationError::Needed { number: 1, rows: 1 }));
    assert!(needed, "{refused:?}");
    // Once it opens again, it is found.
    let mut tx = store.begin().await.unwrap();
    put_sealed_note(&mut tx, 1, &whole).await;
    tx.commit().await.unwrap();
    store.reseal_again("administrator", now()).await.unwrap();
    assert_eq!(to_the_end(store).await, 1);
    reads(store, 3).await;
    store.retire_key(1, "administrator", now()).await.unwrap();
}

pub(super) async fn what_was_disposed_of_is_not_waited_for_and_the_old_key_may_go(place: Place) {
    let store = &place.store;
    for number in 0..2 {
        write(store, number).await;
    }
    let mut tx = store.begin().await.unwrap();
    let input = tx.inputs(1).await.unwrap().remove(0).id;
    let event = tx.waiting_events(1).await.unwrap().remove(0).position;
    let queued = tx.outbox_in(&[OutboxState::Queued]).await.unwrap();
    tx.empty_input(input, now()).await.unwrap();
    tx.empty_event(event, now()).await.unwrap();
    tx.empty_message(queued[0].id, now()).await.unwrap();
    tx.commit().await.unwrap();
    store.rotate("administrator", now()).await.unwrap();
    assert_eq!(to_the_end(store).await, 2 * ROUND as u64 - 3);
    assert_eq!(keys(&named(store).await), BTreeSet::from([2]));
    assert_eq!(left(store, 1).await, Some(0));
    store.retire_key(1, "administrator", now()).await.unwrap();
}

pub(super) async fn a_key_is_not_retired_while_what_was_written_late_is_sealed_with_it(
    place: Place,
) {
    let store = &place.store;
    write(store, 0).await;
    let early = sealed_note(&mut store.snapshot().await.unwrap(), 0).await;
    store.rotate("administrator", now()).await.unwrap();
    assert_eq!(to_the_end(store).await, ROUND as u64);
    // By a gateway that had not heard of the new key, after all was gone through and counted.
    let mut tx = store.begin().await.unwrap();
    put_sealed_note(&mut tx, 0, &early).await;
    tx.commit().await.unwrap();
    assert_eq!(left(store, 1).await, Some(0));
    let refused = store.retire_key(1, "administrator", now()).await;
    let needed = matches!(refused, Err(RotationError::Needed { number: 1, rows: 1 }));
    assert!(needed, "{refused:?}");
    assert!(store.sealer().keys().contains_key(&1));
    store.reseal_again("administrator", now()).await.unwrap();
    assert_eq!(to_the_end(store).await, 1);
    store.retire_key(1, "administrator", now()).await.unwrap();
    reads(store, 1).await;
}

pub(super) async fn a_value_that_was_written_meanwhile_is_left_as_it_was_written(place: Place) {
    let store = &place.store;
    write(store, 0).await;
    store.rotate("administrator", now()).await.unwrap();
    let table = sealed_tables().await.unwrap();
    let table = table.iter().find(|one| one.name == "document").unwrap();
    let mut tx = store.snapshot().await.unwrap();
    let page = table.page(&mut tx.inner, "demo-county", None, 10).await;
    let key = page.unwrap().remove(0).key;
    let value = table.value(&mut tx.inner, "demo-county", &key).await;
    let anew = Anew {
        key,
        head: value.unwrap().unwrap().head(),
        sealed: b"older".to_vec(),
    };
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let newer = Note {
        owner: "another".to_owned(),
        ..note(0)
    };
    tx.put(&newer, now()).await.unwrap();
    let written = table.write(&mut tx.inner, "demo-county", anew).await;
    assert!(!written.unwrap());
    assert_eq!(tx.get::<Note>("note-0").await.unwrap(), Some(newer));
}

pub(super) async fn a_store_is_opened_with_every_key_that_it_needs_or_not_at_all(place: Place) {
    let folder = place.folder.path();
    write(&place.store, 0).await;
    std::fs::copy(folder.join("root.key"), folder.join("before")).unwrap();
    place.store.rotate("administrator", now()).await.unwrap();
    let lacking = opened(&place, "before").await.unwrap_err();
    let told = lacking.to_string();
    assert!(
        matches!(
            lacking,
            StoreError::Seal(SealError::NoKey { number: 2, .. })
        ),
        "{told}"
    );
    assert!(told.contains("key 2") && told.contains("before"), "{told}");
    // Another key under the same number is not taken for it.
    let county = || "demo-county".parse().unwrap();
    let other = Sealer::from_file(&folder.join("before"), county()).unwrap();
    other.add(2, now()).unwrap();
    let error = opened(&place, "before").await.unwrap_err();
    assert!(matches!(error, StoreError::OtherKey("root.key")), "{error}");
    // Nor one with another secret of look-ups, by which nothing would be found.
    let text = std::fs::read_to_string(folder.join("root.key")).unwrap();
    let strange = text.lines().map(|line| match line.split_once(' ') {
        Some(("look-up", _)) => format!("look-up {}", "0c".repeat(32)),
        _ => line.to_owned(),
    });
    let strange = strange.collect::<Vec<_>>().join("\n");
    std::fs::write(folder.join("strange"), strange).unwrap();
    let error = opened(&place, "strange").await.unwrap_err();
    assert!(matches!(error, StoreError::OtherKey("root.key")), "{error}");
}

#[tokio::test]
async fn gateways_seal_with_a_new_key_when_all_of_them_hold_it() {
    let place = on_postgres().await;
    let folder = place.folder.path().to_owned();
    let (own, others): (PathBuf, PathBuf) = (folder.join("root.key"), folder.join("second.key"));
    std::fs::copy(&own, &others).unwrap();
    let (first, second) = (&place.store, opened(&place, "second.key").await.unwrap());
    for store in [first, &second] {
        store.join(&BTreeSet::new()).await.unwrap();
        store.renew(LEASE, LEASE).await.unwrap();
        store.follow_keys().await.unwrap();
    }
    write(first, 0).await;
    let refused = first.rotate("administrator", now()).await.unwrap_err();
    let told = refused.to_string();
    assert!(
        matches!(
            refused,
            RotationError::Lacking {
                number: 2,
                gateways: 1,
                ..
            }
        ),
        "{told}"
    );
    assert!(told.contains(&own.display().to_string()), "{told}");
    assert_eq!(first.sealer().sealing(), 1, "the key waits");
    std::fs::copy(&own, &others).unwrap();
    second.follow_keys().await.unwrap();
    assert_eq!(first.rotate("administrator", now()).await.unwrap(), 2);
    write(first, 1).await;
    reads(&second, 2).await;
    // The second seals with the older key until it has heard of it: nothing is sealed anew before, and nothing missed.
    write(&second, 2).await;
    let resealer = Resealer::of(first).await.unwrap();
    assert_eq!(resealer.step().await.unwrap(), Step::Waits(1));
    second.follow_keys().await.unwrap();
    assert_eq!(second.sealer().sealing(), 2);
    assert_eq!(to_the_end(first).await, 2 * ROUND as u64);
    assert_eq!(keys(&named(first).await), BTreeSet::from([2]));
    reads(&second, 3).await;
}

contract!(
    everything_is_sealed_anew_and_the_old_key_may_go,
    what_was_stopped_in_the_middle_goes_on_from_there,
    a_value_that_does_not_open_is_left_and_counted_and_holds_nothing_else,
    what_was_disposed_of_is_not_waited_for_and_the_old_key_may_go,
    a_key_is_not_retired_while_what_was_written_late_is_sealed_with_it,
    a_value_that_was_written_meanwhile_is_left_as_it_was_written,
    a_store_is_opened_with_every_key_that_it_needs_or_not_at_all,
);
