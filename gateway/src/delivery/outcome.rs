//! Writes what came of an attempt into the store: the message's state, the attempt, what the recipient now holds, and
//! what follows for a referral.

use std::time::Duration;

use jiff::Timestamp;
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_coordination::referral::ReferralFact;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{DecisionId, MessageId, PersonId, SystemId};
use tandem_mappings::model::message::DeliveryTold;

use super::lane::Lane;
use super::response::Response;
use super::{STALE, backoff};
use crate::figures;
use crate::pipeline::core::Core;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::{recall, referrals};
use crate::state::disclosure::DisclosureDoc;
use crate::state::partner::PartnerRowDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{AttemptRow, Entry, OutboxRow, OutboxState, StoreError, Tx};
use crate::traces::{Field, Open, Step};
use crate::transport::http::ATTEMPT_LIMIT;

/// How long an attempt may be under way after it was noted that it hands a message over.
const UNDER_WAY: Duration = STALE.saturating_add(ATTEMPT_LIMIT);

/// How an attempt may end.
pub(crate) const OUTCOMES: [&str; 4] = ["delivered", "acknowledged", "retry", "park"];

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Attempted {
    /// The message as it was claimed.
    pub(super) row: OutboxRow,
    /// The system that was told.
    pub(super) recipient: SystemId,
    /// The element groups that were told.
    pub(super) permitted: Vec<String>,
    /// The people who were named.
    pub(super) people: Vec<PersonId>,
    /// The decision before the attempt.
    pub(super) decision: DecisionId,
    /// How often what it rests on had changed by then.
    pub(super) basis: i64,
    /// When it started.
    pub(super) started_at: Timestamp,
    /// The file that carried it.
    pub(super) file: Option<String>,
    /// What came of it.
    pub(super) delivery: Delivery,
    /// How the destination answered; `None` when it was not asked.
    pub(super) response: Option<Response>,
    /// Whether the destination may have it, although it has not said so.
    pub(super) may_have_arrived: bool,
    /// The attempt as a step that is traced.
    pub(super) attempt: Open,
}

/// Attempts that have ended together.
pub(super) struct Ended {
    system: SystemId,
    attempts: Vec<Attempted>,
    /// What is remembered of the partner, if it took them.
    memory: Vec<PartnerRow>,
}

impl Entry for Ended {
    const IS_AWAITED: bool = false;
    type By = Core;
    /// How each of them ended.
    type Noted = Vec<&'static str>;

    async fn note(&self, core: &Core, tx: &mut Tx) -> Result<Self::Noted, StoreError> {
        let now = core.clock.now();
        PartnerRowDoc::keep(tx, &self.system, self.memory.clone(), now).await?;
        let mut outcomes = Vec::with_capacity(self.attempts.len());
        for one in &self.attempts {
            let settled = Box::pin(settle(core, tx, one, now));
            outcomes.push(one.attempt.around(settled).await?);
        }
        Ok(outcomes)
    }
}

/// Notes how attempts ended, and what is remembered of a partner that took them.
///
/// # Errors
/// When the store fails.
pub(super) async fn all_ended(
    core: &Core,
    lane: &Lane,
    mut attempts: Vec<Attempted>,
    memory: Vec<PartnerRow>,
) -> Result<(), StoreError> {
    attempts.sort_by_key(|one| one.row.position);
    let ended = Ended {
        system: lane.system.clone(),
        attempts,
        memory,
    };
    let (_, outcomes) = lane.gate.ended.note(&core.store, core, ended).await?;
    for outcome in outcomes {
        figures::delivered(lane.system.as_str(), outcome, 1);
    }
    Ok(())
}

/// Settles an attempt. Returns how it ended.
async fn settle(
    core: &Core,
    tx: &mut Tx,
    attempted: &Attempted,
    now: Timestamp,
) -> Result<&'static str, StoreError> {
    let from = attempted.row.state;
    let mut row = attempted.row.clone();
    row.attempts += 1;
    row.is_handed = false;
    row.file = attempted.file.clone().or(row.file);
    let (outcome, fault, note) = match &attempted.delivery {
        Delivery::Delivered { .. } => {
            row.state = OutboxState::Delivered;
            ("delivered", None, None)
        }
        Delivery::Acknowledged { .. } => {
            row.state = OutboxState::Acknowledged;
            ("acknowledged", None, None)
        }
        Delivery::Retry { fault, after, text } => {
            let config = &core.loaded.config.delivery;
            let wait = backoff::wait(config, row.attempts).max(after.unwrap_or_default());
            let is_last = row.attempts >= i64::from(config.attempts);
            row.state = if is_last {
                OutboxState::Parked
            } else {
                OutboxState::Failed
            };
            row.due_at = now.checked_add(wait).unwrap_or(now);
            ("retry", Some(fault_code(*fault)), Some(text.clone()))
        }
        Delivery::Park { fault, text } => {
            row.state = OutboxState::Parked;
            ("park", Some(fault_code(*fault)), Some(text.clone()))
        }
    };
    let traced = &attempted.attempt;
    traced.note(Field::Number, row.attempts);
    traced.note(Field::Outcome, outcome);
    if let Some(response) = attempted.response {
        traced.note(Field::Response, response.code());
    }
    row.fault = fault.map(str::to_owned);
    row.note.clone_from(&note);
    let moved = match tx.move_outbox(&row, from, now).await? {
        true => Some(from),
        false => overtaken(tx, &row, now).await?,
    };
    tx.add_attempt(&AttemptRow {
        message: row.id,
        number: 0,
        started_at: attempted.started_at,
        ended_at: now,
        outcome: outcome.to_owned(),
        fault: row.fault.clone(),
        response: attempted
            .response
            .map(|response| response.code().to_owned()),
        note,
        decision: attempted.decision,
    })
    .await?;
    let was_withdrawn = match moved {
        Some(from) => from == OutboxState::Withdrawn,
        None => tx.withdrawn_attempt_ended(row.id).await?,
    };
    // Whoever took it back then took it for one that had reached nobody.
    let is_unheard_of = was_withdrawn && {
        let id = row.id.to_string();
        tx.get::<DisclosureDoc>(&id).await?.is_none()
    };
    if moved.is_none() {
        if attempted.may_have_arrived {
            disclosed(tx, attempted, now).await?;
            recall::after_attempt(core, tx, &row, was_withdrawn, now).await?;
            if is_unheard_of {
                referrals::may_be_there_after_all(core, tx, row.id, now).await?;
            }
        }
        return Ok(outcome);
    }
    record(core, tx, &row, now).await?;
    if matches!(
        row.state,
        OutboxState::Delivered | OutboxState::Acknowledged
    ) {
        disclosed(tx, attempted, now).await?;
        reached(core, tx, attempted, now).await?;
        if was_withdrawn || tx.basis().await? != attempted.basis {
            recall::after_attempt(core, tx, &row, was_withdrawn, now).await?;
        }
        if is_unheard_of {
            referrals::may_be_there_after_all(core, tx, row.id, now).await?;
        }
    } else if attempted.may_have_arrived {
        // Its answer was lost: until somebody knows better, its recipient counts as one who has it.
        disclosed(tx, attempted, now).await?;
        recall::after_attempt(core, tx, &row, false, now).await?;
    }
    if row.state == OutboxState::Acknowledged {
        let answer = core.traces.begin(Step::Acknowledge, None);
        answer.note(Field::Outcome, row.state.code());
        answer.around(acknowledged(core, tx, row.id, now)).await?;
    }
    Ok(outcome)
}

/// A message was withdrawn while its attempt ran, or another gateway that took the lane from one that stood still has noted an attempt of its
/// own, and its recipient has it all the same: that is kept, never lost. Returns where it stood.
async fn overtaken(
    tx: &mut Tx,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Option<OutboxState>, StoreError> {
    let has_reached = matches!(
        row.state,
        OutboxState::Delivered | OutboxState::Acknowledged
    );
    let states = [
        OutboxState::Withdrawn,
        OutboxState::Queued,
        OutboxState::Failed,
    ];
    for from in states.into_iter().filter(|_| has_reached) {
        if tx.move_outbox(row, from, now).await? {
            return Ok(Some(from));
        }
    }
    Ok(None)
}

fn fault_code(fault: Fault) -> &'static str {
    match fault {
        Fault::Partner => "partner",
        Fault::Ours => "ours",
        Fault::Network => "network",
    }
}

/// Records what came of an attempt, or an acknowledgement, as an event.
///
/// # Errors
/// When the store fails.
pub(super) async fn record(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Ok(target) = row.lane.parse::<SystemId>() else {
        return Ok(());
    };
    if row.state == OutboxState::Parked {
        let fault = row.fault.as_deref();
        tracing::warn!(message = %row.id, lane = %row.lane, fault, "a message is parked: its case waits until it is replayed or skipped");
    }
    let attempt = u32::try_from(row.attempts).unwrap_or(u32::MAX);
    let told = Box::new(DeliveryTold {
        message: row.id,
        target,
        attempt,
    });
    let body = match row.state {
        OutboxState::Delivered => Body::DeliverySent(told),
        OutboxState::Acknowledged => Body::DeliveryAcknowledged(told),
        OutboxState::Parked => Body::DeliveryDead(told),
        _ => Body::DeliveryFailed(told),
    };
    core.record(tx, body, now).await
}

async fn disclosed(tx: &mut Tx, attempted: &Attempted, now: Timestamp) -> Result<(), StoreError> {
    let document = DisclosureDoc {
        message: attempted.row.id,
        holder: attempted.recipient.clone(),
        people: attempted.people.clone(),
        permitted: attempted.permitted.clone(),
        decision: attempted.decision,
        is_recalled: false,
        recalled_at: None,
        is_presumed: attempted.may_have_arrived,
    };
    if document.is_presumed {
        // What it surely has is no less certain after another attempt.
        let known = tx
            .get::<DisclosureDoc>(&document.message.to_string())
            .await?;
        if known.is_some_and(|known| !known.is_presumed && !known.is_recalled) {
            return Ok(());
        }
    }
    keep(tx, &document, now).await
}

/// Keeps what a recipient has, or may have.
async fn keep(tx: &mut Tx, document: &DisclosureDoc, now: Timestamp) -> Result<(), StoreError> {
    tx.put(document, now).await?;
    let (message, holder) = (document.message.to_string(), document.holder.as_str());
    let action = if document.is_presumed {
        "message.may-have-arrived"
    } else {
        "message.delivered"
    };
    tx.audit(now, tandem_consent::GATEWAY, action, &message, holder)
        .await
}

/// Attempts of a lane that broke off with the process: nobody knows whether the recipient has the message, so that it counts as
/// one who has it. What was withdrawn meanwhile is taken back. Of a store that gateways share, one that was cut off from it may still be
/// about to end its attempts from before the lane was begun here: these are left alone until it surely has. Returns whether there
/// are such, and until when.
///
/// # Errors
/// When the store fails.
pub(super) async fn broke_off(
    core: &Core,
    lane: &SystemId,
    begun_at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut tx = core.store.begin().await?;
    let now = core.clock.now();
    let mut until: Option<Timestamp> = None;
    for mut row in tx.handed_outbox(lane.as_str()).await? {
        let ends_at = row.changed_at.checked_add(UNDER_WAY).unwrap_or(now);
        let is_anothers = core.store.is_shared() && row.changed_at < begun_at;
        if is_anothers && (row.changed_at..ends_at).contains(&now) {
            until = until.max(Some(ends_at));
            continue;
        }
        row.is_handed = false;
        tx.move_outbox(&row, row.state, now).await?;
        let known = tx.get::<DisclosureDoc>(&row.id.to_string()).await?;
        let was_held = known.is_some();
        let is_known = known.is_some_and(|known| !known.is_recalled);
        let proposal = serde_json::from_slice::<Proposal>(&row.content);
        if let (false, Ok(proposal)) = (is_known, proposal) {
            let document = DisclosureDoc {
                message: row.id,
                holder: lane.clone(),
                people: proposal.people.iter().map(|one| one.person).collect(),
                permitted: proposal.items.iter().map(|item| item.id.clone()).collect(),
                decision: row.decision,
                is_recalled: false,
                recalled_at: None,
                is_presumed: true,
            };
            keep(&mut tx, &document, now).await?;
        }
        if row.state == OutboxState::Withdrawn {
            recall::if_held(core, &mut tx, &row, now).await?;
            if !was_held {
                referrals::may_be_there_after_all(core, &mut tx, row.id, now).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(until)
}

/// The target has the request: what it called it is kept for later messages.
async fn reached(
    core: &Core,
    tx: &mut Tx,
    attempted: &Attempted,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = attempted.row.id.to_string();
    for mut document in tx.find::<ReferralDoc>("referral.message", &id).await? {
        if document.request_message != Some(attempted.row.id) {
            continue;
        }
        if let Delivery::Delivered {
            reference: Some(reference),
        }
        | Delivery::Acknowledged {
            reference: Some(reference),
        } = &attempted.delivery
        {
            document.target_ref.get_or_insert_with(|| reference.clone());
            if reference.contains("://") && !document.target_resources.contains(reference) {
                document.target_resources.push(reference.clone());
            }
        }
        // A file in the exchange folder is sent; it is delivered when the partner's system acknowledges it.
        note(core, &mut document, &ReferralFact::RequestSent { at: now });
        tx.put(&document, now).await?;
    }
    Ok(())
}

fn note(core: &Core, document: &mut ReferralDoc, fact: &ReferralFact) {
    if let Err(refused) = document.state.apply(&core.referral_rules, fact) {
        tracing::warn!(referral = %document.id, %refused, "a delivery was not noted");
    }
}

/// The recipient's own system acknowledged: a request is delivered then, and a loop is closed when it is the source
/// that acknowledged the outcome.
///
/// # Errors
/// When the store fails.
pub(super) async fn acknowledged(
    core: &Core,
    tx: &mut Tx,
    message: MessageId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for mut document in tx
        .find::<ReferralDoc>("referral.message", &message.to_string())
        .await?
    {
        if document.request_message == Some(message) {
            let fact = ReferralFact::RequestDelivered { at: now };
            note(core, &mut document, &fact);
        }
        if document.outcome_message == Some(message) {
            let fact = ReferralFact::OutcomeAcknowledged { at: now };
            note(core, &mut document, &fact);
        }
        tx.put(&document, now).await?;
    }
    Ok(())
}
