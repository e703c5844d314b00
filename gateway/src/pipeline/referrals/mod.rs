//! Applies what sources and targets say about referrals, and tells the others.

mod drafts;
mod gone;
mod lookup;
mod messages;

use std::collections::BTreeSet;

use tandem_coordination::referral::{
    Decision, Move, Readiness, Referral, ReferralFact, Refused, Sides, is_terminal,
};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{MessageId, ReferralId, SystemId};
use tandem_mappings::model::referral::{
    ReferralRef, ReferralRequest, ReferralRole, ReferralStatus, ReferralUpdate,
};

pub(super) use drafts::sweep;
pub use drafts::{awaits_consent, retry_draft};
use drafts::{readiness, wait_for_consent, wait_for_target};
pub(super) use gone::record_gone;
pub use lookup::resolve;
pub(super) use messages::request_proposal;
pub use messages::{may_be_there_after_all, recipient_case};
use messages::{tell_onlookers, tell_source, tell_status, withdraw};

use super::core::Core;
use super::processor::Applied;
use super::{episodes, family, tell};
use crate::state::referral::ReferralDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

fn sides(core: &Core, document: &ReferralDoc) -> Sides {
    Sides {
        source: document.source.clone(),
        target: document.target.clone(),
        gateway: core.gateway.clone(),
    }
}

/// A source drafts or requests a referral.
///
/// # Errors
/// When the store fails.
pub async fn requested(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    request: &ReferralRequest,
) -> Result<Applied, StoreError> {
    if let Some(known) = resolve(tx, &event.system, &request.referral).await? {
        if known.target.as_ref() == Some(&event.system) && known.source != event.system {
            return Ok(Applied::Echo);
        }
        return reopened(core, tx, event, known).await;
    }
    let document = match open(core, tx, event, request).await? {
        Ok(document) => document,
        Err(reason) => return Ok(Applied::Parked(reason)),
    };
    ask(core, tx, event, document).await
}

/// A repeat of a known request, or a draft that is now complete.
async fn reopened(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    mut known: ReferralDoc,
) -> Result<Applied, StoreError> {
    let is_draft = known.state.status() == Some(ReferralStatus::Draft);
    if !is_draft {
        return Ok(Applied::Nothing);
    }
    if let Body::ReferralRequested(request) | Body::ReferralDrafted(request) = &event.told.body {
        known.request = (**request).clone();
        known.sensitivity = known.sensitivity.then(Sensitivity::of(event));
    }
    ask(core, tx, event, known).await
}

/// A new referral from its request; or why it can't be resolved.
async fn open(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    request: &ReferralRequest,
) -> Result<Result<ReferralDoc, String>, StoreError> {
    let registry = &core.loaded.registry;
    let of_service = request
        .target
        .service
        .as_ref()
        .and_then(|id| registry.service(id))
        .map(|one| one.organization.clone());
    let Some(target_organization) = of_service.or_else(|| request.target.organization.clone())
    else {
        return Ok(Err("the target is not in the directory".to_owned()));
    };
    let Some(source_organization) = core.organization_of(&event.system) else {
        return Ok(Err("the sender is not a configured system".to_owned()));
    };
    let mut people = Vec::new();
    let mut person = None;
    for subject in &request.subjects {
        if let Some(record) = family::record(tx, &event.system, subject).await? {
            person.get_or_insert(record.person_id);
            people.push(record.key);
        }
    }
    let Some(person) = person else {
        return Ok(Err(
            "none of the people is known from this system yet".to_owned()
        ));
    };
    let id = ReferralId(uuid::Uuid::now_v7());
    let episode = episodes::running(tx, &BTreeSet::from([person])).await?;
    Ok(Ok(ReferralDoc {
        id,
        state: Referral::default(),
        request: request.clone(),
        sensitivity: Sensitivity::of(event),
        source: event.system.clone(),
        source_organization,
        target: core.system_of(&target_organization),
        target_organization,
        people,
        person,
        source_ref: request.referral.source_ref.clone(),
        target_ref: None,
        target_resources: Vec::new(),
        outputs: Vec::new(),
        request_message: None,
        outcome_message: None,
        told_to_source: BTreeSet::new(),
        flagged: BTreeSet::new(),
        created_at: core.clock.now(),
        case: Some(episode.map_or_else(|| id.to_string(), |one| one.id.to_string())),
    }))
}

/// Asks the target, if the referral is complete and may be told; else it stays a draft that waits for consent.
async fn ask(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    mut document: ReferralDoc,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    let proposal = request_proposal(core, tx, &document, None, now).await?;
    let is_permitted = match &proposal {
        Some(proposal) => tell::weigh(core, tx, MessageId(uuid::Uuid::nil()), proposal, now)
            .await?
            .outbound
            .is_some(),
        None => true,
    };
    let readiness = readiness(core, &document, is_permitted);
    let Some(fact) = ReferralFact::of(event, &sides(core, &document), readiness) else {
        return Ok(Applied::Refused(
            "the sender stands on no side of the referral".to_owned(),
        ));
    };
    match document.state.apply(&core.referral_rules, &fact) {
        Ok(Decision::NoOp) => Ok(Applied::Nothing),
        Ok(_) => {
            if document.state.status() == Some(ReferralStatus::Requested)
                && let Some(proposal) = proposal
            {
                document.request_message = tell::queue(core, tx, &proposal, now).await?;
            }
            tx.put(&document, now).await?;
            Ok(Applied::Done)
        }
        Err(Refused::NotPermitted) => {
            wait_for_consent(core, tx, document, event.told.occurred_at).await?;
            Ok(Applied::Done)
        }
        Err(Refused::TargetInactive) => {
            wait_for_target(core, tx, document, event.told.occurred_at).await?;
            Ok(Applied::Done)
        }
        Err(refused) => Ok(Applied::Refused(refused.to_string())),
    }
}

/// One side moves a referral, or gives detail below its state.
///
/// # Errors
/// When the store fails.
pub async fn moved(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    reference: &ReferralRef,
) -> Result<Applied, StoreError> {
    let Some(mut document) = resolve(tx, &event.system, reference).await? else {
        return Ok(Applied::Parked(
            "no referral of this sender has this id".to_owned(),
        ));
    };
    if is_echo(&document, event) {
        return Ok(Applied::Echo);
    }
    let sides = sides(core, &document);
    let Some(mut fact) = ReferralFact::of(event, &sides, Readiness::complete()) else {
        return Ok(Applied::Refused(
            "the sender stands on no side of the referral".to_owned(),
        ));
    };
    fit(&document, &mut fact);
    if let Some(update) = update_of(&event.told.body) {
        let is_target = document.target.as_ref() == Some(&event.system);
        if is_target && document.target_ref.is_none() {
            document.target_ref = update.referral.target_ref.clone();
        }
        let mut told = Sensitivity::of(event);
        if event.system != document.source {
            // What the target answers is under the category of the target's own system.
            told.category = None;
        }
        document.sensitivity = document.sensitivity.then(told);
        document.outputs.extend(
            update
                .outputs
                .iter()
                .filter(|output| !document.outputs.contains(output))
                .cloned()
                .collect::<Vec<_>>(),
        );
    }
    apply(core, tx, document, &fact, Some(&event.system)).await
}

/// Whether a source's message says what we wrote into its own system.
fn is_echo(document: &ReferralDoc, event: &Event) -> bool {
    let is_from_source =
        event.system == document.source && document.target.as_ref() != Some(&event.system);
    is_from_source
        && update_of(&event.told.body)
            .is_some_and(|update| document.told_to_source.contains(&update.status))
}

/// Formats with few codes say "rejected" also after acceptance (HMIS 4.20.D result 2): then it is a failure.
fn fit(document: &ReferralDoc, fact: &mut ReferralFact) {
    let was_accepted = matches!(
        document.state.status(),
        Some(ReferralStatus::Accepted | ReferralStatus::InProgress | ReferralStatus::OnHold)
    );
    if let ReferralFact::Moved(wish) = fact
        && was_accepted
        && wish.to == ReferralStatus::Rejected
    {
        wish.to = ReferralStatus::Failed;
    }
}

fn update_of(body: &Body) -> Option<&tandem_mappings::model::referral::ReferralUpdate> {
    match body {
        Body::ReferralAccepted(update)
        | Body::ReferralRejected(update)
        | Body::ReferralInProgress(update)
        | Body::ReferralOnHold(update)
        | Body::ReferralClosed(update)
        | Body::ReferralCancelled(update)
        | Body::ReferralError(update) => Some(update),
        _ => None,
    }
}

/// Who hears of a move.
#[derive(Debug, Clone, Copy)]
struct Tells {
    source: bool,
    target: bool,
    onlookers: bool,
}

impl Tells {
    /// Everybody but the side that made it.
    fn but(document: &ReferralDoc, by: Option<&SystemId>) -> Self {
        Self {
            source: by != Some(&document.source),
            target: by.is_none() || by != document.target.as_ref(),
            onlookers: true,
        }
    }
}

/// A move that follows from something else than a message about the referral: recorded as an event of the side that
/// makes it, then applied.
///
/// # Errors
/// When the store fails.
pub async fn follow(
    core: &Core,
    tx: &mut Tx,
    document: ReferralDoc,
    wish: Move,
    by: &SystemId,
) -> Result<Applied, StoreError> {
    let tells = Tells::but(&document, Some(by));
    follow_telling(core, tx, document, wish, by, tells).await
}

async fn follow_telling(
    core: &Core,
    tx: &mut Tx,
    document: ReferralDoc,
    wish: Move,
    by: &SystemId,
    tells: Tells,
) -> Result<Applied, StoreError> {
    let update = Box::new(ReferralUpdate {
        referral: ReferralRef {
            id: Some(document.id),
            ..ReferralRef::default()
        },
        status: wish.to,
        reason: wish.reason,
        reason_text: None,
        sub_status: None,
        role: Some(wish.by),
        outputs: Vec::new(),
        original: None,
    });
    let body = match wish.to {
        ReferralStatus::Cancelled => Body::ReferralCancelled(update),
        _ => Body::ReferralClosed(update),
    };
    let at = wish.at;
    let fact = ReferralFact::Moved(wish);
    let applied = apply_telling(core, tx, document, &fact, tells).await?;
    if applied == Applied::Done {
        core.record_of(tx, by, body, at, core.clock.now()).await?;
    }
    Ok(applied)
}

/// Applies a fact and tells whoever does not know it yet.
///
/// # Errors
/// When the store fails.
pub async fn apply(
    core: &Core,
    tx: &mut Tx,
    document: ReferralDoc,
    fact: &ReferralFact,
    by: Option<&SystemId>,
) -> Result<Applied, StoreError> {
    let tells = Tells::but(&document, by);
    apply_telling(core, tx, document, fact, tells).await
}

async fn apply_telling(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
    fact: &ReferralFact,
    tells: Tells,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    match document.state.apply(&core.referral_rules, fact) {
        Ok(Decision::NoOp) => return Ok(Applied::Nothing),
        Ok(Decision::Moved | Decision::Detailed) => {}
        Err(refused) => return Ok(Applied::Refused(refused.to_string())),
    }
    let status = document.state.status();
    let is_over = status.is_some_and(is_terminal);
    if tells.source {
        let told = tell_source(core, tx, &document, now).await?;
        if told.is_some() {
            document.told_to_source.extend(status);
        }
        if is_over && document.outcome_message.is_none() {
            document.outcome_message = told;
        }
    }
    if let Some(target) = document.target.clone().filter(|_| tells.target) {
        let is_withdrawn = matches!(
            status,
            Some(ReferralStatus::Cancelled | ReferralStatus::EnteredInError)
        );
        if is_withdrawn {
            withdraw(core, tx, &document, now).await?;
        } else {
            tell_status(
                core,
                tx,
                &document,
                &target,
                Some(ReferralRole::Target),
                now,
            )
            .await?;
        }
    }
    tx.put(&document, now).await?;
    if tells.onlookers {
        tell_onlookers(core, tx, &document, now).await?;
    }
    Ok(Applied::Done)
}
