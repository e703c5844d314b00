//! The log of a store whose records were sealed anew says the same as before, and a later alteration is still seen.

use super::more_leaves::with_more;
use super::*;
use crate::store::{Resealer, Step};

/// Everything is sealed by another key, and the first one is gone.
async fn rotated(place: &Place) {
    place.store.rotate("administrator", now()).await.unwrap();
    let resealer = Resealer::of(&place.store).await.unwrap();
    while resealer.step().await.unwrap() != Step::Done {}
    let retired = place.store.retire_key(1, "administrator", now()).await;
    retired.unwrap();
}

#[tokio::test]
async fn a_log_is_sound_after_its_records_were_sealed_anew_and_their_first_key_went() {
    let place = with_more().await;
    let before = place.verify().await;
    let exported = |place: &Place| {
        let store = place.store.clone();
        let public = place.log.public().clone();
        async move {
            let tx = store.snapshot().await.unwrap();
            let start = Exporter::start(tx, &public, Shown::Records, false).await;
            let (mut exporter, mut text) = (start.unwrap(), String::new());
            while let Some(lines) = exporter.lines().await.unwrap() {
                text.push_str(&lines);
            }
            text
        }
    };
    let first = exported(&place).await;
    rotated(&place).await;
    let changed = place
        .alter("UPDATE decision SET sealed = sealed WHERE substr(sealed, 1, 5) = x'0300000002'")
        .await;
    assert!(
        changed > 0,
        "decisions are sealed anew and keep their first form"
    );
    let after = place.verify().await;
    assert!(after.is_sound(), "{after}");
    assert_eq!(after.covered, before.covered);
    // What somebody exported before and what is exported now is the same, byte for byte.
    assert_eq!(exported(&place).await, first);
    place.log.sign(&place.store, now()).await.unwrap().unwrap();
    let signed = place.verify().await;
    assert!(
        signed.is_sound() && signed.covered > before.covered,
        "{signed}"
    );
}

#[tokio::test]
async fn what_is_altered_after_it_was_sealed_anew_is_named() {
    for (table, key, statement) in [
        (
            "decision",
            "position",
            "UPDATE decision SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00' \
             WHERE id = (SELECT MIN(id) FROM decision)",
        ),
        (
            "decision",
            "position",
            "UPDATE decision SET outcome = 'permit' WHERE id = (SELECT MIN(id) FROM decision)",
        ),
        (
            "decision",
            "position",
            "UPDATE decision SET sealed = (SELECT sealed FROM decision ORDER BY id DESC LIMIT 1) \
             WHERE id = (SELECT MIN(id) FROM decision)",
        ),
        (
            "evidence",
            "position",
            "UPDATE evidence SET sealed = x'03' || substr(sealed, 2, 30) || x'0000' || substr(sealed, 34)",
        ),
    ] {
        let place = with_more().await;
        rotated(&place).await;
        assert!(place.alter(statement).await > 0, "{statement}");
        let report = place.verify().await;
        assert!(!report.is_sound(), "{statement}");
        let text = told(&report);
        assert!(text.contains(table) && text.contains(key), "{text}");
    }
}
