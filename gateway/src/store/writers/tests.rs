//! Writers that share a commit lose nothing by each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::tests::{Note, Place, contract, now, on_postgres, on_sqlite};
use super::super::{Store, StoreError, Tx};

async fn put(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    let note = Note {
        id: id.to_owned(),
        owner: "a".to_owned(),
    };
    tx.put(&note, now()).await
}

async fn kept(tx: &mut Tx) -> BTreeSet<String> {
    let (notes, _) = tx.page::<Note>(&[], 1_000).await.unwrap();
    notes.into_iter().map(|note| note.id).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

async fn writers_share_a_commit_and_one_that_gives_up_costs_the_others_nothing(place: Place) {
    let store = &place.store;
    let mut first = store.begin().await.unwrap();
    put(&mut first, "first").await.unwrap();
    let first = first.hand_in().unwrap();
    let mut second = store.begin().await.unwrap();
    assert_eq!(
        kept(&mut second).await,
        names(["first"]),
        "it goes on in what is open"
    );
    put(&mut second, "second").await.unwrap();
    drop(second);
    let mut third = store.begin().await.unwrap();
    put(&mut third, "third").await.unwrap();
    assert_eq!(kept(&mut third).await, names(["first", "third"]));
    let seen = kept(&mut store.snapshot().await.unwrap()).await;
    assert_eq!(seen, names([]), "nobody else sees what is not durable");
    let third = third.hand_in().unwrap();
    first.durable().await.unwrap();
    let seen = kept(&mut store.snapshot().await.unwrap()).await;
    assert_eq!(seen, names(["first", "third"]));
    third.durable().await.unwrap();
}

async fn a_statement_that_fails_costs_its_writer_alone(place: Place) {
    let store = &place.store;
    let mut first = store.begin().await.unwrap();
    put(&mut first, "first").await.unwrap();
    let first = first.hand_in().unwrap();
    let mut second = store.begin().await.unwrap();
    put(&mut second, "second").await.unwrap();
    // A row that is there already.
    let row = "INSERT INTO consent_revision (jurisdiction, revision) VALUES ($1, 0)";
    let mut ends = Vec::new();
    for _ in 0..2 {
        let insert = super::super::sql::query(row).bind("demo-county");
        ends.push(insert.execute(&mut second.inner).await.is_ok());
    }
    assert!(!ends[1]);
    drop(second);
    let mut third = store.begin().await.unwrap();
    put(&mut third, "third").await.unwrap();
    third.commit().await.unwrap();
    first.durable().await.unwrap();
    let seen = kept(&mut store.snapshot().await.unwrap()).await;
    assert_eq!(seen, names(["first", "third"]));
    assert_eq!(store.losses(), 0);
}

async fn what_must_stand_alone_waits_until_all_before_it_is_durable(place: Place) {
    let store = &place.store;
    let mut first = store.begin().await.unwrap();
    put(&mut first, "first").await.unwrap();
    let first = first.hand_in().unwrap();
    let apart = store.begin_apart().await.unwrap();
    let seen = kept(&mut store.snapshot().await.unwrap()).await;
    assert_eq!(seen, names(["first"]));
    drop(apart);
    first.durable().await.unwrap();
}

async fn whoever_answers_somebody_writes_first(place: Place) {
    let store = &place.store;
    let order = std::sync::Mutex::new(Vec::new());
    let write = async |name| {
        let tx = match name {
            "behind" => store.begin_behind().await,
            _ => store.begin().await,
        };
        order.lock().unwrap().push(name);
        tx.unwrap().commit().await.unwrap();
    };
    let before = store.begin().await.unwrap();
    futures::join!(write("first"), write("behind"), write("second"), async {
        drop(before);
    });
    assert_eq!(*order.lock().unwrap(), ["first", "second", "behind"]);
}

/// Whoever writes behind others waits for a moment only, however many of them come.
#[tokio::test]
async fn nobody_is_starved_by_those_who_are_answered() {
    let place = on_sqlite().await;
    let store = &place.store;
    let always_one = async {
        let mut next = store.begin().await.unwrap();
        loop {
            // Another one waits before this one is done.
            let (after, ()) = futures::join!(store.begin(), async { drop(next) });
            next = after.unwrap();
        }
    };
    tokio::select! {
        () = always_one => {}
        behind = store.begin_behind() => behind.unwrap().commit().await.unwrap(),
    }
}

/// Writers that commit, give up and go away at any point: what each was told is what is there.
async fn whatever_writers_do_each_is_told_the_truth(place: Place) {
    let store = &place.store;
    let started = Arc::new(tokio::sync::Barrier::new(120));
    let mut tasks = Vec::new();
    for number in 0..120_u32 {
        let (store, started): (Store, _) = (store.clone(), Arc::clone(&started));
        tasks.push(tokio::spawn(async move {
            started.wait().await;
            let id = number.to_string();
            let work = async {
                let mut tx = store.begin().await.unwrap();
                put(&mut tx, &id).await.unwrap();
                match number % 4 {
                    0 => drop(tx),
                    1 => drop(tx.hand_in().unwrap()),
                    _ => tx.commit().await.unwrap(),
                }
            };
            if number % 4 == 3 {
                // Somebody who goes away after so many steps.
                for_so_long(work, number).await
            } else {
                work.await;
                true
            }
        }));
    }
    let (mut committed, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    for (number, task) in tasks.into_iter().enumerate() {
        let has_ended = task.await.unwrap();
        match (number % 4, has_ended) {
            (0, _) => {}
            (1, _) | (3, false) => drop(unknown.insert(number.to_string())),
            _ => drop(committed.insert(number.to_string())),
        }
    }
    let mut tx = store.begin_apart().await.unwrap();
    let kept = kept(&mut tx).await;
    assert!(kept.is_superset(&committed), "{committed:?} {kept:?}");
    let all: BTreeSet<String> = committed.union(&unknown).cloned().collect();
    assert!(kept.is_subset(&all), "{all:?} {kept:?}");
    assert_eq!(store.losses(), 0);
}

/// Polls so many times and then lets go. Whether it ended.
async fn for_so_long(work: impl Future<Output = ()>, polls: u32) -> bool {
    let mut work = Box::pin(work);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        use std::task::Poll;
        let Some(next) = left.checked_sub(1) else {
            return Poll::Ready(false);
        };
        left = next;
        work.as_mut().poll(context).map(|()| true)
    })
    .await
}

contract!(
    writers_share_a_commit_and_one_that_gives_up_costs_the_others_nothing,
    a_statement_that_fails_costs_its_writer_alone,
    whoever_answers_somebody_writes_first,
    what_must_stand_alone_waits_until_all_before_it_is_durable,
    whatever_writers_do_each_is_told_the_truth,
);

/// SQLite rolls the whole transaction back by itself: a writer that goes on would be alone in it.
#[tokio::test]
async fn a_full_disk_fails_all_that_share_the_transaction_and_nobody_is_told_otherwise() {
    let place = on_sqlite().await;
    let store = &place.store;
    let mut tx = store.begin().await.unwrap();
    let pages = super::super::sql::query_scalar("PRAGMA page_count");
    let pages: i64 = pages.fetch_one(&mut tx.inner).await.unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 20);
    let limit = super::super::sql::composed(limit);
    limit.execute(&mut tx.inner).await.unwrap();
    drop(tx);
    let mut first = store.begin().await.unwrap();
    put(&mut first, "first").await.unwrap();
    let first = first.hand_in().unwrap();
    let mut second = store.begin().await.unwrap();
    let note = Note {
        id: "second".to_owned(),
        owner: "a".repeat(1 << 20),
    };
    assert!(second.put(&note, now()).await.is_err());
    assert!(second.commit().await.is_err());
    assert!(first.durable().await.is_err());
    assert!(store.losses() > 0);
    let mut third = store.begin().await.unwrap();
    put(&mut third, "third").await.unwrap();
    third.commit().await.unwrap();
    let seen = kept(&mut store.snapshot().await.unwrap()).await;
    assert_eq!(seen, names(["third"]));
}

#[tokio::test]
async fn a_cut_connection_fails_all_that_share_the_transaction_and_the_next_goes_on() {
    let place = on_postgres().await;
    let store = &place.store;
    let mut first = store.begin().await.unwrap();
    put(&mut first, "first").await.unwrap();
    let mut first = first.hand_in().unwrap();
    place.cluster.as_ref().unwrap().cut().unwrap();
    let mut second = store.begin().await;
    if let Ok(second) = &mut second {
        // The cut may be noticed by whoever writes next, or by whoever commits.
        let _failed = put(second, "second").await;
    }
    drop(second);
    loop {
        let Ok(mut third) = store.begin().await else {
            continue;
        };
        let knows = first.has_failed();
        if put(&mut third, "third").await.is_ok() && third.commit().await.is_ok() {
            assert!(knows, "it was written after what was lost as if that stood");
            break;
        }
    }
    assert!(first.durable().await.is_err());
    assert!(store.losses() > 0);
    let seen = kept(&mut store.snapshot().await.unwrap()).await;
    assert_eq!(seen, names(["third"]));
}
