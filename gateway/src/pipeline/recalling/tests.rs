//! How what was told is gone through: each message once, however many parts it takes and whoever the person becomes meanwhile.

use tandem_mappings::model::id::{DecisionId, SystemId};
use tandem_mappings::model::person::PersonRecord;
use uuid::Uuid;

use super::part::{self, PART};
use super::*;
use crate::state::recalling::Reached;
use crate::state::record::Standing;
use crate::store::tests::{Place, contract, now, row};

fn system() -> SystemId {
    "calworks-demo".parse().unwrap()
}

fn anybody() -> PersonId {
    PersonId(Uuid::now_v7())
}

/// A record of a person, who was somebody else until a link version.
async fn record(tx: &mut Tx, person: PersonId, was: Option<(PersonId, i64)>) -> RecordDoc {
    let mut record = RecordDoc {
        key: RecordKey {
            system: system(),
            person: Uuid::now_v7().to_string().parse().unwrap(),
        },
        record_kind: "Client".to_owned(),
        person: PersonRecord::default(),
        labels: BTreeSet::new(),
        labelled_by: BTreeSet::new(),
        person_id: was.map_or(person, |(was, _)| was),
        former: Vec::new(),
        standing: Standing::Active,
        may_match: false,
        intake_decision: DecisionId(Uuid::now_v7()),
        memberships: Vec::new(),
        first_received_at: now(),
        received_at: now(),
    };
    record.move_to(person, was.map_or(0, |(_, until)| until));
    tx.put(&record, now()).await.unwrap();
    record
}

/// Messages that were told of a person.
async fn told(tx: &mut Tx, person: PersonId, count: usize, is_recalled: bool) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let row = row(tx, "case");
        tx.add_outbox(&row).await.unwrap();
        let disclosure = DisclosureDoc {
            message: row.id,
            holder: system(),
            people: vec![person],
            permitted: Vec::new(),
            decision: row.decision,
            is_recalled,
            recalled_at: is_recalled.then_some(3),
            is_presumed: false,
        };
        tx.put(&disclosure, now()).await.unwrap();
        ids.push(row.id);
    }
    ids
}

async fn every_message_is_looked_at_once_in_parts_and_what_was_recalled_is_passed_by(place: Place) {
    let (person, former, other) = (anybody(), anybody(), anybody());
    let mut tx = place.store.begin().await.unwrap();
    record(&mut tx, person, Some((former, 10))).await;
    // At the link version of all of these the record was the former person's: what was told under the other id meant somebody else.
    told(&mut tx, person, 40, false).await;
    let mut expected = told(&mut tx, former, 70, false).await;
    told(&mut tx, former, 40, true).await;
    told(&mut tx, other, 5, false).await;

    let mut document = RecallingDoc::new(person, now());
    let (mut found, mut parts) = (Vec::new(), 0);
    loop {
        let mut room = Room::of_a_part();
        let (part, is_last) = part::next(&mut tx, &mut document, &mut room).await.unwrap();
        assert!(part.len() <= PART);
        found.extend(part.into_iter().map(|one| one.row.id));
        parts += 1;
        if is_last {
            break;
        }
        // It goes on from what the store says, whoever does.
        tx.put(&document, now()).await.unwrap();
        document = tx.get(&document.key()).await.unwrap().unwrap();
    }
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(parts >= 3, "only {parts} parts");
}

async fn who_became_another_person_is_looked_at_from_the_beginning_as_that_person(place: Place) {
    let (goes, stays) = (anybody(), anybody());
    let relative = anybody();
    let mut tx = place.store.begin().await.unwrap();
    record(&mut tx, stays, Some((goes, 10))).await;
    let document = RecallingDoc {
        reached: Some(Reached {
            id: goes,
            place: "ff".to_owned(),
        }),
        also: BTreeSet::from([relative]),
        ..RecallingDoc::new(goes, now())
    };
    tx.put(&document, now()).await.unwrap();
    follow(&mut tx, goes, now()).await.unwrap();
    let docs: Vec<RecallingDoc> = tx.all().await.unwrap();
    assert_eq!(docs.len(), 1);
    assert_eq!((docs[0].person, &docs[0].reached), (stays, &None));
    assert_eq!(docs[0].also, BTreeSet::from([relative]));
    assert!(is_under_way(&mut tx, goes).await.unwrap());
}

async fn a_family_is_told_of_again_after_the_last_of_it_was_looked_at(place: Place) {
    let (mother, child) = (anybody(), anybody());
    let family = BTreeSet::from([mother, child]);
    let mut tx = place.store.begin().await.unwrap();
    assert!(!waits(&mut tx, &family, mother, now()).await.unwrap());
    let document = RecallingDoc::new(child, now());
    tx.put(&document, now()).await.unwrap();
    assert!(waits(&mut tx, &family, mother, now()).await.unwrap());
    let document: RecallingDoc = tx.get(&document.key()).await.unwrap().unwrap();
    assert_eq!(document.also, BTreeSet::from([mother]));
    let alone = BTreeSet::from([mother]);
    assert!(!waits(&mut tx, &alone, mother, now()).await.unwrap());
}

contract!(
    every_message_is_looked_at_once_in_parts_and_what_was_recalled_is_passed_by,
    who_became_another_person_is_looked_at_from_the_beginning_as_that_person,
    a_family_is_told_of_again_after_the_last_of_it_was_looked_at,
);
