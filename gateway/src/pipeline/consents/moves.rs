//! The other moves of a directive's life: offered, signed, refused, held back, reviewed, replaced, taken for an error.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_mappings::model::directive::{Capacity, DirectiveState, Moment};
use tandem_mappings::model::event::{Body, ConsentTold};
use tandem_mappings::model::id::{DirectiveId, PersonId, RecordKey};

use super::capture::starts_later;
use super::{ConsentError, Narrowing, follow, told};
use crate::pipeline::core::Core;
use crate::pipeline::recalling::Recalls;
use crate::state::directive::{Because, DirectiveDoc};
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// A move that a privacy officer asks for.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it should stand.
    pub to: DirectiveState,
    /// Why, for one that is held back.
    pub because: Option<Because>,
    /// What takes its place, for one that is replaced.
    pub successor: Option<DirectiveId>,
}

/// Moves a directive. What verification and revocation do is not done here.
///
/// # Errors
/// When it does not become that from where it stands, whoever captured it would review it alone, or the store fails.
pub async fn go(
    core: &Core,
    tx: &mut Tx,
    id: &DirectiveId,
    step: Step,
    actor: &str,
) -> Result<(DirectiveDoc, Recalls), ConsentError> {
    let now = core.clock.now();
    let document = tx
        .get::<DirectiveDoc>(id.as_str())
        .await?
        .ok_or(ConsentError::Unknown)?;
    let from = document.directive.standing();
    let by_hand = match step.to {
        DirectiveState::Active => from == DirectiveState::Suspended,
        DirectiveState::Offered
        | DirectiveState::SignedUnverified
        | DirectiveState::Refused
        | DirectiveState::Suspended
        | DirectiveState::Superseded
        | DirectiveState::EnteredInError => true,
        _ => false,
    };
    if !by_hand || !from.may_become(step.to) {
        return Err(ConsentError::Move {
            from: from.code(),
            to: step.to.code(),
        });
    }
    if step.to == DirectiveState::Active {
        reviewable(&document, actor)?;
    }
    if step.to == DirectiveState::Superseded {
        successor(tx, &document, step.successor.as_ref()).await?;
    }
    moved(core, tx, document, &step, actor, now).await
}

/// Whoever captured a directive does not review it, and what nobody verified does not come into force by a review.
fn reviewable(document: &DirectiveDoc, actor: &str) -> Result<(), ConsentError> {
    if document.captured_by == actor {
        return Err(ConsentError::SamePerson);
    }
    if !document.directive.is_verified() {
        return Err(ConsentError::Standing("not verified"));
    }
    Ok(())
}

/// What takes its place must be in force and speak for one of the same people.
async fn successor(
    tx: &mut Tx,
    document: &DirectiveDoc,
    named: Option<&DirectiveId>,
) -> Result<(), ConsentError> {
    let named = named.filter(|id| **id != document.directive.id);
    let found = match named {
        Some(id) => tx.get::<DirectiveDoc>(id.as_str()).await?,
        None => None,
    };
    let takes_over = found.is_some_and(|found| {
        let for_same = found.covers.iter().any(|key| document.covers.contains(key));
        for_same && found.directive.says().is_some()
    });
    if takes_over {
        Ok(())
    } else {
        Err(ConsentError::NoSuccessor)
    }
}

async fn moved(
    core: &Core,
    tx: &mut Tx,
    mut document: DirectiveDoc,
    step: &Step,
    actor: &str,
    now: Timestamp,
) -> Result<(DirectiveDoc, Recalls), ConsentError> {
    let before = document.directive.says();
    document.next_version();
    document.directive.state = Some(step.to);
    document.because = match step.to {
        DirectiveState::Suspended => Some(step.because.unwrap_or(Because::Review)),
        _ => None,
    };
    if step.to == DirectiveState::SignedUnverified {
        document.captured_by = actor.to_owned();
        document.captured_at = now;
        document.directive.captured_by = Some(actor.to_owned());
        document.directive.captured_at = Some(Moment::Instant(now));
        document.waits_for_start = starts_later(core, &document.directive, now);
    }
    tx.put(&document, now).await?;
    let (action, body) = words(step.to);
    let detail = document.because.map_or("", Because::code);
    let id = document.directive.id.as_str().to_owned();
    tx.audit(now, actor, action, &id, detail).await?;
    if let Some(body) = body {
        told(core, tx, &document, BTreeSet::new(), body, now).await?;
    }
    let why = match step.to {
        // What is held back or replaced may be permitted again: what rested on it pauses and does not end.
        DirectiveState::Suspended | DirectiveState::Superseded => Narrowing::Expired,
        _ => Narrowing::Revoked,
    };
    let recalls = follow(core, tx, before, &document, why, now).await?;
    Ok((document, recalls))
}

type Told = fn(Box<ConsentTold>) -> Body;

/// How a move stands in the audit and in the log of events.
fn words(to: DirectiveState) -> (&'static str, Option<Told>) {
    match to {
        DirectiveState::Offered => ("consent.offer", Some(Body::ConsentOffered)),
        DirectiveState::SignedUnverified => ("consent.sign", None),
        DirectiveState::Refused => ("consent.refuse", Some(Body::ConsentRefused)),
        DirectiveState::Suspended => ("consent.suspend", Some(Body::ConsentSuspended)),
        DirectiveState::Superseded => ("consent.supersede", Some(Body::ConsentSuperseded)),
        DirectiveState::EnteredInError => ("consent.error", Some(Body::ConsentEnteredInError)),
        _ => ("consent.resume", Some(Body::ConsentGranted)),
    }
}

/// An authority to sign for a person has ended: what was signed under it is held back until somebody has reviewed it.
///
/// # Errors
/// When the store fails.
pub async fn authority_ended(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    capacities: &BTreeSet<Capacity>,
    actor: &str,
) -> Result<Vec<DirectiveDoc>, ConsentError> {
    let now = core.clock.now();
    let mut held = Vec::new();
    for document in about(tx, person).await? {
        let signed = capacities.contains(&document.directive.signer.capacity);
        if signed
            && document
                .directive
                .standing()
                .may_become(DirectiveState::Suspended)
        {
            let (document, _) = suspend(core, tx, document, Because::Authority, actor, now).await?;
            held.push(document);
        }
    }
    Ok(held)
}

/// Holds a directive back until somebody has reviewed it.
pub(super) async fn suspend(
    core: &Core,
    tx: &mut Tx,
    document: DirectiveDoc,
    because: Because,
    actor: &str,
    now: Timestamp,
) -> Result<(DirectiveDoc, Recalls), ConsentError> {
    let step = Step {
        to: DirectiveState::Suspended,
        because: Some(because),
        successor: None,
    };
    moved(core, tx, document, &step, actor, now).await
}

/// Every directive that covers a record of a person.
pub(super) async fn about(tx: &mut Tx, person: PersonId) -> Result<Vec<DirectiveDoc>, StoreError> {
    let records = tx
        .find::<RecordDoc>("record.person", &person.to_string())
        .await?;
    let keys: Vec<RecordKey> = records.into_iter().map(|record| record.key).collect();
    covering(tx, &keys).await
}

/// Lets the next look at the time see every directive that covers a record: when it ends may hang on a birthday.
///
/// # Errors
/// When the store fails.
pub async fn look_soon(tx: &mut Tx, key: &RecordKey) -> Result<(), StoreError> {
    let key = RecordDoc::key_of(key);
    let found = tx.find_each::<DirectiveDoc>("directive.record", &key);
    for one in found.await? {
        tx.look_soon_at::<DirectiveDoc>(&one.place).await?;
    }
    Ok(())
}

/// Every directive that covers one of the records; none when one of them can't be read.
///
/// # Errors
/// When the store fails.
pub async fn covering(tx: &mut Tx, keys: &[RecordKey]) -> Result<Vec<DirectiveDoc>, StoreError> {
    let mut found = std::collections::BTreeMap::new();
    for key in keys {
        for document in tx
            .find::<DirectiveDoc>("directive.record", &RecordDoc::key_of(key))
            .await?
        {
            found.insert(document.directive.id.clone(), document);
        }
    }
    Ok(found.into_values().collect())
}
