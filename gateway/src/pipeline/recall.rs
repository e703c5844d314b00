//! Recalls: whoever holds what may no longer be told is told to stop using it. A recall says message ids and duties,
//! nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_adapter_port::outbound::{OutboundBody, RecallView};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{MessageId, PersonId, RecordKey, SystemId};
use tandem_mappings::model::message::{Duty, Recalled};

use super::compose;
use super::core::{Core, GATEWAY_SYSTEM};
use super::proposal::{Part, Proposal};
use super::{tell, version};
use crate::state::disclosure::DisclosureDoc;
use crate::state::record::RecordDoc;
use crate::store::{OutboxRow, OutboxState, StoreError, Tx};

/// A delivered message that was not recalled yet.
#[derive(Debug)]
pub struct Told {
    /// The message.
    pub row: OutboxRow,
    /// What its holder got.
    pub disclosure: DisclosureDoc,
    /// The link version under which it was told.
    pub version: i64,
}

impl Told {
    fn proposal(&self) -> Option<Proposal> {
        serde_json::from_slice(&self.row.content).ok()
    }
}

/// Delivered messages about a person, under whichever id the person's records stood when they were told.
///
/// # Errors
/// When the store fails.
pub async fn about(tx: &mut Tx, person: PersonId) -> Result<Vec<Told>, StoreError> {
    let records = tx
        .find::<RecordDoc>("record.person", &person.to_string())
        .await?;
    let mut told: Vec<Told> = Vec::new();
    for id in ids_of(&records, person) {
        for disclosure in tx
            .find::<DisclosureDoc>("disclosure.person", &id.to_string())
            .await?
        {
            let is_known = told.iter().any(|one| one.row.id == disclosure.message);
            if !is_known && let Some(one) = of(tx, (&records, id), disclosure).await? {
                told.push(one);
            }
        }
    }
    told.sort_by_key(|one| one.row.position);
    Ok(told)
}

/// A delivered message, when it was not recalled yet and told of somebody under an id that was one of these records' then.
pub(super) async fn of(
    tx: &mut Tx,
    (records, id): (&[RecordDoc], PersonId),
    disclosure: DisclosureDoc,
) -> Result<Option<Told>, StoreError> {
    if disclosure.is_recalled {
        return Ok(None);
    }
    let version = version::of_decision(tx, disclosure.decision).await?;
    if !records.iter().any(|record| record.person_at(version) == id) {
        return Ok(None);
    }
    let row = tx.outbox(disclosure.message).await?;
    Ok(row.map(|row| Told {
        row,
        disclosure,
        version,
    }))
}

/// The ids under which a person's records stood, today's among them.
pub(super) fn ids_of(records: &[RecordDoc], person: PersonId) -> BTreeSet<PersonId> {
    let former = records.iter().flat_map(|record| &record.former);
    let mut ids: BTreeSet<PersonId> = former.map(|former| former.person).collect();
    ids.insert(person);
    ids
}

/// Of delivered messages, those that rested on links that no longer hold, or on a record that goes.
///
/// # Errors
/// When the store fails.
pub async fn resting_on(
    core: &Core,
    tx: &mut Tx,
    told: Vec<Told>,
    goes: Option<&RecordKey>,
) -> Result<Vec<Told>, StoreError> {
    let mut resting = Vec::new();
    for one in told {
        let rests = match one.proposal() {
            // A notice said only its holder's own ids.
            Some(proposal) if proposal.action == Action::Notify => false,
            Some(proposal) => {
                let people = &one.disclosure.people;
                rests_on(core, tx, &proposal, people, one.version, goes).await?
            }
            // What can't be read any more is taken back to be safe.
            None => true,
        };
        if rests {
            resting.push(one);
        }
    }
    Ok(resting)
}

/// Whether sender and recipient would not speak of the same person today, or one of them spoke of the record that goes.
async fn rests_on(
    core: &Core,
    tx: &mut Tx,
    proposal: &Proposal,
    people: &[PersonId],
    version: i64,
    goes: Option<&RecordKey>,
) -> Result<bool, StoreError> {
    for person in people {
        let sides = version::sides(core, tx, proposal, *person, version).await?;
        let persons: BTreeSet<PersonId> = sides.iter().map(|side| side.person_id).collect();
        if persons.len() > 1 || sides.iter().any(|side| Some(&side.key) == goes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Withdraws what still waits to be told about a person and rested on links that no longer hold, or on a record that
/// goes. Notices, which say only ids and duties, still go out.
///
/// # Errors
/// When the store fails.
pub async fn nothing_leaves(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    goes: Option<&RecordKey>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut records = tx
        .find::<RecordDoc>("record.former", &person.to_string())
        .await?;
    records.extend(
        tx.find::<RecordDoc>("record.person", &person.to_string())
            .await?,
    );
    let ids = ids_of(&records, person);
    let mut waiting = BTreeMap::new();
    for id in &ids {
        let found = tx.waiting_about(*id).await?;
        waiting.extend(found.into_iter().map(|row| (row.position, row)));
    }
    for row in waiting.into_values() {
        let Ok(proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
            continue;
        };
        let people: Vec<PersonId> = proposal.people.iter().map(|one| one.person).collect();
        if proposal.action == Action::Notify || !people.iter().any(|one| ids.contains(one)) {
            continue;
        }
        let version = version::of_decision(tx, row.decision).await?;
        if rests_on(core, tx, &proposal, &people, version, goes).await? {
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
    told: &[Told],
    now: Timestamp,
) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    let position = tx.last_position().await?;
    let mut by_holder: BTreeMap<SystemId, Vec<MessageId>> = BTreeMap::new();
    for one in told {
        let mut disclosure = one.disclosure.clone();
        by_holder
            .entry(disclosure.holder.clone())
            .or_default()
            .push(one.row.id);
        disclosure.is_recalled = true;
        disclosure.recalled_at = Some(position);
        tx.put(&disclosure, now).await?;
    }
    for (holder, messages) in by_holder {
        notice(core, tx, &holder, messages, now).await?;
    }
    Ok(())
}

/// Whether anything of a delivered message may not be told today.
///
/// # Errors
/// When the store fails.
pub async fn is_withheld(
    core: &Core,
    tx: &mut Tx,
    told: &Told,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut proposal) = told.proposal() else {
        return Ok(false);
    };
    let before = proposal.clone();
    let own = version::of_decision(tx, told.row.decision).await?;
    if !version::renew(core, tx, &mut proposal, own).await? {
        return Ok(true);
    }
    let mut people = Vec::new();
    for person in &told.disclosure.people {
        match version::today(core, tx, &before, *person, told.version).await? {
            Some(person) => people.push(person),
            None => return Ok(true),
        }
    }
    let ruling = tell::weigh(core, tx, told.row.id, &proposal, now).await?;
    Ok(ruling.withholds(&told.disclosure.permitted, &people))
}

/// Right after a delivery: what was withdrawn, or lost its basis, while the attempt ran is taken back at once.
///
/// # Errors
/// When the store fails.
pub async fn after_attempt(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    was_withdrawn: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(disclosure) = tx.get::<DisclosureDoc>(&row.id.to_string()).await? else {
        return Ok(());
    };
    let version = version::of_decision(tx, disclosure.decision).await?;
    let told = Told {
        row: row.clone(),
        disclosure,
        version,
    };
    let is_notice = told
        .proposal()
        .is_some_and(|proposal| proposal.action == Action::Notify);
    if !is_notice && (was_withdrawn || is_withheld(core, tx, &told, now).await?) {
        everything_told(core, tx, &[told], now).await?;
    }
    Ok(())
}

/// A message that was withdrawn: whoever has it all the same, or may have it, is told to stop using it.
///
/// # Errors
/// When the store fails.
pub async fn if_held(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let held = tx.get::<DisclosureDoc>(&row.id.to_string()).await?;
    if held.is_some_and(|disclosure| !disclosure.is_recalled) {
        after_attempt(core, tx, row, true, now).await?;
    }
    Ok(())
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
    let effect_key = format!("recall:{}", uuid::Uuid::now_v7());
    let proposal = Proposal {
        sender: gateway,
        recipient,
        recipient_system: holder.clone(),
        action: Action::Notify,
        people: Vec::new(),
        recipient_case: None,
        // A recall waits for nothing, not even for another one: one that is refused would hold up all later ones.
        case: effect_key.clone(),
        effect_key,
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
