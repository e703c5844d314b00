//! Persons at a link version. Links change who a person is; what was told and what waits names the person as links stood
//! when it was decided. Every decision records that version, and here it is read back into the persons of today.

use std::collections::BTreeSet;

use tandem_mappings::model::id::{DecisionId, PersonId};

use super::core::Core;
use super::proposal::Proposal;
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// The link version that a decision recorded.
///
/// # Errors
/// When the store fails.
pub async fn of_decision(tx: &mut Tx, decision: DecisionId) -> Result<i64, StoreError> {
    match tx.link_version_of(decision).await? {
        Some(version) => Ok(version),
        None => tx.last_position().await,
    }
}

/// The link version of what the transaction writes next.
///
/// # Errors
/// When the store fails.
pub async fn next(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.last_position().await?.saturating_add(1))
}

/// The records that were a person at a link version, whether they still count or not.
///
/// # Errors
/// When the store fails.
pub async fn records_at(
    tx: &mut Tx,
    person: PersonId,
    version: i64,
) -> Result<Vec<RecordDoc>, StoreError> {
    let id = person.to_string();
    let mut found = tx.find::<RecordDoc>("record.person", &id).await?;
    found.extend(tx.find::<RecordDoc>("record.former", &id).await?);
    found.retain(|record| record.person_at(version) == person);
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found.dedup_by(|a, b| a.key == b.key);
    Ok(found)
}

/// The records through which sender and recipient of a message knew a person when it was decided.
///
/// # Errors
/// When the store fails.
pub async fn sides(
    core: &Core,
    tx: &mut Tx,
    proposal: &Proposal,
    person: PersonId,
    version: i64,
) -> Result<Vec<RecordDoc>, StoreError> {
    let mut records = records_at(tx, person, version).await?;
    records.retain(|record| {
        let system = &record.key.system;
        *system == proposal.recipient_system
            || core.organization_of(system).as_ref() == Some(&proposal.sender)
    });
    Ok(records)
}

/// The person of today whom a message means; `None` when sender and recipient turned out to speak of two people.
///
/// # Errors
/// When the store fails.
pub async fn today(
    core: &Core,
    tx: &mut Tx,
    proposal: &Proposal,
    person: PersonId,
    version: i64,
) -> Result<Option<PersonId>, StoreError> {
    let all = records_at(tx, person, version).await?;
    let sides = sides(core, tx, proposal, person, version).await?;
    // Where neither side has a record of its own, the message means whoever the records are now.
    let meant = if sides.is_empty() { &all } else { &sides };
    let persons: BTreeSet<PersonId> = meant.iter().map(|record| record.person_id).collect();
    Ok(match persons.len() {
        0 => Some(person),
        1 => persons.into_iter().next(),
        _ => None,
    })
}

/// Makes a message name the persons of today. Returns whether its main subject is still one person; nobody else whom
/// links have parted since stays in it.
///
/// # Errors
/// When the store fails.
pub async fn renew(
    core: &Core,
    tx: &mut Tx,
    proposal: &mut Proposal,
    version: i64,
) -> Result<bool, StoreError> {
    let mut renewed = Vec::new();
    for (place, one) in proposal.people.iter().enumerate() {
        match today(core, tx, proposal, one.person, version).await? {
            Some(person) => renewed.push(super::proposal::ProposedPerson {
                person,
                view: one.view.clone(),
                labels: one.labels.clone(),
                labelled_by: one.labelled_by.clone(),
            }),
            None if place == 0 => return Ok(false),
            None => {}
        }
    }
    // Two who became one are named once.
    let mut known = BTreeSet::new();
    renewed.retain(|one| known.insert(one.person));
    proposal.people = renewed;
    Ok(true)
}
