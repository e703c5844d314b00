//! Rules that another gateway on the same database has put in force, and that do not count here yet.

use std::sync::Arc;

use tandem::store::{ActivationRow, EventState};
use tandem_consent::Bundle;
use tandem_simulators::postgres::Cluster;

use crate::processes::{in_postgres, opened_with, people, provider, tell};

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_new_rules_count_here_waits_for_them() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let gateway = opened_with(folder.path(), "gateway.toml", &in_postgres(&cluster)).await;
    let core = Arc::clone(&gateway.core);
    let now = core.clock.now();
    let activation = ActivationRow {
        effective_at: now,
        bundle: core.judge.bundle().hash().to_owned(),
        approvals: Vec::new(),
        recorded_at: now,
        recorded_by: "another gateway".to_owned(),
        started_at: None,
    };
    let mut tx = core.store.begin().await.unwrap();
    tx.start_activation(&activation, now).await.unwrap();
    tx.commit().await.unwrap();
    let before = Bundle::default_for("elsewhere").unwrap();
    core.judge.put_in_force(Arc::new(before));

    let url = format!("http://{}", gateway.address);
    let mut changed = core.changed.subscribe();
    for (who, id, person) in people(3) {
        assert!(tell(&url, who, &id, &person).await);
    }
    loop {
        let mut tx = core.store.snapshot().await.unwrap();
        assert_eq!(tx.count_events(EventState::Parked).await.unwrap(), 0);
        if tx.count_events(EventState::Waiting).await.unwrap() == 0 {
            break;
        }
        drop(tx);
        changed.changed().await.unwrap();
    }
    assert_eq!(core.judge.bundle().hash(), activation.bundle);
    gateway.stop().await;
}
