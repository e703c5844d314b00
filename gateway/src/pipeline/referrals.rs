//! Applies what sources and targets say about referrals, and tells the others.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::{OutboundBody, Party, ReferralStatusView, ReferralView};
use tandem_consent::Action;
use tandem_coordination::referral::{
    Decision, Move, Readiness, Referral, ReferralFact, Refused, Sender, Sides, content_gaps,
    is_terminal,
};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{
    MessageId, OrganizationId, PersonId, RecordKey, ReferralId, SystemId,
};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralRef, ReferralRequest, ReferralRole, ReferralStatus, ReferralUpdate,
    SubStatus,
};

use super::core::Core;
use super::processor::Applied;
use super::proposal::{Part, Proposal};
use super::{compose, family, mutual, tell};
use crate::state::referral::ReferralDoc;
use crate::store::{OutboxRow, OutboxState, StoreError, Tx};

/// The referral that a message names, as its sender names it.
///
/// # Errors
/// When the store fails.
pub async fn resolve(
    tx: &mut Tx,
    system: &SystemId,
    reference: &ReferralRef,
) -> Result<Option<ReferralDoc>, StoreError> {
    if let Some(id) = reference.id {
        return tx.get::<ReferralDoc>(&id.to_string()).await;
    }
    for own in [&reference.source_ref, &reference.target_ref]
        .into_iter()
        .flatten()
    {
        let found = tx
            .find::<ReferralDoc>("referral.ref", &format!("{system}\u{1f}{own}"))
            .await?;
        if let Some(document) = found.into_iter().next() {
            return Ok(Some(document));
        }
    }
    Ok(None)
}

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
    Ok(Ok(ReferralDoc {
        id: ReferralId(uuid::Uuid::now_v7()),
        state: Referral::default(),
        request: request.clone(),
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
        Err(refused) => Ok(Applied::Refused(refused.to_string())),
    }
}

fn readiness(core: &Core, document: &ReferralDoc, is_permitted: bool) -> Readiness {
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
async fn wait_for_consent(
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
        if let Err(refused) = document.state.apply(&core.referral_rules, &draft) {
            tracing::warn!(referral = %document.id, %refused, "draft was not kept");
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
    let applied = apply(core, tx, document, &ReferralFact::Moved(wish), Some(by)).await?;
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
    mut document: ReferralDoc,
    fact: &ReferralFact,
    by: Option<&SystemId>,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    match document.state.apply(&core.referral_rules, fact) {
        Ok(Decision::NoOp) => return Ok(Applied::Nothing),
        Ok(Decision::Moved | Decision::Detailed) => {}
        Err(refused) => return Ok(Applied::Refused(refused.to_string())),
    }
    let status = document.state.status();
    let is_over = status.is_some_and(is_terminal);
    if by != Some(&document.source) {
        let told = tell_status(
            core,
            tx,
            &document,
            &document.source,
            Some(ReferralRole::Source),
            now,
        )
        .await?;
        if told.is_some() {
            document.told_to_source.extend(status);
        }
        if is_over && document.outcome_message.is_none() {
            document.outcome_message = told;
        }
    }
    if let Some(target) = document.target.clone().filter(|target| by != Some(target)) {
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
    tell_onlookers(core, tx, &document, now).await?;
    Ok(Applied::Done)
}

/// Takes the request back: from the outbox while it waits there, else from the target that holds it.
async fn withdraw(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(message) = document.request_message else {
        return Ok(());
    };
    let Some(row) = tx.outbox(message).await? else {
        return Ok(());
    };
    match row.state {
        OutboxState::Queued | OutboxState::Failed | OutboxState::Parked => {
            let note = Some("the referral was withdrawn before it was delivered".to_owned());
            let withdrawn = OutboxRow {
                state: OutboxState::Withdrawn,
                note,
                ..row.clone()
            };
            tx.move_outbox(&withdrawn, row.state, now).await?;
        }
        OutboxState::Delivered | OutboxState::Acknowledged => {
            let reason = document.state.reason().or(Some(ReasonCode::Duplicate));
            if let Some(proposal) = request_proposal(core, tx, document, reason, now).await? {
                tell::queue(core, tx, &proposal, now).await?;
            }
        }
        OutboxState::Withdrawn | OutboxState::Skipped => {}
    }
    Ok(())
}

/// The other programmes that co-manage the family: referral outcomes are among what they exchange.
async fn tell_onlookers(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(episode) = mutual::running(tx, &BTreeSet::from([document.person])).await? else {
        return Ok(());
    };
    let sides = [Some(&document.source), document.target.as_ref()];
    let is_running = episode.episode.state()
        == Some(tandem_mappings::model::comanagement::ComanagementState::Coordinating);
    for system in episode.episode.participants().keys().filter(|_| is_running) {
        if !sides.contains(&Some(system)) {
            tell_status(core, tx, document, system, None, now).await?;
        }
    }
    Ok(())
}

/// The category of a referral's content: the source's own, or a stricter one that the domain calls for.
fn content_category(core: &Core, document: &ReferralDoc, system: &SystemId) -> Category {
    compose::category(core.default_category(system), document.request.domain)
}

pub(super) async fn request_proposal(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    withdrawn: Option<ReasonCode>,
    now: Timestamp,
) -> Result<Option<Proposal>, StoreError> {
    // A referral inside one system is kept, never sent back to where it came from.
    let Some(target) = document
        .target
        .clone()
        .filter(|target| *target != document.source)
    else {
        return Ok(None);
    };
    let persons = persons_of(tx, document).await?;
    let request = &document.request;
    let service = request
        .target
        .service
        .as_ref()
        .and_then(|id| core.loaded.registry.service(id));
    let body = OutboundBody::Referral(Box::new(ReferralView {
        referral: document.id,
        requested_at: document.state.requested_at().unwrap_or(now),
        domain: request.domain,
        urgency: request.urgency,
        need: request.need.clone().filter(|_| withdrawn.is_none()),
        service: request.target.service.clone(),
        service_name: service.map(|service| service.name.clone()),
        service_reference: service.and_then(|service| service.hmis_project.clone()),
        worker: request.worker.clone().filter(|_| withdrawn.is_none()),
        safe_contact: request.safe_contact.clone().filter(|_| withdrawn.is_none()),
        source_resources: order_resources(core, document),
        part_of: part_of(tx, document).await?,
        is_withdrawn: withdrawn.is_some(),
        withdrawn_reason: withdrawn,
    }));
    let source = &document.source_organization;
    let content = content_category(core, document, &document.source);
    let mut items = vec![
        compose::item("body", Part::Body, content, source, None),
        compose::item(
            "identity",
            Part::Identity,
            Category::PersonIndex,
            source,
            None,
        ),
    ];
    if withdrawn.is_none() {
        items.push(compose::item(
            "contact",
            Part::Contact,
            Category::ContactLocation,
            source,
            None,
        ));
    }
    // A withdrawal is a cancellation notice: it goes to whoever holds the request, also when nothing else may be told.
    let action = if withdrawn.is_some() {
        Action::Notify
    } else {
        Action::Refer
    };
    let proposal = proposal(
        core,
        tx,
        document,
        &document.source.clone(),
        &target,
        &persons,
        items,
        body,
        action,
    )
    .await?;
    Ok(proposal.map(|mut proposal| {
        if withdrawn.is_some() {
            proposal
                .people
                .iter_mut()
                .for_each(|one| one.view = compose::ids_only(&one.view));
        }
        proposal
    }))
}

/// The source's own resources; for a source without FHIR the gateway's order, since a request at the target must say on
/// what it is based.
fn order_resources(core: &Core, document: &ReferralDoc) -> Vec<String> {
    let own = &document.request.source_resources;
    if !own.is_empty() {
        return own.clone();
    }
    let order = core
        .loaded
        .config
        .public_url
        .join(&format!("fhir/ServiceRequest/{}", document.id));
    order.into_iter().map(String::from).collect()
}

async fn part_of(tx: &mut Tx, document: &ReferralDoc) -> Result<Option<ReferralId>, StoreError> {
    let Some(parent) = &document.request.part_of else {
        return Ok(None);
    };
    Ok(resolve(tx, &document.source, parent)
        .await?
        .map(|parent| parent.id))
}

async fn persons_of(tx: &mut Tx, document: &ReferralDoc) -> Result<Vec<PersonId>, StoreError> {
    let mut persons = vec![document.person];
    for RecordKey { system, person } in &document.people {
        if let Some(record) = family::record(tx, system, person).await?
            && !persons.contains(&record.person_id)
        {
            persons.push(record.person_id);
        }
    }
    Ok(persons)
}

/// Tells one system how a referral stands.
async fn tell_status(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    recipient: &SystemId,
    role: Option<ReferralRole>,
    now: Timestamp,
) -> Result<Option<MessageId>, StoreError> {
    let Some(status) = document.state.status() else {
        return Ok(None);
    };
    // What the target does is the target's to tell; what the source does is the source's.
    let (sender, sender_organization) = match role {
        Some(ReferralRole::Target) => (
            document.source.clone(),
            document.source_organization.clone(),
        ),
        _ => (
            document
                .target
                .clone()
                .unwrap_or_else(|| core.gateway.clone()),
            document.target_organization.clone(),
        ),
    };
    let (recipient_ref, resources) = match role {
        Some(ReferralRole::Source) => (
            document.source_ref.clone(),
            document.request.source_resources.clone(),
        ),
        Some(ReferralRole::Target) => (
            document.target_ref.clone(),
            document.target_resources.clone(),
        ),
        _ => (None, Vec::new()),
    };
    let body = OutboundBody::ReferralStatus(Box::new(ReferralStatusView {
        referral: document.id,
        recipient_ref,
        recipient_role: role,
        domain: Some(document.request.domain),
        target: Some(Party {
            name: core.name_of(&document.target_organization),
            id: document.target_organization.clone(),
        }),
        status,
        reason: document.state.reason(),
        reason_text: document.state.reason_text().map(str::to_owned),
        sub_status: document.state.sub_status(),
        at: now,
        outputs: document.outputs.clone(),
        recipient_resources: resources,
    }));
    let content = match core.system(&sender) {
        Some(_) => content_category(core, document, &sender),
        None => content_category(core, document, &document.source),
    };
    // How its draft stands, and that the gateway cancelled its request, is the source's own: nothing of the target is in it.
    let is_own = status == ReferralStatus::Draft
        || role == Some(ReferralRole::Source)
            && document.state.reason() == Some(ReasonCode::ConsentRevoked);
    let holder = if is_own {
        &document.source_organization
    } else {
        &sender_organization
    };
    let content = if is_own {
        content_category(core, document, &document.source)
    } else {
        content
    };
    let items = vec![
        compose::item("body", Part::Body, content, holder, None),
        compose::item(
            "identity",
            Part::Identity,
            Category::PersonIndex,
            holder,
            None,
        ),
    ];
    let persons = persons_of(tx, document).await?;
    let shown = if is_own {
        document.source.clone()
    } else {
        sender
    };
    // That its own referral waits or was cancelled is a notice to its holder, not a disclosure: its own ids, nothing else.
    let action = if is_own {
        Action::Notify
    } else {
        Action::Disclose
    };
    let proposal = proposal(
        core, tx, document, &shown, recipient, &persons, items, body, action,
    )
    .await?;
    let Some(mut proposal) = proposal else {
        return Ok(None);
    };
    if is_own {
        proposal
            .people
            .iter_mut()
            .for_each(|one| one.view = compose::ids_only(&one.view));
    }
    tell::queue(core, tx, &proposal, now).await
}

#[expect(
    clippy::too_many_arguments,
    reason = "a proposal has two sides, people, items and a body"
)]
async fn proposal(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    sender: &SystemId,
    recipient: &SystemId,
    persons: &[PersonId],
    items: Vec<super::proposal::ProposedItem>,
    body: OutboundBody,
    action: Action,
) -> Result<Option<Proposal>, StoreError> {
    let Some(organization) = core.organization_of(recipient) else {
        return Ok(None);
    };
    let episode = mutual::running(tx, &BTreeSet::from([document.person])).await?;
    let case = recipient_case(tx, persons, recipient).await?;
    let sender_organization: OrganizationId = items.first().map_or_else(
        || document.source_organization.clone(),
        |item| item.source.clone(),
    );
    Ok(Some(Proposal {
        sender: sender_organization,
        recipient: organization,
        recipient_system: recipient.clone(),
        action,
        people: compose::people(tx, persons, sender, recipient).await?,
        recipient_case: case,
        case: episode
            .as_ref()
            .map_or_else(|| document.id.to_string(), |one| one.id.to_string()),
        effect_key: format!("referral:{}", document.id),
        items,
        body,
        referral: Some(document.id),
        episode: episode.map(|one| one.id),
    }))
}

/// The recipient's own case of the people, when it has one.
///
/// # Errors
/// When the store fails.
pub async fn recipient_case(
    tx: &mut Tx,
    persons: &[PersonId],
    recipient: &SystemId,
) -> Result<Option<String>, StoreError> {
    for person in persons {
        if let Some(case) = family::open_cases(tx, *person, recipient)
            .await?
            .into_iter()
            .next()
        {
            return Ok(Some(case.told.case.to_string()));
        }
    }
    Ok(None)
}
