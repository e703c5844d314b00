//! What is told about a referral, to whom: requests, how it stands, withdrawals.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::{OutboundBody, Party, ReferralStatusView, ReferralView};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{
    MessageId, OrganizationId, PersonId, RecordKey, ReferralId, SystemId,
};
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

use super::super::core::Core;
use super::super::proposal::{Part, Proposal, ProposedItem};
use super::super::{compose, episodes, family, tell};
use super::lookup::resolve;
use crate::state::disclosure::DisclosureDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{OutboxRow, OutboxState, StoreError, Tx};

/// Takes the request back: from the outbox while it waits there, else from the target that holds it.
pub(super) async fn withdraw(
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
            // An attempt whose answer was lost may have brought it there.
            let may_be_there = tx.get::<DisclosureDoc>(&message.to_string()).await?;
            if may_be_there.is_some() {
                cancel(core, tx, document, now).await?;
            }
        }
        OutboxState::Delivered | OutboxState::Acknowledged => {
            cancel(core, tx, document, now).await?;
        }
        OutboxState::Withdrawn | OutboxState::Skipped => {}
    }
    Ok(())
}

/// Tells the target that the request does not stand any more.
async fn cancel(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reason = document.state.reason().or(Some(ReasonCode::Duplicate));
    if let Some(proposal) = request_proposal(core, tx, document, reason, now).await? {
        tell::queue(core, tx, &proposal, now).await?;
    }
    Ok(())
}

/// A request that was withdrawn while its first attempt ran has reached its target, or may have: the target is told of the cancellation.
/// Whoever took it back then took it for one that had reached nobody.
///
/// # Errors
/// When the store fails.
pub async fn may_be_there_after_all(
    core: &Core,
    tx: &mut Tx,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = message.to_string();
    for document in tx.find::<ReferralDoc>("referral.message", &id).await? {
        let is_over = matches!(
            document.state.status(),
            Some(ReferralStatus::Cancelled | ReferralStatus::EnteredInError)
        );
        if is_over && document.request_message == Some(message) {
            cancel(core, tx, &document, now).await?;
        }
    }
    Ok(())
}

/// The other programmes that co-manage the family: referral outcomes are among what they exchange.
pub(super) async fn tell_onlookers(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(episode) = episodes::running(tx, &BTreeSet::from([document.person])).await? else {
        return Ok(());
    };
    let sides = [Some(&document.source), document.target.as_ref()];
    let is_running = episode.episode.state()
        == Some(tandem_mappings::model::comanagement::ComanagementState::Coordinating);
    let serving = episode.systems();
    let participants = episode.episode.participants().keys();
    for system in participants.filter(|system| is_running && serving.contains(*system)) {
        if !sides.contains(&Some(system)) {
            tell_status(core, tx, document, system, None, now).await?;
        }
    }
    Ok(())
}

/// The category of a referral's content: the source's own, or a stricter one that the domain calls for.
fn content_category(core: &Core, document: &ReferralDoc, system: &SystemId) -> Category {
    let base = if *system == document.source {
        core.category(system, &document.sensitivity)
    } else {
        core.default_category(system)
    };
    compose::category(base, document.request.domain)
}

pub(in crate::pipeline) async fn request_proposal(
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

/// Tells the source how its referral stands.
pub(super) async fn tell_source(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    now: Timestamp,
) -> Result<Option<MessageId>, StoreError> {
    let role = Some(ReferralRole::Source);
    tell_status(core, tx, document, &document.source, role, now).await
}

/// Tells one system how a referral stands.
pub(super) async fn tell_status(
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
            && document.state.reason().is_some_and(ends_its_basis);
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

/// Whether the gateway cancelled for this reason: what the request rested on is gone.
pub(super) const fn ends_its_basis(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::ConsentRevoked | ReasonCode::ConsentExpired | ReasonCode::LegalRestriction
    )
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
    mut items: Vec<ProposedItem>,
    body: OutboundBody,
    action: Action,
) -> Result<Option<Proposal>, StoreError> {
    let Some(organization) = core.organization_of(recipient) else {
        return Ok(None);
    };
    compose::label(&mut items, &document.sensitivity);
    let episode = episodes::running(tx, &BTreeSet::from([document.person])).await?;
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
        case: document.case_beside(episode.as_ref().map(|one| one.id)),
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
