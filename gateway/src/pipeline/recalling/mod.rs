//! What follows for what was told when less may be told than before: each message is decided again, and recalled where it may
//! not stay with its holder.
//!
//! Protocol: whoever records that less may be told calls `begin` in the same transaction. It looks at a first part there, which
//! is all of it for most people. Where more was told, a document of the person stays ([`RecallingDoc`]), and the gateway goes on
//! from it ([`duty`]), a part in each transaction, until nothing is left; then the family's programmes are told of who may
//! still be told of, and the document goes. So nobody waits long to write however much was told, and a gateway that is
//! killed in between leaves to the next what it has not done.
//!
//! Every part decides by what counts when it is looked at: what was permitted again meanwhile stays with its holder. What is delivered
//! in the meantime is not looked for here; it is decided again when its attempt ends ([`recall::after_attempt`]).

pub mod duty;
mod part;

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_mappings::model::id::{MessageId, PersonId, RecordKey};

use self::part::Room;
use super::core::Core;
use super::{consents, mutual, recall};
use crate::state::disclosure::DisclosureDoc;
use crate::state::recalling::RecallingDoc;
use crate::state::record::RecordDoc;
use crate::store::{Document as _, StoreError, Tx};

/// Deliveries that are read at once where it is only asked what became of them.
const PAGE: u32 = 256;

/// What was recalled at once, and whether there is more to look at.
#[derive(Debug, Default)]
pub struct Recalls {
    /// The messages whose holders are told to stop.
    pub messages: Vec<MessageId>,
    /// Whether the gateway goes on to look.
    pub goes_on: bool,
    /// Position in the log of events after which everything of this stands.
    pub since: i64,
    /// Messages that were decided again.
    pub looked_at: usize,
}

/// Looks at what was told of persons of whom less may be told from now on: at a first part here, at the rest soon.
///
/// # Errors
/// When the store fails.
pub(super) async fn begin(
    core: &Core,
    tx: &mut Tx,
    persons: &BTreeSet<PersonId>,
    now: Timestamp,
) -> Result<Recalls, StoreError> {
    let mut recalls = Recalls {
        since: tx.last_position().await?,
        ..Recalls::default()
    };
    let mut room = Room::of_a_part();
    let mut then = persons.clone();
    for person in persons {
        let mut document = RecallingDoc::new(*person, now);
        let earlier = tx.get::<RecallingDoc>(&document.key()).await?;
        let is_known = earlier.is_some();
        if let Some(earlier) = earlier {
            // It has passed by what may be told no longer.
            document = document.in_place_of(earlier);
        }
        let part = part::look(core, tx, &mut document, &mut room, now).await?;
        recalls.messages.extend(part.recalled);
        if !part.is_last {
            tx.put(&document, now).await?;
            recalls.goes_on = true;
            continue;
        }
        if is_known {
            tx.remove::<RecallingDoc>(&document.key()).await?;
        }
        then.extend(document.also);
    }
    recalls.looked_at = room.looked_at();
    tell_again(core, tx, then, now).await?;
    Ok(recalls)
}

/// Looks at the next part of what was told of a person. Returns whether that was the last one.
///
/// # Errors
/// When the store fails.
async fn go_on(core: &Core, person: PersonId) -> Result<bool, StoreError> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    // Another gateway may have gone on, or links may have changed who it is.
    let Some(mut document) = tx.get::<RecallingDoc>(&person.to_string()).await? else {
        return Ok(true);
    };
    let mut room = Room::of_a_part();
    let part = part::look(core, &mut tx, &mut document, &mut room, now).await?;
    if part.is_last {
        tx.remove::<RecallingDoc>(&document.key()).await?;
        let mut then = document.also;
        then.insert(person);
        tell_again(core, &mut tx, then, now).await?;
    } else {
        tx.put(&document, now).await?;
    }
    tx.commit().await?;
    core.wake();
    Ok(part.is_last)
}

/// A notice about several people is recalled whole: who may still be told of is told of again.
async fn tell_again(
    core: &Core,
    tx: &mut Tx,
    persons: BTreeSet<PersonId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for person in persons {
        mutual::evaluate(core, tx, person, now).await?;
    }
    Ok(())
}

/// Whether what was told of somebody in a family is still being looked at. A notice that stands may be recalled by that, so
/// that it is known only at its end who was told of whom: the person is evaluated then.
///
/// # Errors
/// When the store fails.
pub(super) async fn waits(
    tx: &mut Tx,
    family: &BTreeSet<PersonId>,
    person: PersonId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !is_anybody(tx).await? {
        return Ok(false);
    }
    // The person's own look evaluates the person anyway.
    for member in std::iter::once(&person).chain(family) {
        let Some(mut document) = tx.get::<RecallingDoc>(&member.to_string()).await? else {
            continue;
        };
        if document.person != person && document.also.insert(person) {
            tx.put(&document, now).await?;
        }
        return Ok(true);
    }
    Ok(false)
}

/// Whether what was told of anybody is being looked at: seldom, and quickly known.
async fn is_anybody(tx: &mut Tx) -> Result<bool, StoreError> {
    let (found, _) = tx.page_each::<RecallingDoc>(&[], 1).await?;
    Ok(!found.is_empty())
}

/// Links have changed who a person is: whoever its records are by now is looked at, from the beginning.
///
/// # Errors
/// When the store fails.
pub(super) async fn follow(
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(document) = tx.get::<RecallingDoc>(&person.to_string()).await? else {
        return Ok(());
    };
    tx.remove::<RecallingDoc>(&document.key()).await?;
    for is_now in persons_from(tx, person).await? {
        let anew = RecallingDoc::new(is_now, now).in_place_of(document.clone());
        let anew = match tx.get::<RecallingDoc>(&anew.key()).await? {
            Some(known) => anew.in_place_of(known),
            None => anew,
        };
        tx.put(&anew, now).await?;
    }
    Ok(())
}

/// Whoever the records are now that were a person's at any time.
async fn persons_from(tx: &mut Tx, person: PersonId) -> Result<BTreeSet<PersonId>, StoreError> {
    let id = person.to_string();
    let mut records = tx.find::<RecordDoc>("record.person", &id).await?;
    records.extend(tx.find::<RecordDoc>("record.former", &id).await?);
    Ok(records.iter().map(|record| record.person_id).collect())
}

/// Whether what was told under a person's id is still being looked at, for whoever that is by now.
///
/// # Errors
/// When the store fails.
pub(super) async fn is_under_way(tx: &mut Tx, person: PersonId) -> Result<bool, StoreError> {
    if !is_anybody(tx).await? {
        return Ok(false);
    }
    for is_now in persons_from(tx, person).await? {
        let document = tx.get::<RecallingDoc>(&is_now.to_string()).await?;
        if document.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether what was told of the people of some records is still being looked at.
///
/// # Errors
/// When the store fails.
pub(crate) async fn goes_on(tx: &mut Tx, covers: &[RecordKey]) -> Result<bool, StoreError> {
    for person in consents::persons_of(tx, covers).await? {
        let document = tx.get::<RecallingDoc>(&person.to_string()).await?;
        if document.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What was recalled of the people of some records since a position in the log of events, in the order in which it was told.
///
/// # Errors
/// When the store fails.
pub(crate) async fn since(
    tx: &mut Tx,
    covers: &[RecordKey],
    position: i64,
) -> Result<Vec<MessageId>, StoreError> {
    let mut found = BTreeSet::new();
    for person in consents::persons_of(tx, covers).await? {
        let records = tx
            .find::<RecordDoc>("record.person", &person.to_string())
            .await?;
        for id in recall::ids_of(&records, person) {
            let id = id.to_string();
            let mut after = Vec::new();
            loop {
                let page = tx.find_page::<DisclosureDoc>("disclosure.person", &id, &after, PAGE);
                let (told, last) = page.await?;
                if told.is_empty() {
                    break;
                }
                after = last;
                let recalled = told
                    .into_iter()
                    .filter(|one| one.recalled_at.is_some_and(|at| at >= position));
                found.extend(recalled.map(|one| one.message));
            }
        }
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
mod tests;
