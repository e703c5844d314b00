//! Referrals that wait: kept as drafts until they may be told, then asked.

use jiff::Timestamp;
use tandem_coordination::referral::{Move, Readiness, ReferralFact, Sender, content_gaps};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::MessageId;
use tandem_mappings::model::referral::{ReferralRequest, ReferralRole, ReferralStatus, SubStatus};

use super::lookup::resolve;
use super::messages::{request_proposal, tell_source};
use crate::pipeline::core::Core;
use crate::pipeline::{family, steps, tell, timer_notice};
use crate::state::referral::ReferralDoc;
use crate::store::{EventState, StoreError, Tx};

/// The flag of a draft whose source was told that its target is closed.
const TARGET_INACTIVE: &str = "target-inactive";
/// What its source is told: `program-closed` in words, since a draft has no reason.
const NOT_TAKEN: &str = "The service takes no referrals at present (program-closed). This referral was not sent: please choose another service, or withdraw it.";

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
    Readiness {
        gaps: content_gaps(&document.request, sender),
        is_permitted,
        target_is_active: target_is_active(core, document),
    }
}

fn target_is_active(core: &Core, document: &ReferralDoc) -> bool {
    let service = document.request.target.service.as_ref();
    service.is_none_or(|id| {
        let found = core.loaded.registry.service(id);
        found.is_some_and(|service| service.takes_referrals())
    })
}

async fn is_known(tx: &mut Tx, document: &ReferralDoc) -> Result<bool, StoreError> {
    let Some(subject) = document.people.first() else {
        return Ok(false);
    };
    let found = family::record(tx, &subject.system, &subject.person).await?;
    Ok(found.is_some())
}

/// A draft whose target takes no referrals any more goes nowhere: the table of states lets nobody but its source move it,
/// so its source is told, once for each time that the target closes. Returns whether a message waits for its lane.
///
/// # Errors
/// When the store fails.
async fn look_after(
    core: &Core,
    tx: &mut Tx,
    document: &mut ReferralDoc,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if document.state.status() != Some(ReferralStatus::Draft) {
        return Ok(false);
    }
    if target_is_active(core, document) {
        if document.flagged.remove(TARGET_INACTIVE) {
            tx.put(document, now).await?;
        }
        return Ok(false);
    }
    if !document.flagged.insert(TARGET_INACTIVE.to_owned()) {
        return Ok(false);
    }
    tx.put(document, now).await?;
    let object = document.id.to_string();
    tx.audit(
        now,
        core.gateway.as_str(),
        "referral.target-inactive",
        &object,
        "",
    )
    .await?;
    let note = timer_notice::Note {
        effect_key: format!("referral-target:{}:{}", document.id, now.as_second()),
        text: NOT_TAKEN.to_owned(),
    };
    let told = timer_notice::tell(core, tx, document, ReferralRole::Source, note, now).await?;
    Ok(matches!(told, timer_notice::Told::Queued(_)))
}

/// Keeps the referral as a draft and tells its source that consent is missing: the source's own fact, nobody else's.
pub(super) async fn wait_for_consent(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
    at: Timestamp,
) -> Result<(), StoreError> {
    let detail = Some(SubStatus::AwaitingConsent);
    keep(core, tx, &mut document, detail, at).await?;
    let now = core.clock.now();
    tell_source(core, tx, &document, now).await?;
    Ok(())
}

/// Keeps the referral as a draft and tells its source that the target takes none at present.
pub(super) async fn wait_for_target(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
    at: Timestamp,
) -> Result<(), StoreError> {
    keep(core, tx, &mut document, None, at).await?;
    look_after(core, tx, &mut document, core.clock.now()).await?;
    Ok(())
}

/// A request that cannot be passed on yet is a draft.
async fn keep(
    core: &Core,
    tx: &mut Tx,
    document: &mut ReferralDoc,
    detail: Option<SubStatus>,
    at: Timestamp,
) -> Result<(), StoreError> {
    if document.state.status().is_none() {
        let wish = Move::new(ReferralStatus::Draft, ReferralRole::Source, at);
        let draft = ReferralFact::Opened {
            wish: Move {
                sub_status: detail,
                ..wish
            },
            urgency: document.request.urgency,
            part_of: document.request.part_of.clone(),
            readiness: Readiness::complete(),
        };
        match document.state.apply(&core.referral_rules, &draft) {
            Ok(_) => {
                record(core, tx, document, Body::ReferralDrafted, at).await?;
            }
            Err(refused) => {
                tracing::warn!(referral = %document.id, %refused, "draft was not kept");
            }
        }
    }
    tx.put(document, core.clock.now()).await
}

/// Looks at a draft now and then: a target that has closed is told of to the source, one that has opened again is asked.
/// Returns whether a message may wait for its lane.
///
/// # Errors
/// When the store fails.
pub(in crate::pipeline) async fn sweep(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let was_closed = document.flagged.contains(TARGET_INACTIVE);
    if was_closed && target_is_active(core, &document) {
        retry_draft(core, tx, document).await?;
        return Ok(true);
    }
    look_after(core, tx, &mut document, now).await
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
    if !is_known(tx, &document).await? {
        // Its source withdrew the record of whom it speaks: there is nobody to ask for.
        return Ok(());
    }
    look_after(core, tx, &mut document, now).await?;
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
        tell_source(core, tx, &document, now).await?;
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
