//! What of a lane may be told now: each message is decided again before its attempt.

use jiff::Timestamp;
use tandem_adapter_port::outbound::Outbound;
use tandem_consent::Action;
use tandem_mappings::model::id::{DecisionId, PersonId};

use super::backoff;
use super::carry::Carried;
use super::outcome::Attempted;
use crate::pipeline::core::Core;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::{canary, compose, recall, reminders, tell, version};
use crate::store::{AttemptRow, OutboxRow, OutboxState, Stage, StoreError, Tx};
use crate::traces::{Field, Open, Step};

/// A message that may be told now.
pub(super) struct Ready {
    pub(super) row: OutboxRow,
    pub(super) proposal: Proposal,
    pub(super) outbound: Outbound,
    /// The decision before this attempt.
    pub(super) decision: DecisionId,
    pub(super) permitted: Vec<String>,
    pub(super) people: Vec<PersonId>,
    /// The attempt as a step that is traced.
    pub(super) attempt: Open,
}

impl Ready {
    /// What came of the attempt.
    pub(super) fn attempted(
        self,
        started_at: Timestamp,
        file: Option<String>,
        handed: Carried,
    ) -> Attempted {
        Attempted {
            decision: self.decision,
            row: self.row,
            proposal: self.proposal,
            permitted: self.permitted,
            people: self.people,
            started_at,
            file,
            delivery: handed.delivery,
            response: handed.response,
            may_have_arrived: handed.may_have_arrived,
            attempt: self.attempt,
        }
    }
}

/// Decides each message again, on what is committed now. What may no longer be told is withdrawn; one that can't be decided,
/// since something on which it rests can't be read, is tried again later and holds up no other case. When this returns, the
/// decisions are durable.
pub(super) async fn decide(
    core: &Core,
    rows: Vec<OutboxRow>,
    now: Timestamp,
) -> Result<Vec<Ready>, StoreError> {
    let mut ready = Vec::new();
    let mut handed = Vec::with_capacity(rows.len());
    for row in rows {
        let attempt = core.traces.begin(Step::Attempt, row.trace.as_ref());
        attempt.note(Field::Message, row.id);
        attempt.note(Field::Lane, &row.lane);
        attempt.note(Field::Kind, &row.kind);
        let mut tx = core.store.begin().await?;
        let decided = Box::pin(decide_one(core, &mut tx, &row, now));
        match attempt.around(decided).await {
            Ok(found) => {
                if found.is_none() {
                    attempt.note(Field::Outcome, "withdrawn");
                }
                ready.extend(found);
                handed.push(tx.hand_in().await?);
            }
            Err(error @ (StoreError::Seal(_) | StoreError::Shape { .. })) => {
                drop(tx);
                try_later(core, &row, &error, now).await?;
            }
            Err(error) => return Err(error),
        }
    }
    for one in handed {
        one.durable().await?;
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
        due_at: now.checked_add(wait).unwrap_or(now),
        fault: Some("ours".to_owned()),
        ..ended(
            row,
            OutboxState::Failed,
            &format!("cannot be decided: {error}"),
        )
    };
    let mut tx = core.store.begin().await?;
    tx.move_outbox(&waiting, row.state, now).await?;
    tx.commit().await
}

/// Decides one message; `None` when it is not told now.
async fn decide_one(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Option<Ready>, StoreError> {
    let found = tx.outbox(row.id).await?;
    if found.is_none_or(|found| found.state != row.state) {
        // It was withdrawn since it was found due.
        return Ok(None);
    }
    let Ok(mut proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
        // Written by another version of the program: held for an operator, so that its case keeps its order.
        let why = "the stored message has an unknown shape";
        let parked = OutboxRow {
            fault: Some("ours".to_owned()),
            ..ended(row, OutboxState::Parked, why)
        };
        tx.move_outbox(&parked, row.state, now).await?;
        return Ok(None);
    };
    // The canary is nobody, so that there is nobody of today either.
    let is_canary = canary::is_one(row);
    if !is_canary && let Some(why) = gone(core, tx, row, &mut proposal).await? {
        let withdrawn = ended(row, OutboxState::Withdrawn, why);
        tx.move_outbox(&withdrawn, row.state, now).await?;
        recall::if_held(core, tx, &withdrawn, now).await?;
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
        let withdrawn = ended(row, OutboxState::Withdrawn, "may no longer be told");
        tx.move_outbox(&withdrawn, row.state, now).await?;
        let attempt = AttemptRow {
            message: row.id,
            number: 0,
            started_at: now,
            ended_at: now,
            outcome: "withdrawn".to_owned(),
            fault: None,
            response: None,
            note: None,
            decision: ruling.decision,
        };
        tx.add_attempt(&attempt).await?;
        recall::if_held(core, tx, &withdrawn, now).await?;
        return Ok(None);
    };
    // A message that is tried again says what it said: its reader knows it by its id and refuses another content under it.
    outbound.created_at = row.created_at;
    let decision = std::mem::replace(&mut outbound.decision, row.decision);
    Ok(Some(Ready {
        row: row.clone(),
        proposal,
        outbound,
        decision,
        permitted,
        people,
        attempt: Open::here(),
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
