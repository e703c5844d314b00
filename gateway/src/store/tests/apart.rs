//! What fails by itself leaves everything else of a transaction alone.

use super::*;
use crate::store::sql::query_scalar;

/// A note that time does something to.
#[derive(Clone, serde::Serialize, serde::Deserialize, PartialEq, Debug)]
struct Bill {
    id: String,
}

impl Document for Bill {
    const KIND: &'static str = "bill";
    const HAS_TIMES: bool = true;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new("bill.all", "yes")]
    }
}

fn bill(id: &str) -> Bill {
    Bill { id: id.to_owned() }
}

/// Writes over what a document holds.
async fn spoil(tx: &mut Tx, id: &str) {
    let key = tx.mac(Bill::KIND, id).unwrap();
    let spoilt = query("UPDATE document SET sealed = $3 WHERE jurisdiction = $1 AND key = $2")
        .bind(tx.jurisdiction())
        .bind(key.as_slice())
        .bind(b"no seal".as_slice());
    assert_eq!(spoilt.execute(&mut tx.inner).await.unwrap(), 1);
}

pub(super) async fn what_was_written_since_a_mark_is_undone_and_all_else_stands(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    tx.put(&bill("before"), now()).await.unwrap();
    let mark = tx.mark().await.unwrap();
    tx.put(&bill("undone"), now()).await.unwrap();
    tx.audit(now(), "somebody", "bill.write", "undone", "")
        .await
        .unwrap();
    // On PostgreSQL nothing more can be asked of a transaction after an error, save to go back.
    let fails: Result<i64, _> = query_scalar("SELECT nothing FROM nowhere")
        .fetch_one(&mut tx.inner)
        .await;
    assert!(fails.is_err());
    tx.back_to(mark).await.unwrap();
    let mark = tx.mark().await.unwrap();
    tx.put(&bill("kept"), now()).await.unwrap();
    tx.audit(now(), "somebody", "bill.write", "kept", "")
        .await
        .unwrap();
    tx.pass(mark).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = place.store.snapshot().await.unwrap();
    for (id, is_there) in [("before", true), ("undone", false), ("kept", true)] {
        assert_eq!(
            tx.get::<Bill>(id).await.unwrap().is_some(),
            is_there,
            "{id}"
        );
    }
    let written = tx.audit_entries(Some("bill.write"), 10).await.unwrap();
    let objects: Vec<&str> = written.iter().map(|one| one.object.as_str()).collect();
    assert_eq!(objects, ["kept"]);
    assert_eq!(
        *place.store.logged().borrow(),
        1,
        "leaves that became durable"
    );
}

pub(super) async fn a_document_that_cannot_be_read_hides_no_other_and_is_named_by_the_log(
    place: Place,
) {
    let mut tx = place.store.begin().await.unwrap();
    for id in ["one", "two", "three"] {
        tx.put(&bill(id), now()).await.unwrap();
        tx.audit(now(), "somebody", "bill.write", id, "")
            .await
            .unwrap();
    }
    spoil(&mut tx, "two").await;
    assert!(tx.find::<Bill>("bill.all", "yes").await.is_err());
    let due = tx.due_documents::<Bill>(now(), 10).await.unwrap();
    let lists = [
        due.into_iter()
            .map(|one| (one.place, one.document))
            .collect(),
        pairs(tx.find_each::<Bill>("bill.all", "yes").await.unwrap()),
        pairs(tx.page_each::<Bill>(&[], 10).await.unwrap().0),
        pairs(
            tx.find_page_each("bill.all", "yes", &[], 10)
                .await
                .unwrap()
                .0,
        ),
    ];
    for list in lists {
        assert_eq!(list.len(), 3);
        let lost: Vec<_> = list.iter().filter(|(_, one)| one.is_err()).collect();
        assert_eq!(lost.len(), 1);
        let named = tx.object_at::<Bill>(&lost[0].0, "bill.write").await;
        assert_eq!(named.unwrap().as_deref(), Some("two"));
        let unnamed = tx.object_at::<Bill>(&lost[0].0, "bill.read").await;
        assert_eq!(unnamed.unwrap(), None);
    }
}

type Pairs = Vec<(crate::store::Place, Result<Bill, StoreError>)>;

fn pairs(found: Vec<Found<Bill>>) -> Pairs {
    let pairs = found.into_iter().map(|one| (one.place, one.document));
    pairs.collect()
}
