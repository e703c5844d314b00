//! What of a lane may be told now: each message is decided again before its attempt.

use jiff::Timestamp;
use tandem_adapter_port::outbound::Outbound;
use tandem_consent::Action;
use tandem_mappings::model::id::{DecisionId, PersonId};

use crate::pipeline::core::Core;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::{canary, compose, tell, version};
use crate::store::{AttemptRow, OutboxRow, OutboxState, Stage, StoreError, Tx};

/// A message that may be told now.
pub(super) struct Ready {
    pub(super) row: OutboxRow,
    pub(super) proposal: Proposal,
    pub(super) outbound: Outbound,
    /// The decision before this attempt.
    pub(super) decision: DecisionId,
    pub(super) permitted: Vec<String>,
    pub(super) people: Vec<PersonId>,
}

/// Decides each message again, on what is committed now. What may no longer be told is withdrawn. When this returns, the
/// decisions are durable.
pub(super) async fn decide(
    core: &Core,
    rows: Vec<OutboxRow>,
    now: Timestamp,
) -> Result<Vec<Ready>, StoreError> {
    let mut ready = Vec::new();
    let mut handed = Vec::with_capacity(rows.len());
    for row in rows {
        let mut tx = core.store.begin().await?;
        ready.extend(Box::pin(decide_one(core, &mut tx, row, now)).await?);
        handed.push(tx.hand_in().await?);
    }
    for one in handed {
        one.durable().await?;
    }
    Ok(ready)
}

async fn decide_one(
    core: &Core,
    tx: &mut Tx,
    row: OutboxRow,
    now: Timestamp,
) -> Result<Option<Ready>, StoreError> {
    let found = tx.outbox(row.id).await?;
    if found.is_none_or(|found| found.state != row.state) {
        // It was withdrawn since it was found due.
        return Ok(None);
    }
    let Ok(mut proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
        // Written by another version of the program: held for an operator, so that its case keeps its order.
        let parked = OutboxRow {
            state: OutboxState::Parked,
            fault: Some("ours".to_owned()),
            note: Some("the stored message has an unknown shape".to_owned()),
            ..row.clone()
        };
        tx.move_outbox(&parked, row.state, now).await?;
        return Ok(None);
    };
    // The canary is nobody, so that there is nobody of today either.
    let is_canary = canary::is_one(&row);
    if !is_canary && !names_people_of_today(core, tx, &row, &mut proposal).await? {
        withdraw(
            tx,
            &row,
            "the records on which it rested do not belong together",
            now,
        )
        .await?;
        return Ok(None);
    }
    compose::complete(tx, &mut proposal).await?;
    let ruling = tell::weigh(core, tx, row.id, &proposal, now).await?;
    ruling.record(core, tx, Stage::Attempt, now).await?;
    let (permitted, people) = (ruling.permitted(), ruling.told_people(&proposal));
    if is_canary {
        canary::seen(core, "attempt", ruling.outbound.is_some());
        tx.remove_outbox(row.id).await?;
        return Ok(None);
    }
    let Some(mut outbound) = ruling.outbound else {
        withdraw(tx, &row, "may no longer be told", now).await?;
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
        return Ok(None);
    };
    // A message that is tried again says what it said: its reader knows it by its id and refuses another content under it.
    outbound.created_at = row.created_at;
    let decision = std::mem::replace(&mut outbound.decision, row.decision);
    Ok(Some(Ready {
        row,
        proposal,
        outbound,
        decision,
        permitted,
        people,
    }))
}

async fn withdraw(
    tx: &mut Tx,
    row: &OutboxRow,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let withdrawn = OutboxRow {
        state: OutboxState::Withdrawn,
        note: Some(why.to_owned()),
        ..row.clone()
    };
    tx.move_outbox(&withdrawn, row.state, now).await?;
    Ok(())
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
