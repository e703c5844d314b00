//! Finds people across systems: which person a record belongs to, which records a person has, who belongs together.

use std::collections::BTreeSet;

use tandem_mappings::model::id::{PersonId, RecordKey, SourcePersonId, SystemId};

use crate::state::involvement::InvolvementDoc;
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// The record under a key, when it counts.
///
/// # Errors
/// When the store fails.
pub async fn record(
    tx: &mut Tx,
    system: &SystemId,
    person: &SourcePersonId,
) -> Result<Option<RecordDoc>, StoreError> {
    let key = RecordKey {
        system: system.clone(),
        person: person.clone(),
    };
    let found = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await?;
    Ok(found.filter(RecordDoc::is_active))
}

/// The records of a person that count.
///
/// # Errors
/// When the store fails.
pub async fn records_of(tx: &mut Tx, person: PersonId) -> Result<Vec<RecordDoc>, StoreError> {
    let mut found = tx
        .find::<RecordDoc>("record.person", &person.to_string())
        .await?;
    found.retain(RecordDoc::is_active);
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

/// A person's record in a system; the first one when there are several.
///
/// # Errors
/// When the store fails.
pub async fn record_in(
    tx: &mut Tx,
    person: PersonId,
    system: &SystemId,
) -> Result<Option<RecordDoc>, StoreError> {
    Ok(records_of(tx, person)
        .await?
        .into_iter()
        .find(|record| record.key.system == *system))
}

/// The systems that know a person.
///
/// # Errors
/// When the store fails.
pub async fn systems_of(tx: &mut Tx, person: PersonId) -> Result<BTreeSet<SystemId>, StoreError> {
    Ok(records_of(tx, person)
        .await?
        .into_iter()
        .map(|record| record.key.system)
        .collect())
}

/// The persons of records named by a system's own ids, in the order named. Unknown ones are left out.
///
/// # Errors
/// When the store fails.
pub async fn persons(
    tx: &mut Tx,
    system: &SystemId,
    people: &[SourcePersonId],
) -> Result<Vec<PersonId>, StoreError> {
    let mut found = Vec::new();
    for person in people {
        if let Some(record) = record(tx, system, person).await?
            && !found.contains(&record.person_id)
        {
            found.push(record.person_id);
        }
    }
    Ok(found)
}

/// The open cases of a person in a system.
///
/// # Errors
/// When the store fails.
pub async fn open_cases(
    tx: &mut Tx,
    person: PersonId,
    system: &SystemId,
) -> Result<Vec<InvolvementDoc>, StoreError> {
    let mut cases: Vec<InvolvementDoc> = Vec::new();
    for record in records_of(tx, person)
        .await?
        .into_iter()
        .filter(|record| record.key.system == *system)
    {
        let found = tx
            .find::<InvolvementDoc>("involvement.record", &RecordDoc::key_of(&record.key))
            .await?;
        for case in found.into_iter().filter(|case| case.is_open) {
            if !cases.iter().any(|known| known.told.case == case.told.case) {
                cases.push(case);
            }
        }
    }
    cases.sort_by(|a, b| a.told.case.cmp(&b.told.case));
    Ok(cases)
}

/// The people with whom a person shares a household or a case in any system, the person included.
///
/// # Errors
/// When the store fails.
pub async fn family(tx: &mut Tx, person: PersonId) -> Result<BTreeSet<PersonId>, StoreError> {
    let mut members = BTreeSet::from([person]);
    for own in records_of(tx, person).await? {
        let households: BTreeSet<String> = own
            .memberships
            .iter()
            .filter_map(|member| member.household.as_ref())
            .map(|household| format!("{}\u{1f}{household}", own.key.system))
            .collect();
        for household in households {
            let found = tx.find::<RecordDoc>("record.household", &household).await?;
            members.extend(
                found
                    .iter()
                    .filter(|record| record.is_active())
                    .map(|record| record.person_id),
            );
        }
        let relatives: Vec<SourcePersonId> = own
            .memberships
            .iter()
            .filter_map(|member| member.relative.clone())
            .collect();
        members.extend(persons(tx, &own.key.system, &relatives).await?);
        let cases = tx
            .find::<InvolvementDoc>("involvement.record", &RecordDoc::key_of(&own.key))
            .await?;
        for case in cases {
            members.extend(persons(tx, &case.system, &case.told.people).await?);
        }
    }
    Ok(members)
}
