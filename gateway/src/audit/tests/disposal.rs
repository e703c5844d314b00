//! Records that went by a rule are told from records that somebody deleted.

use tandem_mappings::model::id::MessageId;

use super::*;
use crate::pipeline::retention::DISPOSE;
use crate::store::{AttemptRow, Disposal, Evidence, EvidenceKind, Logged};

const RULE: &str = "retention.keep.decisions, 6 years (terms of 2026-11-29)";

fn id(number: u128) -> DecisionId {
    DecisionId(uuid::Uuid::from_u128(number))
}

fn disposal(records: usize) -> Disposal {
    Disposal {
        at: now(),
        actor: "gateway".to_owned(),
        action: DISPOSE,
        object: "decisions",
        detail: format!("{RULE} rows={records}"),
    }
}

async fn dispose(place: &Place, records: &[Logged]) {
    let mut tx = place.store.begin().await.unwrap();
    tx.dispose(records, &disposal(records.len())).await.unwrap();
    tx.commit().await.unwrap();
}

/// Two decisions and an attempt were disposed of, by two entries.
async fn disposed() -> Place {
    let place = Place::new().await;
    let attempt = AttemptRow {
        message: MessageId(uuid::Uuid::from_u128(0xcc)),
        number: 0,
        started_at: now(),
        ended_at: now(),
        outcome: "delivered".to_owned(),
        fault: None,
        response: Some("stored".to_owned()),
        note: None,
        decision: id(1),
    };
    let mut tx = place.store.begin().await.unwrap();
    tx.add_attempt(&attempt).await.unwrap();
    tx.commit().await.unwrap();
    let attempt = Logged::Attempt(attempt.message, 1);
    dispose(&place, &[Logged::Decision(id(11)), Logged::Decision(id(2))]).await;
    dispose(&place, &[attempt]).await;
    place.log.sign(&place.store, now()).await.unwrap().unwrap();
    place
}

#[tokio::test]
async fn what_was_disposed_of_is_said_with_its_rule_and_the_log_is_sound() {
    let place = disposed().await;
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
    let counts: Vec<u64> = report.disposed.iter().map(|one| one.records).collect();
    assert_eq!(counts, [2, 1]);
    let text = told(&report);
    let said = format!(
        "disposed of at {} by gateway: 2 records of decisions under {RULE}",
        now()
    );
    assert!(text.contains(&said), "{text}");
    assert_eq!(report.openings, report.leaves - 3);
}

#[tokio::test]
async fn a_record_that_a_stranger_deletes_is_found_beside_what_was_disposed_of() {
    let place = disposed().await;
    let sql = "DELETE FROM decision WHERE id = x'00000000000000000000000000000003'";
    assert_eq!(place.alter(sql).await, 1);
    let report = place.verify().await;
    assert!(!report.is_sound());
    let text = told(&report);
    let key = format!("decision {}", id(3));
    assert!(text.contains(&key), "{text}");
    assert_eq!(
        report.disposed.len(),
        2,
        "what was rightly disposed of still is"
    );
}

#[tokio::test]
async fn a_stranger_who_marks_what_was_deleted_as_disposed_of_is_found() {
    let place = disposed().await;
    let entry = place.verify().await.disposed[0].entry;
    place
        .alter("DELETE FROM decision WHERE id = x'00000000000000000000000000000003'")
        .await;
    let mark = format!(
        "UPDATE audit_leaf SET blind = NULL, disposed = {entry} \
         WHERE id = x'00000000000000000000000000000003' AND kind = 'decision'"
    );
    assert_eq!(place.alter(&mark).await, 1);
    let report = place.verify().await;
    let text = told(&report);
    assert!(!report.is_sound(), "{text}");
    assert!(
        text.contains(&format!("audit {entry}: 3 records are not there")),
        "{text}"
    );
}

#[tokio::test]
async fn an_entry_that_a_stranger_writes_for_a_disposal_is_no_part_of_the_log() {
    let place = disposed().await;
    place
        .alter("DELETE FROM decision WHERE id = x'00000000000000000000000000000003'")
        .await;
    place
        .alter(
            "INSERT INTO audit SELECT jurisdiction, 1000, at, actor, action, object, detail FROM audit \
             WHERE action = 'retention.dispose' LIMIT 1",
        )
        .await;
    place
        .alter(
            "UPDATE audit_leaf SET blind = NULL, disposed = 1000 \
             WHERE id = x'00000000000000000000000000000003' AND kind = 'decision'",
        )
        .await;
    let text = told(&place.verify().await);
    assert!(text.contains("NOT SOUND"), "{text}");
    assert!(
        text.contains("audit 1000: the record is not in the log"),
        "{text}"
    );
}

#[tokio::test]
async fn a_record_that_stands_although_the_log_says_it_went_is_named() {
    let place = disposed().await;
    // Somebody brings a record back, as it was.
    place
        .alter(
            "INSERT INTO decision SELECT jurisdiction, x'00000000000000000000000000000002', decided_at, action, stage, \
             outcome, recipient, person, bundle, link_version, sealed FROM decision LIMIT 1",
        )
        .await;
    let text = told(&place.verify().await);
    assert!(text.contains("NOT SOUND"), "{text}");
    assert!(text.contains("the record stands"), "{text}");
}

#[tokio::test]
async fn only_records_that_have_a_leaf_and_may_go_are_disposed_of() {
    let place = Place::new().await;
    let mut tx = place.store.begin().await.unwrap();
    for record in [Logged::Decision(id(999)), Logged::Audit(1)] {
        let done = tx.dispose(&[record], &disposal(1)).await;
        assert!(done.is_err());
    }
    drop(tx);
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
}

#[tokio::test]
async fn evidence_that_was_disposed_of_and_is_kept_again_stands_by_its_second_leaf() {
    let place = Place::new().await;
    let evidence = Evidence {
        kind: EvidenceKind::Directive,
        hash: "sha256:one".to_owned(),
        content: "{}".to_owned(),
    };
    let logged = Logged::Evidence(evidence.hash.clone());
    for _ in 0..2 {
        let mut tx = place.store.begin().await.unwrap();
        tx.keep(&evidence, now()).await.unwrap();
        tx.commit().await.unwrap();
        let report = place.verify().await;
        assert!(report.is_sound(), "{report}");
        dispose(&place, std::slice::from_ref(&logged)).await;
    }
    let mut tx = place.store.begin().await.unwrap();
    tx.keep(&evidence, now()).await.unwrap();
    tx.commit().await.unwrap();
    let report = place.verify().await;
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.disposed.len(), 2);
}
