//! Evidence, rules in force and attempts have leaves as well.

use tandem_mappings::model::id::MessageId;

use super::*;
use crate::store::{ActivationRow, AttemptRow, Evidence, EvidenceKind};

const TABLES: [&str; 4] = ["evidence", "policy_activation", "policy_start", "attempt"];
const MESSAGE: u128 = 0xcc;

fn attempt() -> AttemptRow {
    AttemptRow {
        message: MessageId(uuid::Uuid::from_u128(MESSAGE)),
        number: 0,
        started_at: now(),
        ended_at: now(),
        outcome: "retry".to_owned(),
        fault: Some("theirs".to_owned()),
        response: Some("5xx".to_owned()),
        note: Some("refused for now".to_owned()),
        decision: DecisionId(uuid::Uuid::from_u128(1)),
    }
}

fn activation() -> ActivationRow {
    ActivationRow {
        effective_at: now(),
        bundle: "sha256:rules".to_owned(),
        approvals: vec!["a signed note".to_owned()],
        recorded_at: now(),
        recorded_by: "administrator".to_owned(),
        started_at: None,
    }
}

async fn more(place: &Place) {
    let mut tx = place.store.begin().await.unwrap();
    for hash in ["sha256:one", "sha256:two"] {
        let evidence = Evidence {
            kind: EvidenceKind::Directive,
            hash: hash.to_owned(),
            content: "{}".to_owned(),
        };
        tx.keep(&evidence, now()).await.unwrap();
        // Kept once, with one leaf.
        tx.keep(&evidence, now()).await.unwrap();
    }
    tx.add_activation(&activation()).await.unwrap();
    tx.start_activation(&activation(), now()).await.unwrap();
    tx.add_attempt(&attempt()).await.unwrap();
    tx.add_attempt(&attempt()).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) async fn with_more() -> Place {
    let place = Place::new().await;
    more(&place).await;
    place.log.sign(&place.store, now()).await.unwrap().unwrap();
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.leaves, report.openings), (28, 28));
    place
}

#[tokio::test]
async fn every_altered_column_of_evidence_rules_and_attempts_is_found_and_named() {
    let place = with_more().await;
    for table in TABLES {
        for (column, kind) in place.columns(table).await {
            let copy = place.copy(tempfile::tempdir().unwrap()).await;
            assert_eq!(copy.alter(&alteration(table, &column, &kind)).await, 1);
            let text = told(&copy.verify().await);
            let names = match table {
                "evidence" => ["position 21", "evidence sha256:one"],
                "policy_activation" => [
                    "position 23",
                    "policy_activation 1770051600000000 sha256:rules",
                ],
                "policy_start" => ["position 24", "policy_start 1770051600000000 sha256:rules"],
                _ => [
                    "position 25",
                    "attempt 00000000-0000-0000-0000-0000000000cc 1",
                ],
            };
            assert!(
                names.iter().any(|name| text.contains(name)),
                "{table}.{column}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn every_deleted_or_inserted_row_of_them_is_found_and_named() {
    let place = with_more().await;
    for (table, name) in [
        ("evidence", "evidence sha256:two"),
        ("policy_activation", "sha256:rules"),
        ("policy_start", "sha256:rules"),
        ("attempt", "0000000000cc 2"),
    ] {
        let copy = place.copy(tempfile::tempdir().unwrap()).await;
        let sql = format!("DELETE FROM {table} WHERE rowid = (SELECT MAX(rowid) FROM {table})");
        assert_eq!(copy.alter(&sql).await, 1);
        let text = told(&copy.verify().await);
        assert!(
            text.contains(name) && text.contains("the record of the leaf is not there"),
            "{table}: {text}"
        );
    }
    for (sql, name) in [
        (
            "INSERT INTO evidence SELECT jurisdiction, 'sha256:forged', kind, kept_at, sealed FROM evidence LIMIT 1",
            "evidence sha256:forged: the record is not in the log",
        ),
        (
            "INSERT INTO policy_activation SELECT jurisdiction, effective_at, 'sha256:forged', approvals, \
             recorded_at, recorded_by, started_at FROM policy_activation LIMIT 1",
            "sha256:forged: the record is not in the log",
        ),
        (
            "INSERT INTO policy_start SELECT jurisdiction, effective_at, 'sha256:forged', started_at FROM policy_start LIMIT 1",
            "sha256:forged: the record is not in the log",
        ),
        (
            "INSERT INTO attempt SELECT jurisdiction, message, 900, started_at, ended_at, 'acknowledged', fault, note, \
             decision, response FROM attempt LIMIT 1",
            "0000000000cc 900: the record is not in the log",
        ),
    ] {
        let copy = place.copy(tempfile::tempdir().unwrap()).await;
        assert_eq!(copy.alter(sql).await, 1);
        let text = told(&copy.verify().await);
        assert!(text.contains(name), "{text}");
    }
}

#[tokio::test]
async fn an_older_log_takes_them_in_once_and_says_so() {
    let place = Place::new().await;
    more(&place).await;
    // As an older gateway left it: the rows are there and have no leaves.
    place
        .alter("DELETE FROM audit_leaf WHERE kind IN ('evidence', 'policy-activation', 'policy-start', 'attempt')")
        .await;
    let (store, log) = opened(place.folder.path()).await;
    log.sign(&store, now()).await.unwrap().unwrap();
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
    let told_of = store.snapshot().await.unwrap();
    let entries = { told_of }.audit_entries(Some("audit.adopt"), 10).await;
    let entries = entries.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].detail, "6");
    // What comes beside the gateway afterwards is not taken in by its next start.
    place
        .alter("INSERT INTO attempt SELECT jurisdiction, message, 900, started_at, ended_at, outcome, fault, note, decision, response FROM attempt LIMIT 1")
        .await;
    let (_store, _log) = opened(place.folder.path()).await;
    let text = told(&place.verify().await);
    assert!(
        text.contains("0000000000cc 900: the record is not in the log"),
        "{text}"
    );
}
