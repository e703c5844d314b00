//! The processor takes accepted events in order and lets them take effect: each in one transaction with the state it
//! changes and the messages that follow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_adapter_port::outbound::ChangeView;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{EventId, SourcePersonId};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::rejudging::Rejudging;
use super::{
    comanagement, consents, deletion, exchange, involvements, names, plans, raising, referrals,
    steps,
};
use crate::state::forgotten::ForgottenDoc;
use crate::store::{EventState, Handed, StoreError, Tx, WaitingEvent};
use crate::traces::{Field, Step};

/// How long events are taken in one turn, the wait for it included: others that write wait meanwhile, and where many do, they are
/// many who are to be answered.
const TURN: Duration = Duration::from_millis(8);

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It took effect.
    Done,
    /// It changed nothing: a repeat.
    Nothing,
    /// It tells that something is gone which nobody knew: not even its id is kept.
    Forgotten,
    /// It is our own message, read back from where we wrote it.
    Echo,
    /// A rule refused it; the text names no person.
    Refused(String),
    /// It can't take effect yet; it waits for replay.
    Parked(String),
}

/// Runs until cancelled: applies whatever waits, then waits for more.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut changed = core.changed.subscribe();
    let mut rejudging = Rejudging::default();
    loop {
        // First, so that what a steward has taught is known to whatever comes after.
        if let Err(error) = Box::pin(names::keep_up(&core)).await {
            tracing::error!(%error, "what stewards have taught could not be read; it is at the next change");
        }
        let drained = Box::pin(drain(&core)).await;
        if drained.as_ref().is_ok_and(|count| *count > 0) {
            core.wake_all_but_lanes();
        }
        let judged = Box::pin(rejudging.turn(&core)).await;
        let is_done = match drained.and_then(|count| Ok(count == 0 && !judged?)) {
            Ok(is_done) => is_done,
            Err(error) => {
                tracing::error!(%error, "the processor cannot go on; it tries again at the next change");
                true
            }
        };
        if !is_done && !stop.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.arrived.notified() => {}
            woken = changed.changed() => if woken.is_err() { return },
        }
    }
}

/// Applies the events that wait. Returns how many. Events share turns and commits; when this returns, all of them are durable.
///
/// # Errors
/// When the store fails.
pub async fn drain(core: &Core) -> Result<usize, StoreError> {
    let (waiting, closed) = core.store.snapshot().await?.waiting_each(200).await?;
    let count = waiting.len() + closed.len();
    if !closed.is_empty() {
        park_closed(core, closed).await?;
    }
    let mut handed: Vec<Taken> = Vec::new();
    let mut ended = Ok(());
    let mut rest = waiting.as_slice();
    while !rest.is_empty() {
        let taken = match Box::pin(together(core, rest, &mut handed)).await {
            Ok(taken) => taken,
            Err(error) => {
                ended = Err(error);
                break;
            }
        };
        rest = rest.get(taken.count..).unwrap_or_default();
        handed.push(taken);
    }
    for taken in handed {
        match taken.handed.durable().await {
            Ok(()) => {
                for state in taken.states {
                    metrics::counter!("tandem_events_applied_total", "state" => state.code())
                        .increment(1);
                }
            }
            Err(error) => ended = ended.and(Err(error)),
        }
    }
    ended.map(|()| count)
}

/// The first of some events, taken in one turn.
struct Taken {
    count: usize,
    /// How they came out, those apart of which nothing stays.
    states: Vec<EventState>,
    handed: Handed,
}

/// A turn after others whose events came earlier: when one of those is lost, so are its effects, and what comes later must not take
/// effect before it.
async fn turn(core: &Core, before: &mut [Taken]) -> Result<Tx, StoreError> {
    let tx = core.begin_behind().await?;
    if before.iter_mut().any(|taken| taken.handed.has_failed()) {
        let text = "the transaction of events that came earlier was lost";
        return Err(sqlx::Error::Protocol(text.to_owned()).into());
    }
    Ok(tx)
}

/// Takes as many events as a turn has time for. One that can't be handled is taken by itself, and those before it once more.
async fn together(
    core: &Core,
    waiting: &[WaitingEvent],
    before: &mut [Taken],
) -> Result<Taken, StoreError> {
    let started = Instant::now();
    let (mut count, mut states) = (0, Vec::new());
    let mut tx = turn(core, before).await?;
    for next in waiting {
        if count > 0 && started.elapsed() >= TURN {
            break;
        }
        tx.forget_cause();
        match traced(core, &mut tx, next).await {
            Ok(state) => states.extend(state),
            Err(error) => {
                drop(tx);
                return match error {
                    // It is nothing of the event's: it waits like all others.
                    StoreError::Database(_) | StoreError::OtherRules => Err(error),
                    _ if count == 0 => park(core, next, &error, before).await,
                    _ => {
                        let earlier = waiting.get(..count).unwrap_or_default();
                        Box::pin(together(core, earlier, before)).await
                    }
                };
            }
        }
        count += 1;
    }
    Ok(Taken {
        count,
        states,
        handed: tx.hand_in()?,
    })
}

/// One event that can't be handled must not hold up all others: it leaves no trace but its note.
async fn park(
    core: &Core,
    next: &WaitingEvent,
    error: &StoreError,
    before: &mut [Taken],
) -> Result<Taken, StoreError> {
    let mut tx = turn(core, before).await?;
    let mut states = Vec::new();
    if tx.claim_event(next.position).await? {
        consents::heard::in_vain(core, &mut tx, &next.event).await?;
        let why = error.to_string();
        states.push(settle(core, &mut tx, next, Applied::Parked(why), false).await?);
    }
    Ok(Taken {
        count: 1,
        states,
        handed: tx.hand_in()?,
    })
}

/// Events that do not open can't be handled by anybody, and none of the others waits for them.
async fn park_closed(
    core: &Core,
    closed: Vec<(i64, EventId, StoreError)>,
) -> Result<(), StoreError> {
    let mut tx = core.store.begin().await?;
    for (position, id, error) in closed {
        if !tx.claim_event(position).await? {
            continue;
        }
        let why = format!("it does not open: {error}");
        let state = EventState::Parked;
        tx.settle_event(position, state, Some(&why)).await?;
        note_aside(core, &mut tx, id, state, &why).await?;
        tracing::error!(position, event = %id, %error, "an event does not open; it is parked");
        metrics::counter!("tandem_events_applied_total", "state" => state.code()).increment(1);
    }
    tx.commit().await
}

async fn traced(
    core: &Core,
    tx: &mut Tx,
    next: &WaitingEvent,
) -> Result<Option<EventState>, StoreError> {
    let apply = core.traces.begin(Step::Apply, next.trace.as_ref());
    apply.note(Field::Event, next.event.id);
    apply.note(Field::System, &next.event.system);
    apply.note(Field::Kind, next.event.told.body.event_type());
    let taken = apply.around(Box::pin(take(core, tx, next))).await;
    if let Ok(Some(state)) = &taken {
        apply.note(Field::Outcome, state.code());
    }
    taken
}

/// Lets one event take effect, or notes why not. `None` when somebody else took it or nothing of it stays.
async fn take(
    core: &Core,
    tx: &mut Tx,
    next: &WaitingEvent,
) -> Result<Option<EventState>, StoreError> {
    if !tx.claim_event(next.position).await? {
        // Somebody else took it between the snapshot and this transaction.
        return Ok(None);
    }
    let (applied, waits) = take_effect(core, tx, &next.event).await?;
    if applied == Applied::Forgotten {
        tx.forget_event(next.position).await?;
        let key = next.event.told.source_event_id.as_str();
        tx.forget_key(&next.event.system, key).await?;
        ForgottenDoc::note(tx, &next.event.system, core.clock.now()).await?;
        return Ok(None);
    }
    settle(core, tx, next, applied, waits).await.map(Some)
}

/// Notes how an event came out.
async fn settle(
    core: &Core,
    tx: &mut Tx,
    next: &WaitingEvent,
    applied: Applied,
    waits: bool,
) -> Result<EventState, StoreError> {
    let (state, note) = match &applied {
        Applied::Done if waits => (EventState::Deferred, Some("waits for consent")),
        Applied::Done | Applied::Forgotten | Applied::Nothing | Applied::Echo => {
            (EventState::Applied, None)
        }
        Applied::Refused(why) => (EventState::Refused, Some(why.as_str())),
        Applied::Parked(why) => (EventState::Parked, Some(why.as_str())),
    };
    if state != EventState::Applied {
        tx.settle_event(next.position, state, note).await?;
    }
    if let Some(why) = note.filter(|_| state != EventState::Deferred) {
        note_aside(core, tx, next.event.id, state, why).await?;
    }
    Ok(state)
}

/// Notes in the audit that an event did not take effect, and why.
async fn note_aside(
    core: &Core,
    tx: &mut Tx,
    id: EventId,
    state: EventState,
    why: &str,
) -> Result<(), StoreError> {
    let action = format!("event.{}", state.code());
    let gateway = core.gateway.as_str();
    tx.audit(core.clock.now(), gateway, &action, &id.to_string(), why)
        .await
}

/// Lets one event take effect, with what follows from it. Returns whether what it asks for waits for consent as well.
async fn take_effect(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
) -> Result<(Applied, bool), StoreError> {
    let applied = apply(core, tx, event).await?;
    if applied != Applied::Done {
        return Ok((applied, false));
    }
    let waits = referrals::awaits_consent(tx, event).await?;
    if !waits {
        steps::fold(core, tx, event).await?;
        consents::heard::heard(core, tx, event).await?;
    }
    Ok((applied, waits))
}

/// Lets one event take effect by itself.
async fn apply(core: &Core, tx: &mut Tx, event: &Event) -> Result<Applied, StoreError> {
    let told = &event.told;
    if deletion::is_by_id_alone(told) && !deletion::is_known(tx, &event.system, told).await? {
        return Ok(Applied::Forgotten);
    }
    match &told.body {
        Body::RecordReceived(record) => match &told.source_person_id {
            Some(person) => involvements::record_received(core, tx, event, person, record).await,
            None => Ok(Applied::Refused(
                "a record without a person's id".to_owned(),
            )),
        },
        Body::RecordWithdrawn(_) | Body::RecordSealed(_) => match &told.source_person_id {
            Some(person) => involvements::record_gone(core, tx, event, person).await,
            None => Ok(Applied::Refused(
                "a withdrawal without a person's id".to_owned(),
            )),
        },
        Body::HouseholdMembership(member) => {
            involvements::membership(core, tx, event, member).await
        }
        Body::EnrollmentActive(case)
        | Body::EnrollmentEnded(case)
        | Body::CaseOpened(case)
        | Body::CaseClosed(case) => involvements::involvement(core, tx, event, case).await,
        Body::EnrollmentSensitive(told) => raising::raise(core, tx, event, told).await,
        Body::ReferralDrafted(request) | Body::ReferralRequested(request) => {
            referrals::requested(core, tx, event, request).await
        }
        Body::ReferralAccepted(update)
        | Body::ReferralRejected(update)
        | Body::ReferralInProgress(update)
        | Body::ReferralOnHold(update)
        | Body::ReferralClosed(update)
        | Body::ReferralCancelled(update)
        | Body::ReferralError(update) => referrals::moved(core, tx, event, &update.referral).await,
        Body::ReferralContact(contact) => {
            referrals::moved(core, tx, event, &contact.referral).await
        }
        Body::ComanagementStarted(told)
        | Body::ComanagementPaused(told)
        | Body::ComanagementEnded(told) => comanagement::told(core, tx, event, told).await,
        Body::ParticipationStatus(told) => exchange::participation(core, tx, event, told).await,
        Body::MeetingScheduled(told) | Body::MeetingHeld(told) => {
            exchange::meeting(core, tx, event, told).await
        }
        Body::AssessmentRecorded(told) => exchange::assessment(core, tx, event, told).await,
        Body::CoordinationStep(told) | Body::CoordinationIntensity(told) => {
            exchange::step(core, tx, event, told).await
        }
        Body::PlanProposed(plan)
        | Body::PlanAgreed(plan)
        | Body::PlanActive(plan)
        | Body::PlanUpdate(plan)
        | Body::PlanEnded(plan) => plans::told(core, tx, event, plan).await,
        Body::GoalUpdated(goal) => plans::goal(core, tx, event, goal).await,
        Body::ActivityUpdated(activity) => plans::activity(core, tx, event, activity).await,
        Body::FundingLine(funding) => plans::funding(core, tx, event, funding).await,
        other => change(core, tx, event, other).await,
    }
}

/// Changes that co-managing programmes exchange as they are.
async fn change(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    body: &Body,
) -> Result<Applied, StoreError> {
    let mut view = ChangeView {
        change: body.event_type().to_owned(),
        placement: None,
        reunification_plan: None,
        status: None,
        date: None,
        worker: None,
    };
    let people: Vec<SourcePersonId> = match body {
        Body::PlacementChanged(told) => {
            (view.placement, view.date) = (Some(told.change), told.date);
            view.reunification_plan = told.reunification_plan;
            vec![told.person.clone()]
        }
        Body::EmploymentChanged(told) | Body::CourtDate(told) => {
            view.date = told.date;
            vec![told.person.clone()]
        }
        Body::WorkerChanged(told) => {
            (view.worker, view.date) = (Some(told.worker.clone()), told.from);
            super::workers::changed(core, tx, event, told).await?;
            exchange::worker(tx, event, &told.people, core.clock.now()).await?;
            told.people.clone()
        }
        // Addresses are kept with the record and told with it; safety alerts go only to those with authority, by hand.
        _ => return Ok(Applied::Done),
    };
    exchange::change(core, tx, event, &people, view).await?;
    Ok(Applied::Done)
}
