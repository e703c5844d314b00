//! Mutual clients: when two programmes with an open case know the same family, each is told of the other, if that may be
//! told. Told once, not at every load.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::{MutualClientView, OutboundBody, Party};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{MessageId, PersonId, SystemId};

use super::core::Core;
use super::proposal::{Part, Proposal};
use super::{compose, episodes, family, tell};
use crate::state::baseline::ReleasedDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::mutual::MutualDoc;
use crate::store::{OutboxState, StoreError, Tx};

/// Looks at a person's family and tells each pair of programmes what may be told.
///
/// # Errors
/// When the store fails.
pub async fn evaluate(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let family = family::family(tx, person).await?;
    let mut systems = BTreeSet::new();
    for member in &family {
        systems.extend(family::systems_of(tx, *member).await?);
    }
    let mut ready = Vec::new();
    for system in systems {
        if core.system(&system).is_some() && is_released(core, tx, &system).await? {
            ready.push(system);
        }
    }
    for (place, a) in ready.iter().enumerate() {
        for b in ready.iter().skip(place + 1) {
            let told_a = notify(core, tx, &family, a, b, now).await?;
            let told_b = notify(core, tx, &family, b, a, now).await?;
            if let (Some(people), Some(_)) = (&told_a, &told_b) {
                episodes::confirm(core, tx, people, (a, b), now).await?;
            }
        }
    }
    Ok(())
}

/// Whether notices about a system's records may go out: its first load has been released.
///
/// # Errors
/// When the store fails.
pub async fn is_released(core: &Core, tx: &mut Tx, system: &SystemId) -> Result<bool, StoreError> {
    let is_baseline = core.system(system).is_none_or(|config| config.baseline);
    Ok(!is_baseline || tx.get::<ReleasedDoc>(system.as_str()).await?.is_some())
}

/// Tells `recipient` that `partner` serves the same people. Returns the people told of, now or before.
async fn notify(
    core: &Core,
    tx: &mut Tx,
    family: &BTreeSet<PersonId>,
    recipient: &SystemId,
    partner: &SystemId,
    now: Timestamp,
) -> Result<Option<BTreeSet<PersonId>>, StoreError> {
    let mut mutual = Vec::new();
    let mut has_case = (None, None);
    for person in family {
        let systems = family::systems_of(tx, *person).await?;
        if systems.contains(recipient) && systems.contains(partner) {
            mutual.push(*person);
            keep_first(
                &mut has_case.0,
                family::open_cases(tx, *person, recipient).await?,
            );
            keep_first(
                &mut has_case.1,
                family::open_cases(tx, *person, partner).await?,
            );
        }
    }
    let (Some(own_case), Some(partner_case)) = has_case else {
        return Ok(None);
    };
    let mut untold = Vec::new();
    let mut told = BTreeSet::new();
    for person in mutual {
        match tx
            .get::<MutualDoc>(&MutualDoc::key_of(person, recipient, partner))
            .await?
        {
            Some(notice) if stands(tx, &notice).await? => {
                told.insert(person);
            }
            _ => untold.push(person),
        }
    }
    let mut permitted = Vec::new();
    for person in untold {
        let Some(proposal) = propose(
            core,
            tx,
            &[person],
            recipient,
            partner,
            &own_case,
            &partner_case,
            now,
        )
        .await?
        else {
            continue;
        };
        if tell::weigh(core, tx, MessageId(uuid::Uuid::nil()), &proposal, now)
            .await?
            .outbound
            .is_some()
        {
            permitted.push(person);
        }
    }
    if let Some(proposal) = propose(
        core,
        tx,
        &permitted,
        recipient,
        partner,
        &own_case,
        &partner_case,
        now,
    )
    .await?
        && let Some(message) = tell::queue(core, tx, &proposal, now).await?
    {
        for person in &permitted {
            let notice = MutualDoc {
                person: *person,
                recipient: recipient.clone(),
                partner: partner.clone(),
                message,
            };
            tx.put(&notice, now).await?;
            told.insert(*person);
        }
    }
    Ok(Some(told).filter(|told| !told.is_empty()))
}

/// Whether a notice waits or is held: one that was withdrawn or recalled is no longer known to its recipient, and what
/// may be told again is told anew.
async fn stands(tx: &mut Tx, notice: &MutualDoc) -> Result<bool, StoreError> {
    let held = tx.get::<DisclosureDoc>(&notice.message.to_string()).await?;
    if let Some(disclosure) = held {
        return Ok(!disclosure.is_recalled);
    }
    let row = tx.outbox(notice.message).await?;
    Ok(row.is_some_and(|row| row.state != OutboxState::Withdrawn))
}

fn keep_first(slot: &mut Option<InvolvementDoc>, cases: Vec<InvolvementDoc>) {
    if slot.is_none() {
        *slot = cases.into_iter().next();
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one notice has two sides, each with system and case"
)]
async fn propose(
    core: &Core,
    tx: &mut Tx,
    people: &[PersonId],
    recipient: &SystemId,
    partner: &SystemId,
    own_case: &InvolvementDoc,
    partner_case: &InvolvementDoc,
    now: Timestamp,
) -> Result<Option<Proposal>, StoreError> {
    let (Some(first), Some(sender), Some(organization)) = (
        people.first(),
        core.organization_of(partner),
        core.organization_of(recipient),
    ) else {
        return Ok(None);
    };
    let people = compose::people(tx, people, partner, recipient).await?;
    let items = vec![
        compose::item(
            "body",
            Part::Body,
            core.default_category(partner),
            &sender,
            None,
        ),
        compose::item(
            "identity",
            Part::Identity,
            Category::PersonIndex,
            &sender,
            None,
        ),
    ];
    let body = OutboundBody::MutualClient(Box::new(MutualClientView {
        partner_system: partner.clone(),
        partner: Party {
            name: core.name_of(&sender),
            id: sender.clone(),
        },
        partner_program: partner_case.told.program,
        partner_case: Some(partner_case.told.case.to_string()),
        partner_case_status: partner_case.told.status.clone(),
        worker: partner_case.told.worker.clone(),
        since: Some(core.day(now)),
    }));
    Ok(Some(Proposal {
        sender,
        recipient: organization,
        recipient_system: recipient.clone(),
        action: Action::Disclose,
        people,
        recipient_case: Some(own_case.told.case.to_string()),
        case: first.to_string(),
        effect_key: format!("mutual:{first}:{partner}:{recipient}"),
        items,
        body,
        referral: None,
        episode: None,
    }))
}
