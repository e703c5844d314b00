//! What of a lane may be told now: each message is decided again before its attempt.

use jiff::Timestamp;
use tandem_adapter_port::outbound::Outbound;
use tandem_consent::Action;
use tandem_mappings::model::id::PersonId;

use super::backoff;
use crate::pipeline::core::Core;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::{canary, compose, reminders, tell, version};
use crate::store::{AttemptRow, OutboxRow, OutboxState, Stage, StoreError, Tx};

/// A message that may be told now.
pub(super) struct Ready {
    pub(super) row: OutboxRow,
    pub(super) proposal: Proposal,
    pub(super) outbound: Outbound,
    pub(super) permitted: Vec<String>,
    pub(super) people: Vec<PersonId>,
}

/// Decides each message again, on a snapshot taken now. What may no longer be told is withdrawn; one that can't be decided,
/// since something on which it rests can't be read, is tried again later and holds up no other case.
pub(super) async fn decide(
    core: &Core,
    rows: Vec<OutboxRow>,
    now: Timestamp,
) -> Result<Vec<Ready>, StoreError> {
    let mut ready = Vec::new();
    for row in rows {
        match decide_one(core, &row, now).await {
            Ok(found) => ready.extend(found),
            Err(error @ (StoreError::Seal(_) | StoreError::Shape { .. })) => {
                try_later(core, &row, &error, now).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ready)
}

/// Lets a message wait that can't be decided now. That is no attempt, and uses up none.
async fn try_later(
    core: &Core,
    row: &OutboxRow,
    error: &StoreError,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::error!(message = %row.id, lane = %row.lane, %error, "a message cannot be decided; it is tried again");
    let wait = backoff::wait(&core.loaded.config.delivery, row.attempts.max(1));
    let waiting = OutboxRow {
        state: OutboxState::Failed,
        due_at: now.checked_add(wait).unwrap_or(now),
        fault: Some("ours".to_owned()),
        note: Some(format!("cannot be decided: {error}")),
        ..row.clone()
    };
    let mut tx = core.store.begin().await?;
    tx.move_outbox(&waiting, row.state, now).await?;
    tx.commit().await
}

/// Decides one message; `None` when it is not told now.
async fn decide_one(
    core: &Core,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Option<Ready>, StoreError> {
    let mut tx = core.store.begin().await?;
    let found = tx.outbox(row.id).await?;
    if found.is_none_or(|found| found.state != row.state) {
        // It was withdrawn since it was found due.
        return Ok(None);
    }
    let Ok(mut proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
        // Written by another version of the program: held for an operator, so that its case keeps its order.
        let parked = OutboxRow {
            fault: Some("ours".to_owned()),
            ..ended(
                row,
                OutboxState::Parked,
                "the stored message has an unknown shape",
            )
        };
        tx.move_outbox(&parked, row.state, now).await?;
        tx.commit().await?;
        return Ok(None);
    };
    // The canary is nobody, so that there is nobody of today either.
    let is_canary = canary::is_one(row);
    if !is_canary && let Some(why) = gone(core, &mut tx, row, &mut proposal).await? {
        let withdrawn = ended(row, OutboxState::Withdrawn, why);
        tx.move_outbox(&withdrawn, row.state, now).await?;
        tx.commit().await?;
        return Ok(None);
    }
    compose::complete(&mut tx, &mut proposal).await?;
    let ruling = tell::weigh(core, &mut tx, row.id, &proposal, now).await?;
    ruling.record(core, &mut tx, Stage::Attempt, now).await?;
    let (permitted, people) = (ruling.permitted(), ruling.told_people(&proposal));
    if is_canary {
        canary::seen(core, "attempt", ruling.outbound.is_some());
        tx.remove_outbox(row.id).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let Some(mut outbound) = ruling.outbound else {
        let withdrawn = ended(row, OutboxState::Withdrawn, "may no longer be told");
        tx.move_outbox(&withdrawn, row.state, now).await?;
        let attempt = AttemptRow {
            message: row.id,
            number: 0,
            started_at: now,
            ended_at: now,
            outcome: "withdrawn".to_owned(),
            fault: None,
            note: None,
            decision: ruling.decision,
        };
        tx.add_attempt(&attempt).await?;
        tx.commit().await?;
        return Ok(None);
    };
    tx.commit().await?;
    outbound.created_at = row.created_at;
    Ok(Some(Ready {
        row: row.clone(),
        proposal,
        outbound,
        permitted,
        people,
    }))
}

fn ended(row: &OutboxRow, state: OutboxState, why: &str) -> OutboxRow {
    OutboxRow {
        state,
        note: Some(why.to_owned()),
        ..row.clone()
    }
}

/// Why a message has nothing to say any more, whatever may be told.
async fn gone(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    proposal: &mut Proposal,
) -> Result<Option<&'static str>, StoreError> {
    if !names_people_of_today(core, tx, row, proposal).await? {
        return Ok(Some(
            "the records on which it rested do not belong together",
        ));
    }
    if !reminders::still_holds(core, tx, proposal).await? {
        return Ok(Some("the consent does not end so any more"));
    }
    Ok(None)
}

/// Links may have changed since the message was written: it then means the persons of today, or nobody.
async fn names_people_of_today(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    proposal: &mut Proposal,
) -> Result<bool, StoreError> {
    if proposal.action == Action::Notify {
        // Ids and duties for whoever holds a copy, under whatever link it was told.
        return Ok(true);
    }
    let version = version::of_decision(tx, row.decision).await?;
    version::renew(core, tx, proposal, version).await
}
