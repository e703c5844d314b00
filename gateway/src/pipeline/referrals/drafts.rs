//! Referrals that wait: kept as drafts until they may be told, then asked.

use jiff::Timestamp;
use tandem_coordination::referral::{Move, Readiness, ReferralFact, Sender, content_gaps};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::MessageId;
use tandem_mappings::model::referral::{ReferralRequest, ReferralRole, ReferralStatus, SubStatus};

use super::lookup::resolve;
use super::messages::{request_proposal, tell_status};
use crate::pipeline::core::Core;
use crate::pipeline::{steps, tell};
use crate::state::referral::ReferralDoc;
use crate::store::{EventState, StoreError, Tx};

pub(super) fn readiness(core: &Core, document: &ReferralDoc, is_permitted: bool) -> Readiness {
    let sender = Sender {
        has_organization: true,
        // Whoever the registry names for the organisation stands in when the request names no worker.
        has_contact: core
            .loaded
            .registry
            .workers()
            .any(|worker| worker.organization == document.source_organization),
        has_return_channel: core
            .system(&document.source)
            .is_some_and(|system| system.output.is_some()),
    };
    let service = document.request.target.service.as_ref();
    let target_is_active = service.is_none_or(|id| {
        core.loaded
            .registry
            .service(id)
            .is_some_and(|service| service.takes_referrals())
    });
    Readiness {
        gaps: content_gaps(&document.request, sender),
        is_permitted,
        target_is_active,
    }
}

/// Keeps the referral as a draft and tells its source that consent is missing: the source's own fact, nobody else's.
pub(super) async fn wait_for_consent(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
    at: Timestamp,
) -> Result<(), StoreError> {
    if document.state.status().is_none() {
        let draft = ReferralFact::Opened {
            wish: Move::new(ReferralStatus::Draft, ReferralRole::Source, at)
                .with(SubStatus::AwaitingConsent),
            urgency: document.request.urgency,
            part_of: document.request.part_of.clone(),
            readiness: Readiness::complete(),
        };
        match document.state.apply(&core.referral_rules, &draft) {
            Ok(_) => {
                record(core, tx, &document, Body::ReferralDrafted, at).await?;
            }
            Err(refused) => {
                tracing::warn!(referral = %document.id, %refused, "draft was not kept");
            }
        }
    }
    let now = core.clock.now();
    tx.put(&document, now).await?;
    tell_status(
        core,
        tx,
        &document,
        &document.source,
        Some(ReferralRole::Source),
        now,
    )
    .await?;
    Ok(())
}

/// Tries again to ask the target of a draft, after consent changed.
///
/// # Errors
/// When the store fails.
pub async fn retry_draft(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
) -> Result<(), StoreError> {
    let now = core.clock.now();
    let Some(proposal) = request_proposal(core, tx, &document, None, now).await? else {
        return Ok(());
    };
    let ruling = tell::weigh(core, tx, MessageId(uuid::Uuid::nil()), &proposal, now).await?;
    let opened = ReferralFact::Opened {
        wish: Move::new(ReferralStatus::Requested, ReferralRole::Source, now),
        urgency: document.request.urgency,
        part_of: document.request.part_of.clone(),
        readiness: readiness(core, &document, ruling.outbound.is_some()),
    };
    if document.state.apply(&core.referral_rules, &opened).is_ok() {
        document.request_message = tell::queue(core, tx, &proposal, now).await?;
        tx.put(&document, now).await?;
        let requested = record(core, tx, &document, Body::ReferralRequested, now).await?;
        steps::fold(core, tx, &requested).await?;
        tell_status(
            core,
            tx,
            &document,
            &document.source,
            Some(ReferralRole::Source),
            now,
        )
        .await?;
    }
    Ok(())
}

/// Records what became of a draft under its source's name: the gateway carries the source's wish out.
async fn record(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    body: fn(Box<ReferralRequest>) -> Body,
    at: Timestamp,
) -> Result<Event, StoreError> {
    let mut request = document.request.clone();
    request.referral.id = Some(document.id);
    let body = body(Box::new(request));
    let event = core.own_event(tx, &document.source, body, at, core.clock.now())?;
    tx.append_event(&event, None, EventState::Applied).await?;
    Ok(event)
}

/// Whether what an event asks for waits for consent: its referral is still a draft.
///
/// # Errors
/// When the store fails.
pub async fn awaits_consent(tx: &mut Tx, event: &Event) -> Result<bool, StoreError> {
    let Body::ReferralRequested(request) = &event.told.body else {
        return Ok(false);
    };
    let known = resolve(tx, &event.system, &request.referral).await?;
    Ok(known.is_some_and(|known| known.state.status() == Some(ReferralStatus::Draft)))
}
