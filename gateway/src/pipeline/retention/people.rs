//! People whom nobody has used for the whole term: their records, links, closed cases and what else hangs on them.

use jiff::{SignedDuration, Timestamp};
use tandem_mappings::model::id::{PersonId, RecordKey};

use super::held::Held;
use super::needs;
use super::weigh::Verdict;
use crate::accounting::HoldDoc;
use crate::pipeline::core::Core;
use crate::state::denial::DenialDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::episode::EpisodeDoc;
use crate::state::gone_record::GoneRecordDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::link::LinkDoc;
use crate::state::mutual::MutualDoc;
use crate::state::recalling::RecallingDoc;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{Document as _, StoreError, Tx};

/// After so long every gateway that works has heard that a record is gone.
const HEARD: SignedDuration = SignedDuration::from_hours(1);

/// Whether a record's person goes: all records that are the person, or none.
///
/// # Errors
/// When the store fails.
pub(super) async fn weigh(
    tx: &mut Tx,
    held: &Held,
    record: &RecordDoc,
    cutoff: Timestamp,
) -> Result<Verdict, StoreError> {
    let person = record.person_id;
    let all = records(tx, person).await?;
    if held.keeps_person(tx, person).await? || all.iter().any(|one| held.keeps_record(&one.key)) {
        return Ok(Verdict::Held);
    }
    for one in &all {
        if let Some(need) = of_record(tx, one, cutoff).await? {
            return Ok(Verdict::Needed(need));
        }
        let mut ids: Vec<PersonId> = one.former.iter().map(|former| former.person).collect();
        ids.push(person);
        for id in ids {
            if let Some(need) = of_person(tx, id).await? {
                return Ok(Verdict::Needed(need));
            }
        }
    }
    Ok(Verdict::Free)
}

async fn records(tx: &mut Tx, person: PersonId) -> Result<Vec<RecordDoc>, StoreError> {
    tx.find::<RecordDoc>("record.person", &person.to_string())
        .await
}

/// What needs a record.
async fn of_record(
    tx: &mut Tx,
    record: &RecordDoc,
    cutoff: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    let key = RecordDoc::key_of(&record.key);
    let is_fresh = |stamp: Option<(i64, Timestamp)>| stamp.is_some_and(|(_, at)| at >= cutoff);
    if is_fresh(tx.stamp::<RecordDoc>(&key).await?) {
        return Ok(Some("in-use"));
    }
    for case in cases_of(tx, &record.key).await? {
        let case_key = InvolvementDoc::key_of(&case.system, case.told.case.as_str());
        if case.is_open || is_fresh(tx.stamp::<InvolvementDoc>(&case_key).await?) {
            return Ok(Some("open-case"));
        }
    }
    let episodes = tx.find::<EpisodeDoc>("episode.record", &key).await?;
    if !episodes.is_empty() {
        return Ok(Some("co-management"));
    }
    let consents = needs::consents_of(tx, &record.key).await?;
    Ok((!consents.is_empty()).then_some("consent"))
}

/// What needs to know who a person is.
async fn of_person(tx: &mut Tx, person: PersonId) -> Result<Option<&'static str>, StoreError> {
    let id = person.to_string();
    let referrals = tx.find::<ReferralDoc>("referral.person", &id).await?;
    if !referrals.is_empty() {
        return Ok(Some("referral"));
    }
    if tx.get::<RecallingDoc>(&id).await?.is_some() {
        return Ok(Some("recall"));
    }
    let told = tx.count::<DisclosureDoc>("disclosure.person", &id).await?;
    if told > 0 {
        return Ok(Some("accounting"));
    }
    Ok(tx.was_decided_about(person).await?.then_some("decision"))
}

async fn cases_of(tx: &mut Tx, key: &RecordKey) -> Result<Vec<InvolvementDoc>, StoreError> {
    tx.find::<InvolvementDoc>("involvement.record", &RecordDoc::key_of(key))
        .await
}

/// Disposes of a person. Returns how many records went.
///
/// # Errors
/// When the store fails.
pub(super) async fn dispose(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let all = records(tx, person).await?;
    for record in &all {
        let key = RecordDoc::key_of(&record.key);
        for link in tx.find::<LinkDoc>("link.record", &key).await? {
            tx.remove::<LinkDoc>(&LinkDoc::key_of_pair(&link.a, &link.b))
                .await?;
        }
        tx.remove::<RecordDoc>(&key).await?;
        if tx.is_shared() {
            let gone = GoneRecordDoc {
                key: record.key.clone(),
                at: now,
            };
            tx.put(&gone, now).await?;
        }
        core.index_of(tx).await.remove(&record.key);
    }
    for record in &all {
        for case in cases_of(tx, &record.key).await? {
            leave_case(tx, &case).await?;
        }
    }
    let id = person.to_string();
    for notice in tx.find::<MutualDoc>("mutual.person", &id).await? {
        let key = MutualDoc::key_of(person, &notice.recipient, &notice.partner);
        tx.remove::<MutualDoc>(&key).await?;
    }
    for hold in tx.find::<HoldDoc>(HoldDoc::PERSON, &id).await? {
        tx.remove::<HoldDoc>(&hold.id.to_string()).await?;
    }
    let systems: Vec<_> = core.loaded.config.systems.keys().collect();
    for recipient in &systems {
        for partner in &systems {
            let key = MutualDoc::key_of(person, recipient, partner);
            tx.remove::<DenialDoc>(&key).await?;
        }
    }
    Ok(all.len() as u64)
}

/// A case goes with the last of its people.
async fn leave_case(tx: &mut Tx, case: &InvolvementDoc) -> Result<(), StoreError> {
    for person in &case.told.people {
        let key = RecordKey {
            system: case.system.clone(),
            person: person.clone(),
        };
        if tx
            .get::<RecordDoc>(&RecordDoc::key_of(&key))
            .await?
            .is_some()
        {
            return Ok(());
        }
    }
    let key = InvolvementDoc::key_of(&case.system, case.told.case.as_str());
    tx.remove::<InvolvementDoc>(&key).await
}

/// Forgets the records that went with a run before: every gateway has heard of them, or reads everything anew.
///
/// # Errors
/// When the store fails.
pub(super) async fn forget(core: &Core, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = core.store.begin().await?;
    let gone = tx.all::<GoneRecordDoc>().await?;
    let old = now.checked_sub(HEARD).unwrap_or(now);
    for one in gone.iter().filter(|one| one.at < old) {
        tx.remove::<GoneRecordDoc>(&one.key()).await?;
    }
    tx.commit().await
}
