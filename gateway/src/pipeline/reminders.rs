//! Reminders that a consent will end, in the systems whose workers rely on it: those that hold a message that rests on it,
//! that wait for one, or whose own referral was told on it. Nobody else is told, since that a consent exists is itself
//! telling; and who relies on it, the recorded decisions say. Clients are not written to: the gateway has no way to them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tandem_adapter_port::outbound::{ConsentReminderView, OutboundBody};
use tandem_consent::{Action, Verdict};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Effect;
use tandem_mappings::model::id::{DecisionId, MessageId, PersonId, SystemId};

use super::core::Core;
use super::proposal::{Part, Proposal};
use super::weighed::answer_of;
use super::{compose, consents, family, recall, referrals, tell};
use crate::state::directive::DirectiveDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{DecisionRow, OutboxRow, StoreError, Tx};

/// What of a system rests on a consent.
#[derive(Debug, Default)]
struct Reliance {
    /// Messages to it.
    messages: BTreeSet<MessageId>,
    /// Referrals that it made, by its own ids.
    referrals: BTreeSet<String>,
    /// The people about whom it knows them to be.
    people: BTreeSet<PersonId>,
    /// Whether it knows of any of them already.
    knows: bool,
    /// The case of a message that it waits for: its reminder must not come before.
    after: Option<String>,
}

/// Reminds every system that relies on a consent. Returns those whose reminder waits in its lane.
///
/// # Errors
/// When the store fails.
pub(super) async fn tell(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
    days: u16,
    now: Timestamp,
) -> Result<Vec<SystemId>, StoreError> {
    let mut reminded = Vec::new();
    let Some(last_day) = last_day(core, document) else {
        return Ok(reminded);
    };
    for (system, reliance) in relying(core, tx, document).await? {
        let proposal = proposal(core, tx, document, &system, reliance, (days, last_day)).await?;
        if let Some(proposal) = proposal
            && tell::queue(core, tx, &proposal, now).await?.is_some()
        {
            reminded.push(system);
        }
    }
    Ok(reminded)
}

/// The last day on which a consent that permits counts.
fn last_day(core: &Core, document: &DirectiveDoc) -> Option<Date> {
    if document.directive.says() != Some(Effect::Permit) {
        return None;
    }
    let end = tandem_consent::ends_at(&document.directive, &core.judge.bundle())?;
    let last = end.checked_sub(SignedDuration::from_micros(1)).ok()?;
    Some(core.day(last))
}

/// The systems that rely on a consent, each with what of it does.
async fn relying(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
) -> Result<BTreeMap<SystemId, Reliance>, StoreError> {
    let consent = document.directive.id.as_str();
    let mut found = BTreeMap::new();
    for person in consents::persons_of(tx, &document.covers).await? {
        let records = family::records_of(tx, person).await?;
        let ids = recall::ids_of(&records, person);
        for told in recall::about(tx, person).await? {
            if rests_on(tx, told.disclosure.decision, &ids, consent).await? {
                note(core, tx, &mut found, &told.row, (person, true)).await?;
            }
        }
        for row in waiting(tx, &ids).await? {
            let last = tx.attempts(row.id).await?.pop();
            let decision = last.map_or(row.decision, |attempt| attempt.decision);
            if rests_on(tx, decision, &ids, consent).await? {
                note(core, tx, &mut found, &row, (person, false)).await?;
            }
        }
    }
    found.retain(|system, _| core.system(system).is_some_and(|one| one.output.is_some()));
    Ok(found)
}

/// Messages about a person that still wait, under whichever id the person's records stood when they were decided.
async fn waiting(tx: &mut Tx, ids: &BTreeSet<PersonId>) -> Result<Vec<OutboxRow>, StoreError> {
    let mut rows: BTreeMap<i64, OutboxRow> = BTreeMap::new();
    for id in ids {
        for row in tx.waiting_about(*id).await? {
            let people = proposal_of(&row).map(|proposal| proposal.people);
            if people.into_iter().flatten().any(|one| one.person == *id) {
                rows.insert(row.position, row);
            }
        }
    }
    Ok(rows.into_values().collect())
}

fn proposal_of(row: &OutboxRow) -> Option<Proposal> {
    serde_json::from_slice(&row.content).ok()
}

/// Whether a ruling permitted something about a person on the ground of a consent. The rules have then found both sides
/// among the parties that the consent names or covers.
async fn rests_on(
    tx: &mut Tx,
    decision: DecisionId,
    ids: &BTreeSet<PersonId>,
    consent: &str,
) -> Result<bool, StoreError> {
    let Some(main) = tx.decision(decision).await? else {
        return Ok(false);
    };
    for row in tx.decisions_beside(&main).await? {
        let is_own = row.person.is_some_and(|person| ids.contains(&person));
        if is_own && names(&row, consent)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn names(row: &DecisionRow, consent: &str) -> Result<bool, StoreError> {
    let items = answer_of(row)?.items.into_iter();
    Ok(items
        .filter(|item| item.outcome == Verdict::Permit)
        .flat_map(|item| item.regimes)
        .any(|regime| regime.consent.as_deref() == Some(consent)))
}

/// Notes who relies on a consent by a message: its recipient, and who asked for it to be told.
async fn note(
    core: &Core,
    tx: &mut Tx,
    found: &mut BTreeMap<SystemId, Reliance>,
    row: &OutboxRow,
    (person, is_told): (PersonId, bool),
) -> Result<(), StoreError> {
    let Some(proposal) = proposal_of(row) else {
        return Ok(());
    };
    let holder = found.entry(proposal.recipient_system).or_default();
    holder.messages.insert(row.id);
    if is_told {
        holder.people.insert(person);
        holder.knows = true;
    } else {
        // Whether it will be told of this person is decided at the attempt.
        holder.after.get_or_insert(proposal.case);
    }
    // Only a referral was asked for by its sender's own workers: they know of it. That something else is told of their
    // client, they may not even know.
    let OutboundBody::Referral(view) = proposal.body else {
        return Ok(());
    };
    let referral = tx.get::<ReferralDoc>(&view.referral.to_string()).await?;
    let is_own = |one: &ReferralDoc| core.organization_of(&one.source) == Some(proposal.sender);
    if let Some(referral) = referral.filter(is_own) {
        let id = referral.id.to_string();
        let source = found.entry(referral.source).or_default();
        source.referrals.insert(referral.source_ref.unwrap_or(id));
        source.people.insert(person);
        source.knows = true;
    }
    Ok(())
}

async fn proposal(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
    system: &SystemId,
    reliance: Reliance,
    (days, last_day): (u16, Date),
) -> Result<Option<Proposal>, StoreError> {
    let Some(recipient) = core.organization_of(system) else {
        return Ok(None);
    };
    let consent = document.directive.id.to_string();
    let persons: Vec<PersonId> = reliance.people.into_iter().collect();
    // By the recipient's own ids alone: a person whom it does not know under one of its own is not named.
    let mut people = compose::people(tx, &persons, system, system).await?;
    for one in &mut people {
        one.view = compose::ids_only(&one.view);
    }
    let gateway = core.gateway_organization();
    let body = compose::item("body", Part::Body, Category::PersonIndex, &gateway, None);
    let own_case = format!("consent:{consent}");
    Ok(Some(Proposal {
        sender: gateway,
        recipient,
        recipient_system: system.clone(),
        action: Action::Notify,
        people,
        recipient_case: referrals::recipient_case(tx, &persons, system).await?,
        // Who waits for its first message learns of the consent by that, not before.
        case: reliance
            .after
            .filter(|_| !reliance.knows)
            .unwrap_or(own_case),
        effect_key: format!("consent-reminder:{consent}:{days}"),
        items: vec![body],
        body: OutboundBody::ConsentReminder(Box::new(ConsentReminderView {
            consent,
            last_day,
            messages: reliance.messages.into_iter().collect(),
            referrals: reliance.referrals.into_iter().collect(),
        })),
        referral: None,
        episode: None,
    }))
}

/// Whether a message is no reminder, or what it reminds of is still so: the consent counts and ends on the day that is
/// said. Takes out the messages that never got there or were recalled; nothing is left to say when none is left.
///
/// # Errors
/// When the store fails.
pub(crate) async fn still_holds(
    core: &Core,
    tx: &mut Tx,
    proposal: &mut Proposal,
) -> Result<bool, StoreError> {
    let OutboundBody::ConsentReminder(view) = &mut proposal.body else {
        return Ok(true);
    };
    let document = tx.get::<DirectiveDoc>(&view.consent).await?;
    if document.and_then(|document| last_day(core, &document)) != Some(view.last_day) {
        return Ok(false);
    }
    let mut held = Vec::new();
    for message in &view.messages {
        let disclosure = tx.get::<DisclosureDoc>(&message.to_string()).await?;
        held.extend(disclosure.filter(|one| !one.is_recalled).map(|_| *message));
    }
    view.messages = held;
    Ok(!(view.messages.is_empty() && view.referrals.is_empty()))
}
