//! What of a lane may be told now: each message is decided again before its attempt.
//!
//! It is decided in a snapshot, beside the writers, and written in the destination's form. What it rests on may change before that is
//! noted; then it is decided once more while nobody else writes, and told only if that comes to the same.

use std::time::Instant;

use jiff::Timestamp;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_consent::Action;
use tandem_mappings::model::id::{DecisionId, MessageId, PersonId, SystemId};

use super::carry::Carried;
use super::lane::Lane;
use super::outcome::{self, Attempted};
use super::{STALE, backoff};
use crate::pipeline::core::Core;
use crate::pipeline::proposal::Proposal;
use crate::pipeline::tell::Ruling;
use crate::pipeline::{canary, compose, recall, reminders, tell, version};
use crate::store::{AttemptRow, Entry, NewDecision, OutboxRow, OutboxState, Stage, StoreError, Tx};
use crate::traces::{Field, Open, Step};

/// A message that may be told now: that is noted, and that it is handed over.
pub(super) struct Ready {
    pub(super) row: OutboxRow,
    told: Told,
    /// The attempt as a step that is traced.
    attempt: Open,
}

/// What may be told in an attempt.
pub(super) struct Told {
    recipient: SystemId,
    /// The decision before the attempt.
    decision: DecisionId,
    /// How often what it rests on had changed by then.
    basis: i64,
    permitted: Vec<String>,
    people: Vec<PersonId>,
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
            row: self.row,
            recipient: self.told.recipient,
            permitted: self.told.permitted,
            people: self.told.people,
            decision: self.told.decision,
            basis: self.told.basis,
            started_at,
            file,
            delivery: handed.delivery,
            response: handed.response,
            may_have_arrived: handed.may_have_arrived,
            attempt: self.attempt,
        }
    }
}

/// A message before its attempt, weighed and not noted yet.
pub(super) struct Draft {
    row: OutboxRow,
    found: Found,
    /// The attempt as a step that is traced.
    pub(super) attempt: Open,
}

impl Draft {
    /// What would be told of it. The canary is decided like a message, and never told.
    pub(super) fn outbound(&self) -> Option<&Outbound> {
        match &self.found {
            Found::Ruled(ruled) if !canary::is_one(&self.row) => ruled.ruling.outbound.as_ref(),
            _ => None,
        }
    }
}

/// What is known of a message before its attempt.
#[derive(PartialEq)]
enum Found {
    /// Written by another version of the program.
    UnknownShape,
    /// It has nothing to say any more, whatever may be told.
    Gone(&'static str),
    /// What may be told of it.
    Ruled(Box<Ruled>),
}

struct Ruled {
    recipient: SystemId,
    people: Vec<PersonId>,
    ruling: Ruling,
    /// The decisions as they are recorded.
    decisions: Vec<NewDecision>,
}

/// Two that tell the same, whenever they were decided.
impl PartialEq for Ruled {
    fn eq(&self, other: &Self) -> bool {
        self.recipient == other.recipient
            && self.people == other.people
            && self.ruling.outbound == other.ruling.outbound
    }
}

/// Messages that go together, weighed in a snapshot.
pub(super) struct Drafts {
    pub(super) all: Vec<Draft>,
    basis: i64,
    /// Since when they are weighed, by a clock that nobody sets.
    begun: Instant,
}

impl Drafts {
    /// Whether all were decided by these rules: some may have been in force for a moment and never have become durable.
    fn are_by(&self, rules: &str) -> bool {
        self.all.iter().all(|draft| match &draft.found {
            Found::Ruled(ruled) => ruled.decisions.iter().all(|one| one.bundle == rules),
            _ => true,
        })
    }
}

/// Weighs messages in a snapshot, beside the writers. One that can't be decided, since something on which it rests can't be
/// read, is tried again later and holds up no other case.
///
/// # Errors
/// When the store fails.
pub(super) async fn weigh(
    core: &Core,
    rows: Vec<OutboxRow>,
    now: Timestamp,
) -> Result<Drafts, StoreError> {
    let begun = Instant::now();
    let mut snapshot = core.store.snapshot().await?;
    let basis = snapshot.basis().await?;
    let (mut all, mut undecided) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        if snapshot.untried_state(row.id).await? != Some(row.state) {
            // It was withdrawn since it was found due, or another gateway tries it.
            continue;
        }
        let attempt = core.traces.begin(Step::Attempt, row.trace.as_ref());
        attempt.note(Field::Message, row.id);
        attempt.note(Field::Lane, &row.lane);
        attempt.note(Field::Kind, &row.kind);
        let found = Box::pin(look(core, &mut snapshot, &row, now));
        match attempt.around(found).await {
            Ok(found) => all.push(Draft {
                row,
                found,
                attempt,
            }),
            Err(error) if cannot_be_read(&error) => undecided.push((row, error)),
            Err(error) => return Err(error),
        }
    }
    drop(snapshot);
    for (row, error) in undecided {
        try_later(core, &row, &error, now).await?;
    }
    Ok(Drafts { all, basis, begun })
}

const fn cannot_be_read(error: &StoreError) -> bool {
    matches!(error, StoreError::Seal(_) | StoreError::Shape { .. })
}

/// What is decided of messages that go together, and which files carry them: durable before anything is handed over.
pub(super) struct Decided {
    drafts: Drafts,
    /// The messages that are handed over if they may be told, each with its file.
    handed: Vec<(MessageId, Option<String>)>,
    now: Timestamp,
}

impl Entry for Decided {
    const IS_AWAITED: bool = false;
    type By = Core;
    /// What may be told of each; `None` when something has changed meanwhile and nothing was noted.
    type Noted = Option<Vec<Option<Told>>>;

    async fn note(&self, core: &Core, tx: &mut Tx) -> Result<Self::Noted, StoreError> {
        for draft in &self.drafts.all {
            if tx.untried_state(draft.row.id).await? != Some(draft.row.state) {
                return Ok(None);
            }
        }
        let basis = tx.basis().await?;
        let mut anew = Vec::new();
        if basis != self.drafts.basis || !self.drafts.are_by(core.judge.bundle().hash()) {
            for draft in &self.drafts.all {
                let found = Box::pin(look(core, tx, &draft.row, self.now)).await?;
                if found != draft.found {
                    return Ok(None);
                }
                anew.push(found);
            }
        }
        let mut all = Vec::with_capacity(self.drafts.all.len());
        for (at, draft) in self.drafts.all.iter().enumerate() {
            let found = anew.get(at).unwrap_or(&draft.found);
            let noting = Box::pin(note(core, tx, draft, found, basis, self.now));
            let told = draft.attempt.around(noting).await?;
            let file = self.handed.iter().find(|(id, _)| *id == draft.row.id);
            if let (Some(_), Some((id, file))) = (&told, file) {
                tx.hand_over(*id, file.as_deref(), self.now).await?;
            }
            all.push(told);
        }
        Ok(Some(all))
    }
}

/// Notes what was decided, and what is handed over from now on. What may no longer be told is withdrawn. Nothing is ready when
/// something has changed since the messages were weighed: they are looked at again in the lane's next turn.
///
/// # Errors
/// When the store fails.
pub(super) async fn decide(
    core: &Core,
    lane: &Lane,
    drafts: Drafts,
    handed: Vec<(MessageId, Option<String>)>,
    now: Timestamp,
) -> Result<Vec<Ready>, StoreError> {
    let without_content = |draft: &Draft| OutboxRow {
        content: Vec::new(),
        ..draft.row.clone()
    };
    let rows: Vec<OutboxRow> = drafts.all.iter().map(without_content).collect();
    let decided = Decided {
        drafts,
        handed,
        now,
    };
    let begun = decided.drafts.begun;
    let (decided, told) = match lane.gate.decided.note(&core.store, core, decided).await {
        Ok(noted) => noted,
        Err(error) if cannot_be_read(&error) => {
            for row in rows {
                try_later(core, &row, &error, now).await?;
            }
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let all = decided.drafts.all.into_iter().zip(told.unwrap_or_default());
    let ready = all.filter_map(|(draft, told)| {
        let Some(told) = told else {
            draft.attempt.note(Field::Outcome, "withdrawn");
            return None;
        };
        Some(Ready {
            row: draft.row,
            told,
            attempt: draft.attempt,
        })
    });
    let ready: Vec<Ready> = ready.collect();
    if begun.elapsed() < STALE {
        return Ok(ready);
    }
    let text = "the decision was noted too late to be acted upon".to_owned();
    let late = Carried::of(Delivery::Retry {
        fault: Fault::Ours,
        after: None,
        text,
    });
    let late = ready
        .into_iter()
        .map(|one| one.attempted(now, None, late.clone()));
    outcome::all_ended(core, lane, late.collect(), Vec::new()).await?;
    Ok(Vec::new())
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
    let mut ruling = tell::weigh(core, tx, row.id, &proposal, now).await?;
    if let Some(outbound) = &mut ruling.outbound {
        // A message that is tried again says what it said: its reader knows it by its id and refuses another content under it.
        outbound.created_at = row.created_at;
        outbound.decision = row.decision;
    }
    Ok(Found::Ruled(Box::new(Ruled {
        people: ruling.told_people(&proposal),
        recipient: proposal.recipient_system,
        decisions: ruling.rows(Stage::Attempt, now)?,
        ruling,
    })))
}

/// Notes what was decided of a message. Returns what may be told of it.
async fn note(
    core: &Core,
    tx: &mut Tx,
    draft: &Draft,
    found: &Found,
    basis: i64,
    now: Timestamp,
) -> Result<Option<Told>, StoreError> {
    let row = &draft.row;
    let ruled = match found {
        Found::UnknownShape => {
            // Held for an operator, so that its case keeps its order.
            let why = "the stored message has an unknown shape";
            let parked = OutboxRow {
                fault: Some("ours".to_owned()),
                ..ended(row, OutboxState::Parked, why)
            };
            if tx.move_outbox(&parked, row.state, now).await? {
                outcome::record(core, tx, &parked, now).await?;
            }
            return Ok(None);
        }
        Found::Gone(why) => {
            let withdrawn = ended(row, OutboxState::Withdrawn, why);
            tx.move_outbox(&withdrawn, row.state, now).await?;
            recall::if_held(core, tx, &withdrawn, now).await?;
            return Ok(None);
        }
        Found::Ruled(ruled) => ruled,
    };
    let ruling = &ruled.ruling;
    for decision in &ruled.decisions {
        tx.add_decision(decision.clone()).await?;
    }
    if canary::is_one(row) {
        canary::seen(core, "attempt", ruling.outbound.is_some());
        tx.remove_outbox(row.id).await?;
        return Ok(None);
    }
    if ruling.outbound.is_none() {
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
    }
    Ok(Some(Told {
        recipient: ruled.recipient.clone(),
        decision: ruling.decision,
        basis,
        permitted: ruling.permitted(),
        people: ruled.people.clone(),
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
