//! What decisions rest on is counted, so that what was decided in a snapshot is noted only while it holds.

use super::*;

/// Something on which decisions rest.
#[derive(Clone, serde::Serialize, serde::Deserialize, PartialEq, Debug)]
struct Ground {
    id: String,
}

impl Document for Ground {
    const KIND: &'static str = "ground";
    const IS_BASIS: bool = true;

    fn key(&self) -> String {
        self.id.clone()
    }
}

fn ground(id: &str) -> Ground {
    Ground { id: id.to_owned() }
}

pub(super) async fn what_decisions_rest_on_is_counted_when_it_changes(place: Place) {
    let mut before = place.store.snapshot().await.unwrap();
    let counted = before.basis().await.unwrap();

    let mut tx = place.store.begin().await.unwrap();
    let note = Note {
        id: "a note".to_owned(),
        owner: "somebody".to_owned(),
    };
    tx.put(&note, now()).await.unwrap();
    assert_eq!(
        tx.basis().await.unwrap(),
        counted,
        "nothing rests on a note"
    );
    tx.put(&ground("one"), now()).await.unwrap();
    let changed = tx.basis().await.unwrap();
    assert_ne!(changed, counted);
    tx.put(&ground("two"), now()).await.unwrap();
    assert_eq!(
        tx.basis().await.unwrap(),
        changed,
        "one change for all that it writes"
    );
    drop(tx);
    let mut tx = place.store.begin().await.unwrap();
    assert_eq!(tx.basis().await.unwrap(), counted, "it was given up");

    tx.put(&ground("one"), now()).await.unwrap();
    tx.commit().await.unwrap();
    let mut after = place.store.snapshot().await.unwrap();
    let written = after.basis().await.unwrap();
    assert_ne!(written, counted);
    assert_eq!(before.basis().await.unwrap(), counted, "a snapshot stays");
    drop((before, after));

    let mut tx = place.store.begin().await.unwrap();
    tx.remove::<Ground>("one").await.unwrap();
    let removed = tx.basis().await.unwrap();
    assert_ne!(removed, written);
    tx.consent_changed().await.unwrap();
    assert_ne!(tx.basis().await.unwrap(), removed, "consent, or the rules");
    tx.commit().await.unwrap();
}

pub(super) async fn what_is_counted_after_a_mark_is_counted_anew_when_that_is_undone(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let counted = tx.basis().await.unwrap();
    let mark = tx.mark().await.unwrap();
    tx.put(&ground("undone"), now()).await.unwrap();
    tx.back_to(mark).await.unwrap();
    assert_eq!(tx.basis().await.unwrap(), counted);
    tx.put(&ground("kept"), now()).await.unwrap();
    assert_ne!(tx.basis().await.unwrap(), counted);
    tx.commit().await.unwrap();
}

pub(super) async fn what_was_opened_before_is_read_as_it_stands_now(place: Place) {
    let note = |owner: &str| Note {
        id: "a note".to_owned(),
        owner: owner.to_owned(),
    };
    let read = async || {
        let mut tx = place.store.snapshot().await.unwrap();
        let found = tx.get::<Note>("a note").await.unwrap();
        found.map(|note| note.owner)
    };
    for owner in ["one", "another"] {
        let mut tx = place.store.begin().await.unwrap();
        tx.put(&note(owner), now()).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..2 {
            assert_eq!(read().await.as_deref(), Some(owner));
        }
    }
    let mut tx = place.store.begin().await.unwrap();
    tx.put(&note("nobody"), now()).await.unwrap();
    assert_eq!(
        tx.get::<Note>("a note").await.unwrap(),
        Some(note("nobody"))
    );
    drop(tx);
    assert_eq!(read().await.as_deref(), Some("another"), "it was given up");
    let mut tx = place.store.begin().await.unwrap();
    tx.remove::<Note>("a note").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(read().await, None);
}
