//! What of a lane may be told now: each message is decided again before its attempt.

use jiff::Timestamp;
use tandem_adapter_port::outbound::Outbound;
use tandem_consent::Action;
use tandem_mappings::model::id::{DecisionId, PersonId};

use super::backoff;
use super::carry::Carried;
use super::lane::{Form, Lane};
use super::outcome::Attempted;
use crate::pipeline::core::Core;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::tell::Ruling;
use crate::pipeline::{canary, compose, recall, reminders, tell, version};
use crate::store::{AttemptRow, Handed, OutboxRow, OutboxState, Stage, StoreError, Tx};
use crate::traces::{Field, Open, Step};

/// A message that may be told now.
pub(super) struct Ready {
    pub(super) row: OutboxRow,
    pub(super) proposal: Proposal,
    pub(super) outbound: Outbound,
    /// The decision before this attempt.
    pub(super) decision: DecisionId,
    /// How often what it rests on had changed by then.
    pub(super) basis: i64,
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
            basis: self.basis,
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

/// What of some messages may be told now.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) ready: Vec<Ready>,
    /// The number of the file that carries them, in a lane of files.
    pub(super) number: Option<i64>,
    /// What is decided, and that the number is used: durable before anything is handed over.
    pub(super) noted: Noted,
}

/// What must be durable before anything is handed over.
#[derive(Default)]
pub(super) struct Noted(Vec<Handed>);

impl Noted {
    /// Begins to make it durable.
    pub(super) fn see_to_it(&mut self) {
        self.0.iter_mut().for_each(Handed::see_to_it);
    }

    /// Waits until it is.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn durable(self) -> Result<(), StoreError> {
        for one in self.0 {
            one.durable().await?;
        }
        Ok(())
    }
}

/// Decides each message again, on what is committed now. What may no longer be told is withdrawn; one that can't be decided,
/// since something on which it rests can't be read, is tried again later and holds up no other case.
pub(super) async fn decide(
    core: &Core,
    lane: &Lane,
    rows: Vec<OutboxRow>,
    now: Timestamp,
) -> Result<Decided, StoreError> {
    let mut decided = Decided::default();
    for row in rows {
        let attempt = core.traces.begin(Step::Attempt, row.trace.as_ref());
        attempt.note(Field::Message, row.id);
        attempt.note(Field::Lane, &row.lane);
        attempt.note(Field::Kind, &row.kind);
        let one = Box::pin(decide_one(core, &row, now));
        match attempt.around(one).await {
            Ok((mut tx, Some(ready))) => {
                if decided.number.is_none() && matches!(lane.form, Form::Files(_)) {
                    decided.number = Some(tx.next_sequence(&row.lane).await?);
                }
                decided.ready.push(ready);
                decided.noted.0.push(tx.hand_in()?);
            }
            Ok((tx, None)) => {
                attempt.note(Field::Outcome, "withdrawn");
                decided.noted.0.push(tx.hand_in()?);
            }
            Err(error @ (StoreError::Seal(_) | StoreError::Shape { .. })) => {
                try_later(core, &row, &error, now).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(decided)
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

/// What is known of a message before its attempt.
enum Found {
    /// Written by another version of the program.
    UnknownShape,
    /// It has nothing to say any more, whatever may be told.
    Gone(&'static str),
    /// What may be told of it.
    Ruled(Box<(Proposal, Ruling)>),
}

/// Decides one message, in a transaction that notes it; `None` when it is not told now.
///
/// It is decided in a snapshot, beside the writers. What it rests on may change before it is noted; then it is decided again, while
/// nobody else writes.
async fn decide_one(
    core: &Core,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<(Tx, Option<Ready>), StoreError> {
    let mut snapshot = core.store.snapshot().await?;
    let decided_on = snapshot.basis().await?;
    let found = look(core, &mut snapshot, row, now).await;
    drop(snapshot);
    let mut tx = core.store.begin().await?;
    if tx.outbox_state(row.id).await? != Some(row.state) {
        // It was withdrawn since it was found due.
        return Ok((tx, None));
    }
    let basis = tx.basis().await?;
    let found = match found {
        Ok(found) if basis == decided_on => found,
        _ => look(core, &mut tx, row, now).await?,
    };
    let ready = note(core, &mut tx, row, found, basis, now).await?;
    Ok((tx, ready))
}

/// What may be told of a message as things stand.
async fn look(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Found, StoreError> {
    let Ok(mut proposal) = serde_json::from_slice::<Proposal>(&row.content) else {
        return Ok(Found::UnknownShape);
    };
    // The canary is nobody, so that there is nobody of today either.
    if !canary::is_one(row)
        && let Some(why) = gone(core, tx, row, &mut proposal).await?
    {
        return Ok(Found::Gone(why));
    }
    compose::complete(tx, &mut proposal).await?;
    let ruling = tell::weigh(core, tx, row.id, &proposal, now).await?;
    Ok(Found::Ruled(Box::new((proposal, ruling))))
}

/// Notes what was decided of a message.
async fn note(
    core: &Core,
    tx: &mut Tx,
    row: &OutboxRow,
    found: Found,
    basis: i64,
    now: Timestamp,
) -> Result<Option<Ready>, StoreError> {
    let (proposal, ruling) = match found {
        Found::UnknownShape => {
            // Held for an operator, so that its case keeps its order.
            let why = "the stored message has an unknown shape";
            let parked = OutboxRow {
                fault: Some("ours".to_owned()),
                ..ended(row, OutboxState::Parked, why)
            };
            tx.move_outbox(&parked, row.state, now).await?;
            return Ok(None);
        }
        Found::Gone(why) => {
            let withdrawn = ended(row, OutboxState::Withdrawn, why);
            tx.move_outbox(&withdrawn, row.state, now).await?;
            recall::if_held(core, tx, &withdrawn, now).await?;
            return Ok(None);
        }
        Found::Ruled(ruled) => *ruled,
    };
    ruling.record(core, tx, Stage::Attempt, now).await?;
    let (permitted, people) = (ruling.permitted(), ruling.told_people(&proposal));
    if canary::is_one(row) {
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
        basis,
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
