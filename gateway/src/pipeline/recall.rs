//! Recalls: whoever holds what may no longer be told is told to stop using it. A recall says message ids and duties,
//! nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_adapter_port::outbound::{OutboundBody, RecallView};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{MessageId, PersonId, SystemId};
use tandem_mappings::model::message::{Duty, Recalled};

use super::compose;
use super::core::{Core, GATEWAY_SYSTEM};
use super::proposal::{Part, Proposal};
use super::tell;
use crate::state::disclosure::DisclosureDoc;
use crate::store::{OutboxRow, OutboxState, StoreError, Tx};

/// Delivered messages about a person that were not recalled yet.
///
/// # Errors
/// When the store fails.
pub async fn disclosed_about(tx: &mut Tx, person: PersonId) -> Result<Vec<OutboxRow>, StoreError> {
    let mut rows = Vec::new();
    for disclosure in tx
        .find::<DisclosureDoc>("disclosure.person", &person.to_string())
        .await?
    {
        if !disclosure.is_recalled
            && let Some(row) = tx.outbox(disclosure.message).await?
        {
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| row.position);
    Ok(rows)
}

/// Withdraws what still waits to be told about a person from or to systems whose records turn out not to be hers or his.
/// Notices, which say only ids and duties, still go out.
///
/// # Errors
/// When the store fails.
pub async fn nothing_leaves(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    parted: &BTreeSet<SystemId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let senders: BTreeSet<_> = parted
        .iter()
        .filter_map(|system| core.organization_of(system))
        .collect();
    for row in tx
        .outbox_in(&[
            OutboxState::Queued,
            OutboxState::Failed,
            OutboxState::Parked,
        ])
        .await?
    {
        let Ok(proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
            continue;
        };
        let is_about = proposal.people.iter().any(|one| one.person == person);
        let is_between =
            parted.contains(&proposal.recipient_system) || senders.contains(&proposal.sender);
        if is_about && is_between && proposal.action != Action::Notify {
            let note = Some("the records on which it rested do not belong together".to_owned());
            let withdrawn = OutboxRow {
                state: OutboxState::Withdrawn,
                note,
                ..row.clone()
            };
            tx.move_outbox(&withdrawn, row.state, now).await?;
        }
    }
    Ok(())
}

/// Recalls all of the messages, one notice to each holder.
///
/// # Errors
/// When the store fails.
pub async fn everything_told(
    core: &Core,
    tx: &mut Tx,
    rows: &[OutboxRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut by_holder: BTreeMap<SystemId, Vec<MessageId>> = BTreeMap::new();
    for row in rows {
        let Some(mut disclosure) = tx.get::<DisclosureDoc>(&row.id.to_string()).await? else {
            continue;
        };
        by_holder
            .entry(disclosure.holder.clone())
            .or_default()
            .push(row.id);
        disclosure.is_recalled = true;
        tx.put(&disclosure, now).await?;
    }
    for (holder, messages) in by_holder {
        notice(core, tx, &holder, messages, now).await?;
    }
    Ok(())
}

/// Recalls what was told about a person and may no longer be told. Returns the messages.
///
/// # Errors
/// When the store fails.
pub async fn no_longer_permitted(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    let mut recalled = Vec::new();
    for row in disclosed_about(tx, person).await? {
        let Some(disclosure) = tx.get::<DisclosureDoc>(&row.id.to_string()).await? else {
            continue;
        };
        let Ok(proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
            continue;
        };
        let ruling = tell::weigh(core, tx, row.id, &proposal, now).await?;
        if ruling.withholds(&disclosure.permitted, &disclosure.people) {
            recalled.push(row);
        }
    }
    everything_told(core, tx, &recalled, now).await?;
    Ok(recalled.into_iter().map(|row| row.id).collect())
}

async fn notice(
    core: &Core,
    tx: &mut Tx,
    holder: &SystemId,
    messages: Vec<MessageId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(recipient) = core.organization_of(holder) else {
        return Ok(());
    };
    let Ok(gateway) = tandem_consent::GATEWAY.parse() else {
        return Ok(());
    };
    let duties = vec![Duty::StopUse, Duty::DoNotRedisclose];
    let proposal = Proposal {
        sender: gateway,
        recipient,
        recipient_system: holder.clone(),
        action: Action::Notify,
        people: Vec::new(),
        recipient_case: None,
        // Recalls overtake nothing and wait for nothing but each other.
        case: format!("recall:{holder}"),
        effect_key: format!("recall:{}", uuid::Uuid::now_v7()),
        items: vec![compose::item(
            "body",
            Part::Body,
            Category::PersonIndex,
            &GATEWAY_SYSTEM.parse().map_err(|_| StoreError::Shape {
                kind: "organisation",
            })?,
            None,
        )],
        body: OutboundBody::Recall(Box::new(RecallView {
            messages: messages.clone(),
            duties: duties.clone(),
        })),
        referral: None,
        episode: None,
    };
    if tell::queue(core, tx, &proposal, now).await?.is_none() {
        tracing::error!(holder = %holder, "a recall notice was denied; its holder must be told by hand");
        tx.audit(
            now,
            core.gateway.as_str(),
            "recall.denied",
            holder.as_str(),
            "",
        )
        .await?;
    }
    let told = Recalled {
        messages,
        holder: holder.clone(),
        duties,
    };
    core.record(tx, Body::DisclosureRecalled(Box::new(told)), now)
        .await
}
