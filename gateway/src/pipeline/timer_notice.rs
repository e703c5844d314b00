//! What is told when a timer of a referral has expired, or a draft can't be sent: how the referral stands, with a note.
//! No state is moved by it, so the recipient's own copy of the referral is left alone: the note goes beside it, in
//! whatever form the recipient's format has for it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::{OutboundBody, Party, ReferralStatusView};
use tandem_consent::Action;
use tandem_coordination::timers::{Timer, TimerName};
use tandem_mappings::model::id::{MessageId, OrganizationId, PersonId, RecordKey, SystemId};
use tandem_mappings::model::referral::ReferralRole;

use super::core::Core;
use super::proposal::{Part, Proposal};
use super::{compose, episodes, family, referrals, tell};
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// What came of telling one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It waits in its lane.
    Queued(MessageId),
    /// The side has no system that can be told.
    NoSystem,
    /// It may not be told.
    NotPermitted,
}

/// What is told beside a referral.
#[derive(Debug)]
pub(super) struct Note {
    /// By which its recipient knows a repeat.
    pub(super) effect_key: String,
    /// In words for a worker.
    pub(super) text: String,
}

/// Tells one side of a referral that a timer has expired.
///
/// # Errors
/// When the store fails.
pub(super) async fn expired(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    side: ReferralRole,
    timer: &Timer,
    now: Timestamp,
) -> Result<Told, StoreError> {
    let note = Note {
        effect_key: format!(
            "referral-timer:{}:{}:{}",
            document.id,
            timer.name.code(),
            timer.started.as_second()
        ),
        text: note(core, document, side, timer),
    };
    tell(core, tx, document, side, note, now).await
}

/// Tells one side something beside its referral.
///
/// # Errors
/// When the store fails.
pub(super) async fn tell(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    side: ReferralRole,
    note: Note,
    now: Timestamp,
) -> Result<Told, StoreError> {
    let recipient = match side {
        ReferralRole::Target => document.target.clone(),
        _ => Some(document.source.clone()),
    };
    let reachable = |system: &SystemId| core.system(system).is_some_and(|one| one.output.is_some());
    let Some(recipient) = recipient.filter(reachable) else {
        return Ok(Told::NoSystem);
    };
    let Some(proposal) = proposal(core, tx, document, side, &recipient, note, now).await? else {
        return Ok(Told::NoSystem);
    };
    let queued = tell::queue(core, tx, &proposal, now).await?;
    Ok(queued.map_or(Told::NotPermitted, Told::Queued))
}

async fn proposal(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    side: ReferralRole,
    recipient: &SystemId,
    note: Note,
    now: Timestamp,
) -> Result<Option<Proposal>, StoreError> {
    let (Some(status), Some(organization)) =
        (document.state.status(), core.organization_of(recipient))
    else {
        return Ok(None);
    };
    let reference = match side {
        ReferralRole::Target => &document.target_ref,
        _ => &document.source_ref,
    };
    let body = OutboundBody::ReferralStatus(Box::new(ReferralStatusView {
        referral: document.id,
        recipient_ref: reference.clone(),
        // Nobody's copy of the referral is to be moved: the note goes beside it.
        recipient_role: None,
        domain: Some(document.request.domain),
        target: Some(Party {
            name: core.name_of(&document.target_organization),
            id: document.target_organization.clone(),
        }),
        status,
        reason: None,
        reason_text: Some(note.text),
        sub_status: document.state.sub_status(),
        at: now,
        outputs: Vec::new(),
        recipient_resources: Vec::new(),
    }));
    let persons = persons_of(tx, document).await?;
    let mut people = compose::people(tx, &persons, &document.source, recipient).await?;
    for one in &mut people {
        one.view = compose::ids_only(&one.view);
    }
    let source = &document.source_organization;
    let base = core.category(&document.source, &document.sensitivity);
    let content = compose::category(base, document.request.domain);
    let mut items = vec![compose::item("body", Part::Body, content, source, None)];
    compose::label(&mut items, &document.sensitivity);
    let episode = episodes::running(tx, &BTreeSet::from([document.person])).await?;
    // That nobody has answered its own request is the source's own, and holds nothing of the target; the target is
    // reminded of what the source asked.
    let action = match side {
        ReferralRole::Target => Action::Disclose,
        _ => Action::Notify,
    };
    Ok(Some(Proposal {
        sender: source.clone(),
        recipient: organization,
        recipient_system: recipient.clone(),
        action,
        people,
        recipient_case: referrals::recipient_case(tx, &persons, recipient).await?,
        case: document.case_beside(episode.as_ref().map(|one| one.id)),
        effect_key: note.effect_key,
        items,
        body,
        referral: Some(document.id),
        episode: episode.map(|one| one.id),
    }))
}

/// The note, in words for a worker. It names days and organisations, never a person who is served.
fn note(core: &Core, document: &ReferralDoc, side: ReferralRole, timer: &Timer) -> String {
    let (since, due) = (core.day(timer.started), core.day(timer.due));
    match timer.name {
        TimerName::Decision if side == ReferralRole::Target => {
            format!(
                "Overdue: a decision on this referral was wanted by {due}. Please accept or reject it."
            )
        }
        TimerName::DecisionLimit if side == ReferralRole::Target => {
            format!(
                "Overdue: the limit for a decision on this referral was {due}. Please accept or reject it."
            )
        }
        TimerName::Decision | TimerName::DecisionLimit => {
            format!("Overdue: the referral was delivered on {since} and no decision came by {due}.")
        }
        TimerName::FirstContact => format!(
            "Overdue: {}: the referral was accepted on {since} and no contact with the client was told by {due}.",
            supervisor(core, &document.target_organization)
        ),
        _ => {
            format!("Please tell how this referral stands: nothing was heard of it since {since}.")
        }
    }
}

/// The supervisor contact of an organisation: the worker of the registry who has that role.
fn supervisor(core: &Core, organization: &OrganizationId) -> String {
    let is_supervisor = |role: &str| role.to_ascii_lowercase().contains("supervisor");
    let mut workers = core.loaded.registry.workers();
    let found =
        workers.find(|worker| worker.organization == *organization && is_supervisor(&worker.role));
    found.map_or_else(
        || "for the supervisor".to_owned(),
        |worker| format!("for the supervisor {} ({})", worker.name, worker.id),
    )
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
