//! Connections to the database that are cut while events take effect.

use std::time::Duration;

use reqwest::StatusCode;
use tandem::pipeline::core::Core;
use tandem::store::StoreError;
use tandem_mappings::model::event::Body;
use tandem_simulators::postgres::Cluster;

use crate::api_office::record_received;
use crate::processes::{in_postgres, kept_and_matched, opened_with, people, provider};

const PATIENCE: Duration = Duration::from_secs(120);
/// Records that wait at one time, two of each person: many turns of the processor.
const RECORDS: usize = 150;
/// So many take effect between two cuts.
const BETWEEN: u64 = 5;

async fn waiting(core: &Core) -> Result<u64, StoreError> {
    core.store.snapshot().await?.count_waiting().await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_take_effect_once_and_in_their_order_whatever_is_cut_meanwhile() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = in_postgres(&cluster);
    let gateway = Box::pin(opened_with(folder.path(), "gateway.toml", &settings)).await;
    let core = &gateway.core;
    let url = format!("http://{}/v1/events", gateway.address);
    let people = people(RECORDS);
    for system in ["calworks", "cws"] {
        let theirs = people.iter().filter(|(who, ..)| *who == system);
        let told: Vec<_> = theirs
            .map(|(_, id, person)| record_received(id, person))
            .collect();
        let request = reqwest::Client::new().post(&url).bearer_auth(system);
        let answer = request.json(&told).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }

    let (mut last, mut cuts) = (u64::MAX, 0);
    let cutting = async {
        loop {
            match waiting(core).await {
                Ok(0) => break,
                Ok(now) if now.saturating_add(BETWEEN) <= last => {
                    cluster.cut().unwrap();
                    (last, cuts) = (now, cuts + 1);
                }
                // Its own connection was cut as well, or nothing has happened yet.
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, cutting).await.unwrap();
    assert!(cuts > 5, "cut only {cuts} times");
    let mut tx = core.store.snapshot().await.unwrap();
    let (_, applied) = tx.events_as_applied(0, 10_000).await.unwrap();
    drop(tx);
    let own = applied
        .iter()
        .filter(|one| matches!(one.event.told.body, Body::RecordReceived(_)));
    let own: Vec<i64> = own.map(|one| one.position).collect();
    assert!(own.is_sorted(), "{own:?}");
    assert_eq!(own.len(), RECORDS, "each of them, once");
    // What the index knew of what was lost is forgotten.
    assert_eq!(kept_and_matched(&gateway).await.len(), RECORDS);
    gateway.stop().await;
}
