//! What still needs a row whose term is over.

use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{PersonId, PlanId, RecordKey, SystemId};

use super::named::Named;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::{recalling, referrals};
use crate::state::directive::DirectiveDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::episode::EpisodeDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::plan::PlanDoc;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{OutboxRow, StoreError, Tx};

/// What stands of what an event speaks of.
///
/// # Errors
/// When the store fails.
pub(super) async fn of_event(
    tx: &mut Tx,
    event: &Event,
    named: &Named,
) -> Result<Option<&'static str>, StoreError> {
    if named.stays {
        return Ok(Some("figures"));
    }
    for key in &named.records {
        if tx
            .get::<RecordDoc>(&RecordDoc::key_of(key))
            .await?
            .is_some()
        {
            return Ok(Some("record"));
        }
    }
    for case in &named.cases {
        let key = InvolvementDoc::key_of(&event.system, case.as_str());
        if tx.get::<InvolvementDoc>(&key).await?.is_some() {
            return Ok(Some("case"));
        }
    }
    for reference in &named.referrals {
        if referrals::resolve(tx, &event.system, reference)
            .await?
            .is_some()
        {
            return Ok(Some("referral"));
        }
    }
    for id in &named.episodes {
        if tx.get::<EpisodeDoc>(&id.to_string()).await?.is_some() {
            return Ok(Some("episode"));
        }
    }
    for plan in &named.plans {
        if plan_stands(tx, &event.system, plan).await? {
            return Ok(Some("plan"));
        }
    }
    for id in &named.directives {
        if tx.get::<DirectiveDoc>(id.as_str()).await?.is_some() {
            return Ok(Some("consent"));
        }
    }
    for id in &named.messages {
        if tx.message_is_kept(*id).await? {
            return Ok(Some("message"));
        }
    }
    Ok(None)
}

async fn plan_stands(tx: &mut Tx, system: &SystemId, plan: &PlanId) -> Result<bool, StoreError> {
    let key = PlanDoc::key_of(system, plan);
    Ok(tx.get::<PlanDoc>(&key).await?.is_some())
}

/// What needs a message that came to an end: a referral or co-management that goes on, a consent under whose end its
/// holder is told to stop, or a look at whether that must be told now.
///
/// # Errors
/// When the store fails.
pub(super) async fn of_message(
    tx: &mut Tx,
    row: &OutboxRow,
    proposal: Option<&Proposal>,
) -> Result<Option<&'static str>, StoreError> {
    let mut about = tx
        .find::<ReferralDoc>("referral.message", &row.id.to_string())
        .await?;
    if let Some(id) = proposal.and_then(|proposal| proposal.referral) {
        about.extend(tx.get::<ReferralDoc>(&id.to_string()).await?);
    }
    if about.iter().any(|referral| referral.state.is_open()) {
        return Ok(Some("open-referral"));
    }
    if let Some(id) = proposal.and_then(|proposal| proposal.episode) {
        let episode = tx.get::<EpisodeDoc>(&id.to_string()).await?;
        if episode.is_some_and(|episode| episode.is_running()) {
            return Ok(Some("co-management"));
        }
    }
    let disclosure = tx.get::<DisclosureDoc>(&row.id.to_string()).await?;
    let Some(disclosure) = disclosure.filter(|told| !told.is_recalled) else {
        return Ok(None);
    };
    for person in &disclosure.people {
        if recalling::is_under_way(tx, *person).await? {
            return Ok(Some("recall"));
        }
        if has_consent(tx, *person).await? {
            return Ok(Some("current-consent"));
        }
    }
    Ok(None)
}

/// Whether a consent that counts, or may come to count, covers a record that is or was a person's.
async fn has_consent(tx: &mut Tx, person: PersonId) -> Result<bool, StoreError> {
    let id = person.to_string();
    for field in ["record.person", "record.former"] {
        for record in tx.find::<RecordDoc>(field, &id).await? {
            let consents = consents_of(tx, &record.key).await?;
            if consents.iter().any(counts) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The consents that cover a record.
///
/// # Errors
/// When the store fails.
pub(super) async fn consents_of(
    tx: &mut Tx,
    key: &RecordKey,
) -> Result<Vec<DirectiveDoc>, StoreError> {
    tx.find::<DirectiveDoc>("directive.record", &RecordDoc::key_of(key))
        .await
}

/// Whether a consent or refusal counts, or may come to count.
pub(super) fn counts(document: &DirectiveDoc) -> bool {
    document.directive.says().is_some() || document.directive.standing().is_open()
}
