//! A data steward's work: confirm or reject a doubtful pair, undo a link.

use jiff::Timestamp;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{LinkId, MessageId};
use tandem_mappings::model::link::LinkDecider;
use tandem_matching::Ruling;

use super::core::Core;
use super::{basis, linking, mutual, recall, split};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::record::RecordDoc;
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

/// Confirms a doubtful pair, or a link that is in doubt: it is one person.
///
/// # Errors
/// When nobody doubts the link, or the store fails.
pub async fn confirm(
    core: &Core,
    tx: &mut Tx,
    id: LinkId,
    actor: &str,
    reason: &str,
) -> Result<LinkDoc, StewardError> {
    let now = core.clock.now();
    let mut link = link(tx, id).await?;
    let was_linked = link.standing == LinkStanding::Linked;
    if was_linked && link.doubt.is_none() {
        return Err(StewardError::Standing(link.standing.code()));
    }
    core.index_of(tx)
        .await
        .rule(&link.a, &link.b, Ruling::Confirmed);
    link.decided_by = Some(actor.to_owned());
    decide(core, tx, &mut link, LinkStanding::Linked, reason, now).await?;
    tx.audit(now, actor, "link.confirm", &id.to_string(), "")
        .await?;
    if was_linked {
        return Ok(link);
    }
    let person = linking::join(core, tx, &link, now).await?;
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
    core.index_of(tx)
        .await
        .rule(&link.a, &link.b, Ruling::Rejected);
    link.decided_by = Some(actor.to_owned());
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
    /// Messages that were delivered under the link: for breach review; their holders are told to stop using them.
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
    core.index_of(tx)
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
    link.decided_by = Some(actor.to_owned());
    decide(core, tx, &mut link, LinkStanding::Undone, reason, now).await?;
    tx.audit(now, actor, "link.undo", &id.to_string(), "")
        .await?;
    let about = recall::about(tx, person).await?;
    split::part(tx, person, None, now).await?;
    core.record(
        tx,
        Body::PersonUnlinked(Box::new(linking::told(&link, Some(person)))),
        now,
    )
    .await?;
    let disclosed = recall::resting_on(core, tx, about, None).await?;
    recall::everything_told(core, tx, &disclosed, now).await?;
    recall::nothing_leaves(core, tx, person, None, now).await?;
    basis::review(core, tx, &[link.a.clone(), link.b.clone()], now).await?;
    Ok(Undone {
        link,
        disclosed: disclosed.into_iter().map(|one| one.row.id).collect(),
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
    link.doubt = None;
    link.reason = Some(reason.to_owned());
    link.decided_at = Some(now);
    tx.put(link, now).await?;
    core.record(
        tx,
        Body::LinkDecided(Box::new(linking::told(link, None))),
        now,
    )
    .await
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
    core.index_of(tx).await.remove(&record.key);
    let person = record.person_id;
    let about = recall::about(tx, person).await?;
    let mut undone = Vec::new();
    for mut link in tx
        .find::<LinkDoc>("link.record", &RecordDoc::key_of(&record.key))
        .await?
    {
        let was_linked = link.standing == LinkStanding::Linked;
        if was_linked || link.standing == LinkStanding::Candidate {
            link.standing = LinkStanding::Undone;
            link.decider = LinkDecider::Matcher;
            link.doubt = None;
            link.decided_at = Some(now);
            tx.put(&link, now).await?;
        }
        if was_linked {
            undone.push(link);
        }
    }
    split::part(tx, person, Some(&record.key), now).await?;
    for link in &undone {
        core.record(
            tx,
            Body::PersonUnlinked(Box::new(linking::told(link, Some(person)))),
            now,
        )
        .await?;
    }
    let disclosed = recall::resting_on(core, tx, about, Some(&record.key)).await?;
    recall::everything_told(core, tx, &disclosed, now).await?;
    recall::nothing_leaves(core, tx, person, Some(&record.key), now).await
}
