//! A data steward's work: confirm or reject a doubtful pair, undo a link.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{LinkId, MessageId, PersonId, RecordKey, SystemId};
use tandem_mappings::model::link::LinkDecider;
use tandem_matching::Ruling;

use super::core::Core;
use super::{family, matcher, mutual, recall};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Why a steward's decision was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StewardError {
    /// No link has this id.
    #[error("no link has this id")]
    Unknown,
    /// The link does not stand where the decision needs it.
    #[error("the link is {0}")]
    Standing(&'static str),
    /// The records would make a person that a rule forbids.
    #[error("the records cannot be one person: a constraint forbids it")]
    Constraint,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn link(tx: &mut Tx, id: LinkId) -> Result<LinkDoc, StewardError> {
    tx.find::<LinkDoc>("link.id", &id.to_string())
        .await?
        .pop()
        .ok_or(StewardError::Unknown)
}

/// Confirms a doubtful pair: it is one person.
///
/// # Errors
/// When the pair does not wait, or the store fails.
pub async fn confirm(
    core: &Core,
    tx: &mut Tx,
    id: LinkId,
    actor: &str,
    reason: &str,
) -> Result<LinkDoc, StewardError> {
    let now = core.clock.now();
    let mut link = link(tx, id).await?;
    if link.standing == LinkStanding::Linked {
        return Err(StewardError::Standing(link.standing.code()));
    }
    core.matcher
        .lock()
        .await
        .rule(&link.a, &link.b, Ruling::Confirmed);
    decide(core, tx, &mut link, LinkStanding::Linked, reason, now).await?;
    tx.audit(now, actor, "link.confirm", &id.to_string(), "")
        .await?;
    let person = matcher::join(core, tx, &link, now).await?;
    mutual::evaluate(core, tx, person, now).await?;
    Ok(link)
}

/// Rejects a doubtful pair: two people; it is never offered again.
///
/// # Errors
/// When the pair does not wait, or the store fails.
pub async fn reject(
    core: &Core,
    tx: &mut Tx,
    id: LinkId,
    actor: &str,
    reason: &str,
) -> Result<LinkDoc, StewardError> {
    let now = core.clock.now();
    let mut link = link(tx, id).await?;
    if link.standing != LinkStanding::Candidate {
        return Err(StewardError::Standing(link.standing.code()));
    }
    core.matcher
        .lock()
        .await
        .rule(&link.a, &link.b, Ruling::Rejected);
    decide(core, tx, &mut link, LinkStanding::Rejected, reason, now).await?;
    tx.audit(now, actor, "link.reject", &id.to_string(), "")
        .await?;
    Ok(link)
}

/// What was disclosed under a link that is undone.
#[derive(Debug)]
pub struct Undone {
    /// The link.
    pub link: LinkDoc,
    /// Messages that were delivered about the person: for breach review; their holders are told to stop using them.
    pub disclosed: Vec<MessageId>,
}

/// Undoes a link: the records are two people again, and whoever holds what was told about the one person is told to
/// stop using it.
///
/// # Errors
/// When the pair is not linked, or the store fails.
pub async fn undo(
    core: &Core,
    tx: &mut Tx,
    id: LinkId,
    actor: &str,
    reason: &str,
) -> Result<Undone, StewardError> {
    let now = core.clock.now();
    let mut link = link(tx, id).await?;
    if link.standing != LinkStanding::Linked {
        return Err(StewardError::Standing(link.standing.code()));
    }
    core.matcher
        .lock()
        .await
        .rule(&link.a, &link.b, Ruling::Rejected);
    let missing = StoreError::Shape {
        kind: "linked record",
    };
    let record = tx
        .get::<RecordDoc>(&RecordDoc::key_of(&link.a))
        .await?
        .ok_or(missing)?;
    let person = record.person_id;
    decide(core, tx, &mut link, LinkStanding::Undone, reason, now).await?;
    tx.audit(now, actor, "link.undo", &id.to_string(), "")
        .await?;
    let parted = split(tx, person, now).await?;
    core.record(
        tx,
        Body::PersonUnlinked(Box::new(matcher::told(&link, Some(person)))),
        now,
    )
    .await?;
    recall::nothing_leaves(core, tx, person, &parted, now).await?;
    let disclosed = recall::disclosed_about(tx, person).await?;
    recall::everything_told(core, tx, &disclosed, now).await?;
    mutual::forget(tx, person).await?;
    Ok(Undone {
        link,
        disclosed: disclosed.into_iter().map(|row| row.id).collect(),
    })
}

async fn decide(
    core: &Core,
    tx: &mut Tx,
    link: &mut LinkDoc,
    standing: LinkStanding,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    link.standing = standing;
    link.decider = LinkDecider::Steward;
    link.reason = Some(reason.to_owned());
    link.decided_at = Some(now);
    tx.put(link, now).await?;
    core.record(
        tx,
        Body::LinkDecided(Box::new(matcher::told(link, None))),
        now,
    )
    .await
}

/// Splits a person into the groups of records that links still hold together. The group of the first record keeps
/// the person id. Referrals follow the records that they name. Returns the systems whose records went.
async fn split(
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<BTreeSet<SystemId>, StoreError> {
    let records: BTreeMap<RecordKey, RecordDoc> = tx
        .find::<RecordDoc>("record.person", &person.to_string())
        .await?
        .into_iter()
        .map(|record| (record.key.clone(), record))
        .collect();
    let mut waiting: BTreeSet<RecordKey> = records.keys().cloned().collect();
    let mut id = Some(person);
    let mut parted = BTreeSet::new();
    while let Some(start) = waiting.pop_first() {
        let mut group = vec![start];
        let mut at = 0;
        while let Some(key) = group.get(at).cloned() {
            at += 1;
            for link in tx
                .find::<LinkDoc>("link.record", &RecordDoc::key_of(&key))
                .await?
            {
                if link.standing != LinkStanding::Linked {
                    continue;
                }
                let other = if link.a == key { &link.b } else { &link.a };
                if waiting.remove(other) {
                    group.push(other.clone());
                }
            }
        }
        let group_id = id.take().unwrap_or_else(|| PersonId(uuid::Uuid::now_v7()));
        for key in group {
            if let Some(record) = records
                .get(&key)
                .filter(|record| record.person_id != group_id)
            {
                let moved = RecordDoc {
                    person_id: group_id,
                    ..record.clone()
                };
                tx.put(&moved, now).await?;
                parted.insert(moved.key.system);
            }
        }
    }
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
    Ok(parted)
}

/// Takes a record out of the index and undoes its links, since its source withdrew or sealed it.
///
/// # Errors
/// When the store fails.
pub async fn withdraw_record(
    core: &Core,
    tx: &mut Tx,
    record: &RecordDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    core.matcher.lock().await.remove(&record.key);
    let person = record.person_id;
    let is_linked = family::records_of(tx, person)
        .await?
        .iter()
        .any(|other| other.key != record.key);
    for mut link in tx
        .find::<LinkDoc>("link.record", &RecordDoc::key_of(&record.key))
        .await?
    {
        let was_linked = link.standing == LinkStanding::Linked;
        if was_linked || link.standing == LinkStanding::Candidate {
            link.standing = LinkStanding::Undone;
            link.decider = LinkDecider::Matcher;
            link.decided_at = Some(now);
            tx.put(&link, now).await?;
        }
        if was_linked {
            core.record(
                tx,
                Body::PersonUnlinked(Box::new(matcher::told(&link, Some(person)))),
                now,
            )
            .await?;
        }
    }
    let mut parted = BTreeSet::from([record.key.system.clone()]);
    if is_linked {
        let disclosed = recall::disclosed_about(tx, person).await?;
        recall::everything_told(core, tx, &disclosed, now).await?;
        parted.extend(split(tx, person, now).await?);
    }
    recall::nothing_leaves(core, tx, person, &parted, now).await
}
