//! What is backed up comes back, on either engine and from one to the other, whole or not at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tandem_mappings::model::id::SystemId;
use tokio::sync::Notify;

use super::super::audit::AuditEntry;
use super::super::schema::steps_of;
use super::super::tests::{Note, Place, contract, now, on_postgres, on_sqlite, row, sealer};
use super::super::{OutboxState, TableSum};
use super::*;

/// Documents, messages, keys of sources, and the audit of it, with every kind of value among them.
async fn fill_with_rows(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    for number in 0..120 {
        let note = Note {
            // Names in the order of bytes, which is no language's.
            id: format!("{}-{number}", ["ä", "Z", "a", "_"][number % 4]),
            owner: "a".repeat(number * 100),
        };
        tx.put(&note, now()).await.unwrap();
        let who = format!("w{}", number % 7);
        tx.audit(now(), &who, "note.write", &number.to_string(), "")
            .await
            .unwrap();
    }
    for (case, state) in [
        ("family-1", OutboxState::Queued),
        ("family-2", OutboxState::Parked),
        ("family-3", OutboxState::Delivered),
    ] {
        let mut message = row(&tx, case);
        message.state = state;
        tx.add_outbox(&message).await.unwrap();
    }
    tx.take_numbers("hmis-demo", 1).await.unwrap();
    let system = SystemId::new("cws-demo").unwrap();
    tx.ingest(&system, "m-1", b"one").await.unwrap();
    tx.commit().await.unwrap();
}

fn unwatched(_table: &str, _rows: u64) {}

fn file(place: &Place) -> PathBuf {
    place.folder.path().join("store.backup")
}

async fn backed_up(place: &Place) -> Backup {
    fill_with_rows(&place.store).await;
    let written = place
        .store
        .back_up(&file(place), now(), &mut unwatched)
        .await;
    let manifest = written.unwrap();
    let backup = Backup::open(&file(place)).await.unwrap();
    assert_eq!(backup.manifest, manifest);
    assert_eq!(backup.verify(&mut unwatched).await.unwrap(), []);
    backup
}

/// The store of a place, to be filled: with the key of another, and with nobody there.
async fn alone(place: &Place, key_of: &Place) -> Store {
    place.store.close().await;
    let engine = match &place.address {
        Some(address) => Engine::postgres(address.clone(), "demo-county").await,
        None => Engine::sqlite(&place.folder.path().join("tandem.sqlite")).await,
    };
    let store = Store::on(engine.unwrap(), sealer(key_of.folder.path()));
    let left = async {
        // The server ends a connection some moments after it was closed.
        while store
            .gateways(&mut store.snapshot().await.unwrap().inner)
            .await
            .unwrap()
            > 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), left)
        .await
        .unwrap();
    store
}

/// A store in which there is nothing, to be filled with what another holds.
async fn empty(place: &Place, key_of: &Place) -> Store {
    let store = alone(place, key_of).await;
    // The key that it took at its first opening.
    let mut tx = store.begin().await.unwrap();
    for table in tables_of(&all_steps()).await.unwrap() {
        table.clear(&mut tx.inner, "demo-county").await.unwrap();
    }
    tx.commit().await.unwrap();
    store
}

fn filling(lanes: &[String]) -> Filling<'_> {
    Filling {
        replaces: false,
        lanes,
        now: now(),
    }
}

async fn sums(store: &Store) -> Sums {
    let mut tx = store.snapshot().await.unwrap();
    let mut sums = Sums::new();
    for table in tables_of(&all_steps()).await.unwrap() {
        let sum = table.sum(&mut tx.inner, "demo-county").await.unwrap();
        sums.insert(table.name, sum);
    }
    sums
}

async fn entries(store: &Store, action: &str) -> Vec<AuditEntry> {
    let mut tx = store.snapshot().await.unwrap();
    tx.audit_entries(Some(action), 10).await.unwrap()
}

async fn what_is_backed_up_comes_back_on_either_engine_with_its_lanes_held(place: Place) {
    let backup = backed_up(&place).await;
    let expected = sums(&place.store).await;
    assert_eq!(backup.manifest.tables, expected);
    assert_eq!(expected["document"].rows, 120);
    for other in [on_sqlite().await, on_postgres().await] {
        let store = empty(&other, &place).await;
        backup.check_root(store.sealer()).await.unwrap();
        let lanes = ["cws-demo".to_owned()];
        let folder = other.folder.path();
        let filled = store
            .fill(&backup, folder, &filling(&lanes), &mut unwatched)
            .await
            .unwrap();
        assert_eq!(filled, expected);
        let mut tx = store.snapshot().await.unwrap();
        assert_eq!(
            tx.get::<Note>("a-2").await.unwrap().unwrap().owner.len(),
            200
        );
        for lane in ["cws-demo", "hmis-demo"] {
            assert_eq!(tx.hold(lane).await.unwrap().unwrap().taken_at, now());
        }
        assert!(tx.lane("hmis-demo").await.unwrap().sequence > 1);
        let doubtful = tx.doubtful("hmis-demo").await.unwrap();
        assert_eq!(doubtful.len(), 3);
        drop(tx);
        assert_eq!(entries(&store, "store.restore").await.len(), 1);
        let changed: BTreeSet<String> = sums(&store)
            .await
            .into_iter()
            .filter(|(name, sum)| expected[name] != *sum)
            .map(|(name, _)| name)
            .collect();
        let by_itself = ["audit", "audit_leaf", "lane", "lane_hold"].map(str::to_owned);
        assert_eq!(changed, BTreeSet::from(by_itself));
    }
}

async fn a_backup_that_is_broken_off_leaves_no_file_and_another_is_written_later(place: Place) {
    fill_with_rows(&place.store).await;
    let (reached, file) = (Notify::new(), file(&place));
    let mut watch = |table: &str, rows: u64| {
        if table == "document" && rows == 60 {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => {}
        _ = place.store.back_up(&file, now(), &mut watch) => panic!("it was broken off"),
    }
    assert!(!file.exists());
    let written = place.store.back_up(&file, now(), &mut unwatched).await;
    assert_eq!(written.unwrap().tables["document"].rows, 120);
    let again = place.store.back_up(&file, now(), &mut unwatched).await;
    assert!(matches!(again, Err(CopyError::Exists(_))), "{again:?}");
}

async fn a_restoration_that_is_broken_off_leaves_the_store_as_it_was(place: Place) {
    let backup = backed_up(&place).await;
    // What is there is to be replaced, and differs.
    let mut tx = place.store.begin().await.unwrap();
    tx.audit(now(), "w1", "note.write", "since", "")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let store = alone(&place, &place).await;
    let before = sums(&store).await;
    let reached = Notify::new();
    let mut watch = |table: &str, rows: u64| {
        if table == "document" && rows == 60 {
            reached.notify_one();
        }
    };
    let replacing = Filling {
        replaces: true,
        ..filling(&[])
    };
    let folder = place.folder.path();
    tokio::select! {
        biased;
        () = reached.notified() => {}
        _ = store.fill(&backup, folder, &replacing, &mut watch) => panic!("it was broken off"),
    }
    assert_eq!(sums(&store).await, before);
    let refused = store
        .fill(&backup, folder, &filling(&[]), &mut unwatched)
        .await;
    assert!(
        matches!(refused, Err(CopyError::NotEmpty(_))),
        "{refused:?}"
    );
    let filled = store
        .fill(&backup, folder, &replacing, &mut unwatched)
        .await
        .unwrap();
    assert_eq!(filled["audit"].rows + 1, before["audit"].rows);
}

contract!(
    what_is_backed_up_comes_back_on_either_engine_with_its_lanes_held,
    a_backup_that_is_broken_off_leaves_no_file_and_another_is_written_later,
    a_restoration_that_is_broken_off_leaves_the_store_as_it_was,
);

/// A store as an older program left it: without the step that made `document_due` and those after it.
async fn older(folder: &Path) -> Store {
    let engine = Engine::sqlite_in_making(&folder.join("older.sqlite"))
        .await
        .unwrap();
    let steps = all_steps()
        .into_keys()
        .filter(|step| *step < 20_261_129_000_000);
    let Engine::Sqlite { writer, .. } = &engine else {
        panic!("a store of SQLite")
    };
    writer.take(&steps_of(&steps.collect())).await.unwrap();
    let store = Store::on(engine, sealer(folder));
    let mut tx = store.begin().await.unwrap();
    super::super::sql::query(
        "INSERT INTO document (jurisdiction, kind, key, version, updated_at, sealed) \
         VALUES ('demo-county', 'directive', x'01', 1, 0, x'02')",
    )
    .execute(&mut tx.inner)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    store
}

#[tokio::test]
async fn a_backup_of_an_older_store_comes_back_with_the_schema_of_today() {
    let place = on_sqlite().await;
    let store = older(place.folder.path()).await;
    let manifest = store.back_up(&file(&place), now(), &mut unwatched).await;
    assert!(!manifest.unwrap().tables.contains_key("document_due"));
    let backup = Backup::open(&file(&place)).await.unwrap();
    assert_eq!(backup.verify(&mut unwatched).await.unwrap(), []);
    let store = empty(&place, &place).await;
    let folder = place.folder.path();
    let filled = store
        .fill(&backup, folder, &filling(&[]), &mut unwatched)
        .await
        .unwrap();
    assert_eq!(filled["document"].rows, 1);
    assert_eq!(
        filled["document_due"].rows, 1,
        "what the steps do to the rows was left out"
    );
    let left = std::fs::read_dir(folder).unwrap();
    let mut names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| !name.contains("unfinished")));
}

#[tokio::test]
async fn what_differs_by_one_byte_or_one_place_has_another_sum() {
    let place = on_sqlite().await;
    fill_with_rows(&place.store).await;
    let whole = sums(&place.store).await;
    let one = |sums: &Sums| -> TableSum { sums["audit"].clone() };
    for (statement, undo) in [
        (
            "UPDATE audit SET actor = 'w8' WHERE position = 7",
            "UPDATE audit SET actor = 'w6' WHERE position = 7",
        ),
        (
            "UPDATE audit SET object = detail, detail = object",
            "UPDATE audit SET object = detail, detail = object",
        ),
    ] {
        let mut changed = Vec::new();
        for statement in [statement, undo] {
            let mut tx = place.store.begin().await.unwrap();
            super::super::sql::query(statement)
                .execute(&mut tx.inner)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            changed.push(one(&sums(&place.store).await));
        }
        assert_ne!(changed[0], one(&whole), "{statement}");
        assert_eq!(changed[1], one(&whole), "{statement}");
    }
}
