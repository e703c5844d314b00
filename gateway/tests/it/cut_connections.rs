//! Connections to the database that are cut while events take effect.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::time::Duration;

use reqwest::StatusCode;
use tandem::pipeline::core::Core;
use tandem::store::StoreError;
use tandem_mappings::model::event::Body;
use tandem_simulators::postgres::Cluster;

use crate::api_office::record_received;
use crate::processes::{in_postgres, opened_with, people, provider};

const PATIENCE: Duration = Duration::from_secs(120);
/// Events that wait at one time: many turns of the processor.
const EVENTS: usize = 150;
/// So many take effect between two cuts.
const BETWEEN: u64 = 5;

async fn waiting(core: &Core) -> Result<u64, StoreError> {
    core.store.snapshot().await?.count_waiting().await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_take_effect_in_the_order_in_which_they_came_whatever_is_cut_meanwhile() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = in_postgres(&cluster);
    let gateway = Box::pin(opened_with(folder.path(), "gateway.toml", &settings)).await;
    let core = &gateway.core;
    let told: Vec<_> = people(2 * EVENTS)
        .into_iter()
        .filter(|(who, ..)| *who == "calworks")
        .map(|(_, id, person)| record_received(&id, &person))
        .collect();
    let url = format!("http://{}/v1/events", gateway.address);
    let request = reqwest::Client::new().post(url).bearer_auth("calworks");
    let answer = request.json(&told).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);

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
    assert_eq!(own.len(), EVENTS);
    assert!(own.is_sorted(), "{own:?}");
    gateway.stop().await;
}
