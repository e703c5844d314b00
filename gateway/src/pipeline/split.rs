//! When links change who a person is: two become one, or one becomes several. Records move and say since which link
//! version; what names people by records follows by itself, the rest is moved here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_mappings::model::id::{PersonId, RecordKey, SystemId};

use super::{recalling, version};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::mutual::MutualDoc;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Makes two persons one. The caller records the link as an event right after.
///
/// # Errors
/// When the store fails.
pub(super) async fn unite(
    tx: &mut Tx,
    goes: PersonId,
    stays: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let from = version::next(tx).await?;
    for mut record in tx
        .find::<RecordDoc>("record.person", &goes.to_string())
        .await?
    {
        record.move_to(stays, from);
        tx.put(&record, now).await?;
    }
    recalling::follow(tx, stays, now).await?;
    follow(tx, goes, now).await
}

/// Splits a person into the groups of records that links still hold together. The group of the first record keeps
/// the person id, unless it is the record that `goes`. The caller records the undone links as events right after.
///
/// # Errors
/// When the store fails.
pub(super) async fn part(
    tx: &mut Tx,
    person: PersonId,
    goes: Option<&RecordKey>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let from = version::next(tx).await?;
    let mut records: BTreeMap<RecordKey, RecordDoc> = tx
        .find::<RecordDoc>("record.person", &person.to_string())
        .await?
        .into_iter()
        .map(|record| (record.key.clone(), record))
        .collect();
    let groups = groups(tx, records.keys().cloned().collect()).await?;
    let keeps = groups
        .iter()
        .position(|group| goes.is_none_or(|key| !group.contains(key)))
        .unwrap_or(0);
    for (_, group) in groups.iter().enumerate().filter(|(at, _)| *at != keeps) {
        let id = PersonId(uuid::Uuid::now_v7());
        for key in group {
            if let Some(record) = records.get_mut(key) {
                record.move_to(id, from);
                tx.put(record, now).await?;
            }
        }
    }
    follow(tx, person, now).await
}

/// The records in groups that links hold together, the first record's group first.
async fn groups(
    tx: &mut Tx,
    mut waiting: BTreeSet<RecordKey>,
) -> Result<Vec<Vec<RecordKey>>, StoreError> {
    let mut groups = Vec::new();
    while let Some(start) = waiting.pop_first() {
        let mut group = vec![start];
        let mut at = 0;
        while let Some(key) = group.get(at).cloned() {
            at += 1;
            for link in tx
                .find::<LinkDoc>("link.record", &RecordDoc::key_of(&key))
                .await?
            {
                let other = if link.a == key { &link.b } else { &link.a };
                if link.standing == LinkStanding::Linked && waiting.remove(other) {
                    group.push(other.clone());
                }
            }
        }
        groups.push(group);
    }
    Ok(groups)
}

/// Referrals go to the person of the record that they name, notices to the person who has a record on both sides.
async fn follow(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<(), StoreError> {
    recalling::follow(tx, person, now).await?;
    for mut referral in tx
        .find::<ReferralDoc>("referral.person", &person.to_string())
        .await?
    {
        let Some(subject) = referral.people.first().map(RecordDoc::key_of) else {
            continue;
        };
        if let Some(record) = tx
            .get::<RecordDoc>(&subject)
            .await?
            .filter(|record| record.person_id != person)
        {
            referral.person = record.person_id;
            tx.put(&referral, now).await?;
        }
    }
    for mut notice in tx
        .find::<MutualDoc>("mutual.person", &person.to_string())
        .await?
    {
        let key = MutualDoc::key_of(person, &notice.recipient, &notice.partner);
        let Some(both) = knows_both(tx, person, &notice).await? else {
            // Nobody stands on both sides any more: should a link be made again, both are told anew.
            tx.remove::<MutualDoc>(&key).await?;
            continue;
        };
        if both != person {
            tx.remove::<MutualDoc>(&key).await?;
            notice.person = both;
            tx.put(&notice, now).await?;
        }
    }
    Ok(())
}

/// Of the persons who came from this one, the one with a record in both systems of a notice.
async fn knows_both(
    tx: &mut Tx,
    person: PersonId,
    notice: &MutualDoc,
) -> Result<Option<PersonId>, StoreError> {
    let id = person.to_string();
    let mut records = tx.find::<RecordDoc>("record.person", &id).await?;
    records.extend(tx.find::<RecordDoc>("record.former", &id).await?);
    let of = |system: &SystemId| -> BTreeSet<PersonId> {
        let own = records.iter().filter(|one| one.key.system == *system);
        own.map(|one| one.person_id).collect()
    };
    Ok(of(&notice.recipient)
        .intersection(&of(&notice.partner))
        .next()
        .copied())
}
