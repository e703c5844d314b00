//! A later version of the program adds a column while this one runs.

use super::super::sql::query;
use super::{due, now, on_postgres, row};

/// Connections that may have prepared the statement.
const CONNECTIONS: usize = 12;

#[tokio::test]
async fn statements_that_were_prepared_before_a_column_was_added_fail_once_a_connection() {
    let place = on_postgres().await;
    let store = &place.store;
    let mut tx = store.begin().await.unwrap();
    let one = row(&tx, "family-1");
    tx.add_outbox(&one).await.unwrap();
    tx.commit().await.unwrap();
    let find = async || {
        let mut tx = store.snapshot().await.unwrap();
        tx.outbox(one.id).await
    };
    assert!(find().await.unwrap().is_some());
    let later = place.another().await;
    let mut tx = later.begin().await.unwrap();
    query("ALTER TABLE outbox ADD COLUMN later BIGINT")
        .execute(&mut tx.inner)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut failed = 0;
    while find().await.is_err() {
        failed += 1;
        assert!(failed <= CONNECTIONS, "it never prepares them anew");
    }
    // What a connection gave before stays as it was asked for.
    let mut tx = store.begin().await.unwrap();
    let found = due(&mut tx, i64::MAX).await;
    assert_eq!((found.len(), found[0].created_at), (1, now()));
}
