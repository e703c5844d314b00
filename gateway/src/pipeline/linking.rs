//! What follows when records turn out to be one person: links, doubtful pairs, joined people.

use jiff::Timestamp;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{LinkId, PersonId, RecordKey};
use tandem_mappings::model::link::{LinkDecider, LinkDecision, LinkTold};
use tandem_matching::{Candidate, Decision, Note};

use super::core::Core;
use super::{family, split};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};
use crate::traces::{Field, Step};

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
    let matching = core.traces.begin(Step::Match, None);
    matching.note(Field::System, &document.key.system);
    let compared = Box::pin(compare(core, tx, document, now));
    matching.around(compared).await
}

async fn compare(
    core: &Core,
    tx: &mut Tx,
    document: &RecordDoc,
    now: Timestamp,
) -> Result<Vec<PersonId>, StoreError> {
    let found = core.index_of(tx).await.update(document);
    let own: tandem_matching::RecordKey = (&document.key).into();
    let candidates = found
        .candidates
        .into_iter()
        .map(|candidate| (own.clone(), candidate));
    let mut changed = Vec::new();
    // What came before is looked at again in the light of this record: it may support a link that waited, or speak
    // against one that was made.
    for (seen_from, candidate) in candidates.chain(found.beside) {
        let (Some(key), Some(other)) = (known_key(&seen_from), known_key(&candidate.key)) else {
            continue;
        };
        changed.extend(take_candidate(core, tx, (&key, &other), candidate, now).await?);
    }
    changed.sort_unstable();
    changed.dedup();
    Ok(changed)
}

fn known_key(key: &tandem_matching::RecordKey) -> Option<RecordKey> {
    let system = key.system.parse().ok()?;
    let person = key.id.parse().ok()?;
    Some(RecordKey { system, person })
}

/// Links a pair, lets it wait for a steward, or doubts a link that stands. Returns the person whose records changed.
pub(super) async fn take_candidate(
    core: &Core,
    tx: &mut Tx,
    (key, other): (&RecordKey, &RecordKey),
    mut candidate: Candidate,
    now: Timestamp,
) -> Result<Option<PersonId>, StoreError> {
    let known = tx.get::<LinkDoc>(&LinkDoc::key_of_pair(key, other)).await?;
    match &known {
        Some(link) if link.decider == LinkDecider::Steward => return Ok(None),
        Some(link) if link.standing == LinkStanding::Linked => {
            doubt(core, tx, link, &candidate, now).await?;
            return Ok(None);
        }
        _ => {}
    }
    let (Some(own), Some(others)) = (
        family::record(tx, &key.system, &key.person).await?,
        family::record(tx, &other.system, &other.person).await?,
    ) else {
        return Ok(None);
    };
    let is_one = own.person_id == others.person_id;
    if known.is_none() && is_one {
        // Other links have made the two one person: there is nothing to decide about the pair.
        return Ok(None);
    }
    if candidate.decision == Decision::Link
        && !is_one
        && !joins_without_conflict(core, tx, &own, &others).await?
    {
        candidate.decision = Decision::Review;
        candidate.explanation.decision = Decision::Review;
        candidate.explanation.notes.push(Note::ClusterConflict);
    }
    let link = judged(core, (key, other), known.as_ref(), &candidate, now).await?;
    tx.put(&link, now).await?;
    if link.standing == LinkStanding::Linked {
        return join(core, tx, &link, now).await.map(Some);
    }
    if known.is_none_or(|link| link.standing != LinkStanding::Candidate) {
        core.record(tx, Body::LinkCandidate(Box::new(told(&link, None))), now)
            .await?;
    }
    Ok(None)
}

/// The pair as the matcher decides it now.
async fn judged(
    core: &Core,
    (key, other): (&RecordKey, &RecordKey),
    known: Option<&LinkDoc>,
    candidate: &Candidate,
    now: Timestamp,
) -> Result<LinkDoc, StoreError> {
    let is_link = candidate.decision == Decision::Link;
    let (explanation, model) = explained(core, candidate).await?;
    let (a, b) = if key <= other {
        (key, other)
    } else {
        (other, key)
    };
    Ok(LinkDoc {
        id: known.map_or_else(|| LinkId(uuid::Uuid::now_v7()), |link| link.id),
        a: a.clone(),
        b: b.clone(),
        score_centibits: centibits(candidate.score_bits),
        matcher_decision: if is_link {
            LinkDecision::Link
        } else {
            LinkDecision::Review
        },
        standing: if is_link {
            LinkStanding::Linked
        } else {
            LinkStanding::Candidate
        },
        decider: LinkDecider::Matcher,
        reason: None,
        decided_by: None,
        explanation,
        model,
        doubt: None,
        created_at: known.map_or(now, |link| link.created_at),
        decided_at: is_link.then_some(now),
    })
}

/// The explanation with the model by which it was made, and the model's version.
async fn explained(
    core: &Core,
    candidate: &Candidate,
) -> Result<(serde_json::Value, Option<String>), StoreError> {
    let matcher = core.matcher.lock().await;
    let model = matcher.model();
    let explanation = model.explained(&candidate.explanation)?;
    Ok((explanation, Some(model.version.clone())))
}

/// A link that stands is not undone by a score: people have acted on it. If clusters would hold it back by now, a
/// steward is asked to look at it again; if they would not any more, nobody needs to.
async fn doubt(
    core: &Core,
    tx: &mut Tx,
    link: &LinkDoc,
    candidate: &Candidate,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut notes = candidate.explanation.notes.iter().copied();
    let held_back = notes.find(|note| matches!(note, Note::Bridge | Note::ClusterConflict));
    let doubt = match candidate.decision {
        Decision::Link => None,
        // Less sure than it was, but nothing else speaks against it.
        _ => held_back.or(link.doubt),
    };
    if doubt == link.doubt {
        return Ok(());
    }
    let (explanation, model) = explained(core, candidate).await?;
    let link = LinkDoc {
        doubt,
        explanation,
        model,
        score_centibits: centibits(candidate.score_bits),
        ..link.clone()
    };
    tx.put(&link, now).await?;
    let action = if doubt.is_some() {
        "link.doubted"
    } else {
        "link.supported"
    };
    tx.audit(now, core.gateway.as_str(), action, &link.id.to_string(), "")
        .await
}

/// Whether two persons may become one by the link of a record of each.
async fn joins_without_conflict(
    core: &Core,
    tx: &mut Tx,
    own: &RecordDoc,
    other: &RecordDoc,
) -> Result<bool, StoreError> {
    let mut members = [Vec::new(), Vec::new()];
    for (keys, record) in members.iter_mut().zip([own, other]) {
        let records = family::records_of(tx, record.person_id).await?;
        keys.extend(records.into_iter().map(|record| record.key));
    }
    let [with_own, with_other] = members;
    let matcher = core.matcher.lock().await;
    Ok(matcher.may_join((&own.key, &other.key), (&with_own, &with_other)))
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
pub(super) fn centibits(bits: f64) -> i32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to the range of i32 before the cast"
    )]
    let rounded = (bits * 100.0)
        .round()
        .clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32;
    rounded
}
