//! What waits of a person, and what was decided together.

use tandem_mappings::model::id::PersonId;

use super::*;
use crate::store::{Logging, NewDecision, Stage};

fn decision(person: PersonId, recipient: &str, stage: Stage) -> NewDecision {
    NewDecision {
        id: DecisionId(uuid::Uuid::now_v7()),
        decided_at: now(),
        action: "disclose".to_owned(),
        stage: stage.code().to_owned(),
        outcome: "permit".to_owned(),
        recipient: recipient.to_owned(),
        person: Some(person),
        bundle: "sha256:rules".to_owned(),
        link_version: 1,
        record: "{}".to_owned(),
        evidence: Vec::new(),
    }
}

/// A decision about somebody.
pub(super) fn decided() -> NewDecision {
    decision(somebody(), "org-hmis", Stage::Outbox)
}

fn somebody() -> PersonId {
    PersonId(uuid::Uuid::now_v7())
}

pub(super) async fn what_waits_is_found_by_everybody_about_whom_it_was_decided(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let (mother, child, stranger) = (somebody(), somebody(), somebody());
    let main = decision(mother, "org-hmis", Stage::Outbox);
    let beside = decision(child, "org-hmis", Stage::Outbox);
    let elsewhere = decision(stranger, "org-cws", Stage::Outbox);
    let earlier = decision(stranger, "org-hmis", Stage::Intake);
    for row in [&main, &beside, &elsewhere, &earlier] {
        tx.add_decision(row.clone()).await.unwrap();
    }
    let kept = tx.decision(main.id).await.unwrap().unwrap();
    let together = tx.decisions_beside(&kept).await.unwrap();
    let people: Vec<_> = together.iter().filter_map(|row| row.person).collect();
    assert_eq!(people.len(), 2);
    assert!(people.contains(&mother) && people.contains(&child));

    let waits = OutboxRow {
        decision: main.id,
        ..row(&tx, "family-1")
    };
    let gone = OutboxRow {
        decision: main.id,
        ..row(&tx, "family-2")
    };
    for message in [&waits, &gone] {
        tx.add_outbox(message).await.unwrap();
    }
    let delivered = OutboxRow {
        state: OutboxState::Delivered,
        ..gone
    };
    let from = OutboxState::Queued;
    assert!(tx.move_outbox(&delivered, from, now()).await.unwrap());
    for (person, is_found) in [(mother, true), (child, true), (stranger, false)] {
        let found = tx.waiting_about(person).await.unwrap();
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        assert_eq!(ids.contains(&waits.id), is_found);
        assert_eq!(
            ids.len(),
            usize::from(is_found),
            "what was delivered waits no more"
        );
    }
}

pub(super) async fn what_was_seen_under_broken_glass_stands_among_what_was_told(place: Place) {
    let mut tx = place.store.begin().await.unwrap();
    let person = somebody();
    let asked = decision(person, "org-bh", Stage::Query);
    tx.add_decision(asked.clone()).await.unwrap();
    for action in ["open", "read", "read-refuse", "read-nothing", "review"] {
        let action = format!("break-glass.{action}");
        tx.audit(now(), "bh", &action, "grant-1", "").await.unwrap();
    }
    tx.audit(now(), "gateway", "message.delivered", "message-1", "")
        .await
        .unwrap();
    for about in [None, Some(person)] {
        let events = tx.logged_before(i64::MAX, about, 10).await.unwrap();
        let events: Vec<_> = events.into_iter().map(|(_, event)| event).collect();
        let seen = || Logging::Seen("grant-1".to_owned(), now());
        let told = Logging::Delivery("message-1".to_owned());
        assert_eq!(events, [told, seen(), seen(), Logging::Decision(asked.id)]);
    }
    let of_others = tx.logged_before(i64::MAX, Some(somebody()), 10).await;
    assert_eq!(of_others.unwrap().len(), 3, "without the decision");
}
