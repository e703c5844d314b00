//! What follows when records turn out to be one person: links, doubtful pairs, joined people.

use jiff::Timestamp;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{LinkId, PersonId, RecordKey};
use tandem_mappings::model::link::{LinkDecider, LinkDecision, LinkTold};
use tandem_matching::{Candidate, Decision};

use super::core::Core;
use super::{family, split};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// Puts a record into the index and links it by score. Returns the persons whose records changed.
///
/// # Errors
/// When the store fails.
pub async fn match_record(
    core: &Core,
    tx: &mut Tx,
    document: &RecordDoc,
    now: Timestamp,
) -> Result<Vec<PersonId>, StoreError> {
    let candidates = core.matcher.lock().await.update(document);
    let mut changed = Vec::new();
    for candidate in candidates {
        let Some(other) = known_key(&candidate) else {
            continue;
        };
        if let Some(person) =
            take_candidate(core, tx, &document.key, &other, &candidate, now).await?
        {
            changed.push(person);
        }
    }
    Ok(changed)
}

fn known_key(candidate: &Candidate) -> Option<RecordKey> {
    let system = candidate.key.system.parse().ok()?;
    let person = candidate.key.id.parse().ok()?;
    Some(RecordKey { system, person })
}

pub(super) async fn take_candidate(
    core: &Core,
    tx: &mut Tx,
    key: &RecordKey,
    other: &RecordKey,
    candidate: &Candidate,
    now: Timestamp,
) -> Result<Option<PersonId>, StoreError> {
    let known = tx.get::<LinkDoc>(&LinkDoc::key_of_pair(key, other)).await?;
    if known.as_ref().is_some_and(|link| {
        link.decider == LinkDecider::Steward || link.standing == LinkStanding::Linked
    }) {
        return Ok(None);
    }
    if known.is_none() && is_one_person_already(tx, key, other).await? {
        return Ok(None);
    }
    let may_join = match candidate.decision {
        Decision::Link => joins_without_conflict(core, tx, key, other).await?,
        _ => false,
    };
    let standing = if may_join {
        LinkStanding::Linked
    } else {
        LinkStanding::Candidate
    };
    let is_new = known.is_none();
    let (a, b) = if key <= other {
        (key, other)
    } else {
        (other, key)
    };
    let explanation = core
        .matcher
        .lock()
        .await
        .model()
        .explained(&candidate.explanation)?;
    let link = LinkDoc {
        id: known
            .as_ref()
            .map_or_else(|| LinkId(uuid::Uuid::now_v7()), |link| link.id),
        a: a.clone(),
        b: b.clone(),
        score_centibits: centibits(candidate.score_bits),
        matcher_decision: if may_join {
            LinkDecision::Link
        } else {
            LinkDecision::Review
        },
        standing,
        decider: LinkDecider::Matcher,
        reason: None,
        decided_by: None,
        explanation,
        created_at: known.map_or(now, |link| link.created_at),
        decided_at: may_join.then_some(now),
    };
    tx.put(&link, now).await?;
    if may_join {
        return join(core, tx, &link, now).await.map(Some);
    }
    if is_new {
        core.record(tx, Body::LinkCandidate(Box::new(told(&link, None))), now)
            .await?;
    }
    Ok(None)
}

/// Whether other links have made the two records one person: then there is nothing to decide about the pair.
async fn is_one_person_already(
    tx: &mut Tx,
    key: &RecordKey,
    other: &RecordKey,
) -> Result<bool, StoreError> {
    let own = family::record(tx, &key.system, &key.person).await?;
    let other = family::record(tx, &other.system, &other.person).await?;
    Ok(matches!((own, other), (Some(own), Some(other)) if own.person_id == other.person_id))
}

async fn joins_without_conflict(
    core: &Core,
    tx: &mut Tx,
    key: &RecordKey,
    other: &RecordKey,
) -> Result<bool, StoreError> {
    let Some(other) = family::record(tx, &other.system, &other.person).await? else {
        return Ok(false);
    };
    let Some(own) = family::record(tx, &key.system, &key.person).await? else {
        return Ok(false);
    };
    let members: Vec<RecordKey> = family::records_of(tx, other.person_id)
        .await?
        .into_iter()
        .map(|record| record.key)
        .collect();
    let matcher = core.matcher.lock().await;
    for record in family::records_of(tx, own.person_id).await? {
        if !matcher.may_join(&record.key, &members) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the records of a link one person: the older person id stays.
///
/// # Errors
/// When the store fails.
pub async fn join(
    core: &Core,
    tx: &mut Tx,
    link: &LinkDoc,
    now: Timestamp,
) -> Result<PersonId, StoreError> {
    let missing = StoreError::Shape {
        kind: "linked record",
    };
    let a = tx
        .get::<RecordDoc>(&RecordDoc::key_of(&link.a))
        .await?
        .ok_or(missing)?
        .person_id;
    let missing = StoreError::Shape {
        kind: "linked record",
    };
    let b = tx
        .get::<RecordDoc>(&RecordDoc::key_of(&link.b))
        .await?
        .ok_or(missing)?
        .person_id;
    let (stays, goes) = (a.min(b), a.max(b));
    if stays != goes {
        split::unite(tx, goes, stays, now).await?;
    }
    core.record(
        tx,
        Body::PersonLinked(Box::new(told(link, Some(stays)))),
        now,
    )
    .await?;
    Ok(stays)
}

/// What an event tells of a link.
#[must_use]
pub fn told(link: &LinkDoc, person: Option<PersonId>) -> LinkTold {
    let decision = match link.standing {
        LinkStanding::Linked => LinkDecision::Link,
        LinkStanding::Candidate => LinkDecision::Review,
        LinkStanding::Rejected | LinkStanding::Undone => LinkDecision::NoLink,
    };
    LinkTold {
        link: link.id,
        a: link.a.clone(),
        b: link.b.clone(),
        score_centibits: link.score_centibits,
        decision,
        decider: link.decider,
        person,
        reason: link.reason.clone(),
        decided_by: link.decided_by.clone(),
    }
}

/// Bits as hundredths, so that events compare exactly.
fn centibits(bits: f64) -> i32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to the range of i32 before the cast"
    )]
    let rounded = (bits * 100.0)
        .round()
        .clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32;
    rounded
}
