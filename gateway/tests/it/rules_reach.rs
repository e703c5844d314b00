//! Rules that came into force reach what was told before, whoever is stopped in between.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::time::Duration;

use serde_json::{Value, json};
use tandem::config::Loaded;
use tandem::pipeline::core::Core;
use tandem::pipeline::reconsidering;
use tandem::seal::Sealer;
use tandem::state::reconsidering::ReconsideringDoc;
use tandem::store::{ActivationRow, EventState, Evidence, EvidenceKind, Store};
use tandem_consent::Bundle;
use tandem_simulators::postgres::Cluster;

use crate::processes::{in_postgres, opened_with, people, provider, tell};
use crate::recalls::{at_rest, each_is_recalled_once};
use crate::recalls_processes::told;

const PATIENCE: Duration = Duration::from_secs(120);
/// More records than are looked at in one transaction, or read at once.
const OTHERS: usize = 100;

/// The rules of the demo county, by which child welfare may be told nothing more.
fn narrower() -> Bundle {
    let rule = r#"@id("DEMO-78")
@title("Nothing to child welfare")
@citation("county order 78")
@kind("bar")
@basis("RESTRICTION")
@summary_en("The county tells child welfare nothing.")
@summary_es("El condado no da datos a bienestar infantil.")
@effective_from("2020-01-01")
@jurisdiction("demo-county")
@confidence("high")
@owner("county counsel")
forbid (
  principal,
  action in [Action::"disclose", Action::"refer", Action::"update_case_plan"],
  resource
)
when {
  principal.kinds.contains("CWS_AGENCY")
};
"#;
    let rules = Bundle::default_for("demo-county").unwrap();
    let mut files: Value = serde_json::from_str(&rules.to_stored()).unwrap();
    files["county"]["regimes/calworks/DEMO-78.cedar"] = json!(rule);
    Bundle::from_stored(&files.to_string()).unwrap()
}

/// Waits until nothing waits to take effect.
async fn applied(core: &Core) {
    let mut changed = core.changed.subscribe();
    let resting = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            if tx.count_events(EventState::Waiting).await.unwrap() == 0 {
                return;
            }
            drop(tx);
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, resting).await.unwrap();
}

/// Waits until everybody was reached.
async fn reached_all(core: &Core) {
    let mut changed = core.changed.subscribe();
    let resting = async {
        loop {
            let mut tx = core.store.snapshot().await.unwrap();
            let docs: Vec<ReconsideringDoc> = tx.all().await.unwrap();
            drop(tx);
            if docs.is_empty() {
                return;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, resting).await.unwrap();
}

/// The store as a gateway leaves it that puts rules in force and is killed right after that.
async fn put_in_force_and_killed(loaded: &Loaded, rules: &Bundle) {
    let config = &loaded.config;
    let key = config.data.join("root.key");
    let sealer = Sealer::from_file(&key, config.jurisdiction.clone()).unwrap();
    let store = Store::of(config, sealer).await.unwrap();
    let now = tandem::clock::Clock::System.now();
    let row = ActivationRow {
        effective_at: now,
        bundle: rules.hash().to_owned(),
        approvals: Vec::new(),
        recorded_at: now,
        recorded_by: "administrator".to_owned(),
        started_at: None,
    };
    let kept = Evidence {
        kind: EvidenceKind::Bundle,
        hash: row.bundle.clone(),
        content: rules.to_stored(),
    };
    let mut tx = store.begin().await.unwrap();
    tx.keep(&kept, now).await.unwrap();
    tx.add_activation(&row).await.unwrap();
    tx.start_activation(&row, now).await.unwrap();
    reconsidering::begin(&mut tx, &row.bundle, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    store.close().await;
}

/// Child welfare was told much of a mother, and others are known; rules come into force by which it may be told nothing.
async fn reach_what_was_told(settings: &str) {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let told = told(folder.path(), settings).await;
    let gateway = Box::pin(opened_with(folder.path(), "second.toml", settings)).await;
    let url = format!("http://{}", gateway.address);
    for (who, id, person) in people(OTHERS) {
        assert!(tell(&url, who, &id, &person).await);
    }
    applied(&gateway.core).await;
    gateway.stop().await;
    let loaded = Loaded::from_file(&folder.path().join("second.toml")).unwrap();
    let rules = narrower();
    put_in_force_and_killed(&loaded, &rules).await;

    let gateway = Box::pin(opened_with(folder.path(), "third.toml", settings)).await;
    let core = &gateway.core;
    assert_eq!(core.judge.bundle().hash(), rules.hash());
    reached_all(core).await;
    at_rest(core).await;
    each_is_recalled_once(core, &told).await;
    let mut tx = core.store.snapshot().await.unwrap();
    let noted = tx.audit_entries(Some("policy.reached-all"), 10).await;
    let noted: Vec<String> = noted.unwrap().into_iter().map(|one| one.object).collect();
    assert_eq!(noted, [rules.hash()]);
    drop(tx);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_reach_what_was_told_also_after_a_kill_on_sqlite() {
    reach_what_was_told("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_reach_what_was_told_also_after_a_kill_on_postgres() {
    let cluster = Cluster::start(false).unwrap();
    reach_what_was_told(&in_postgres(&cluster)).await;
}
