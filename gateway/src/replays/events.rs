//! Parked events try again, each in its place in the order of acceptance.
//!
//! What the system has told since must not be taken back by them: one is left as it is when its record was sealed or withdrawn since,
//! or a later event about the same record or case took effect.

use jiff::Timestamp;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{RecordKey, SourceCaseId, SourcePersonId};

use super::{Conditions, Counts};
use crate::state::forgotten::ForgottenDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::record::{RecordDoc, Standing};
use crate::store::{ParkedRow, ReplayRow, StoreError, Tx};

/// Events that are looked at in one transaction.
const PART: i64 = 500;
/// Why an event is left as it is that would bring in what must not enter any more, or might.
const SEALED_SINCE: &str = "something-was-sealed-since";
/// Why an event is left as it is that would write over what was told after it.
const SUPERSEDED: &str = "a-later-event-took-effect";
/// Why an event is left as it is while nobody can say what is known.
const UNREADABLE: &str = "cannot-be-read";

/// A part of the events that a replay looks at.
struct Part {
    chosen: Vec<ParkedRow>,
    /// The position of the last that was looked at; `None` when there are no more.
    reached: Option<i64>,
}

async fn part(
    tx: &mut Tx,
    conditions: &Conditions,
    after: i64,
    up_to: i64,
) -> Result<Part, StoreError> {
    let mut chosen = tx.parked_events(after, up_to, PART).await?;
    let is_full = i64::try_from(chosen.len()).is_ok_and(|count| count >= PART);
    let reached = chosen.last().filter(|_| is_full).map(|last| last.position);
    chosen.retain(|event| conditions.choose_event(event));
    Ok(Part { chosen, reached })
}

/// What a replay would do now.
pub(super) async fn foresee(tx: &mut Tx, conditions: &Conditions) -> Result<Counts, StoreError> {
    let up_to = tx.last_position().await?;
    let (mut counts, mut next) = (Counts::default(), Some(0));
    while let Some(after) = next {
        let part = part(tx, conditions, after, up_to).await?;
        for event in &part.chosen {
            counts.foresee(obstacle(tx, event.position).await?);
        }
        next = part.reached;
    }
    Ok(counts)
}

/// Lets the next part try again.
pub(super) async fn put_back(
    tx: &mut Tx,
    conditions: &Conditions,
    row: &mut ReplayRow,
) -> Result<(), StoreError> {
    let part = part(tx, conditions, row.at_position, row.up_to).await?;
    for event in part.chosen {
        let why = obstacle(tx, event.position).await?;
        if why.is_none() {
            tx.unpark_event(event.position).await?;
        }
        tx.add_to_replay(row.id, event.id.0, why).await?;
    }
    row.is_done = part.reached.is_none();
    row.at_position = part.reached.unwrap_or(row.up_to);
    Ok(())
}

/// Why an event is left as it is.
async fn obstacle(tx: &mut Tx, position: i64) -> Result<Option<&'static str>, StoreError> {
    let found = match tx.kept_event(position).await {
        Ok(Some(event)) => overtaken(tx, &event).await,
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    match found {
        Err(StoreError::Seal(_) | StoreError::Shape { .. }) => Ok(Some(UNREADABLE)),
        found => found,
    }
}

/// What has come since that an event must not take back.
async fn overtaken(tx: &mut Tx, event: &Event) -> Result<Option<&'static str>, StoreError> {
    let own = event.told.source_person_id.as_ref();
    // What is gone may be told to be gone at any time.
    if matches!(
        event.told.body,
        Body::RecordSealed(_) | Body::RecordWithdrawn(_)
    ) {
        return Ok(None);
    }
    match (&event.told.body, own) {
        (Body::RecordReceived(_), Some(person)) => of_record(tx, event, person).await,
        (Body::HouseholdMembership(member), _) => {
            for person in [Some(&member.person), member.relative.as_ref()] {
                if is_gone(tx, event, person).await? {
                    return Ok(Some(SEALED_SINCE));
                }
            }
            Ok(None)
        }
        (
            Body::EnrollmentActive(case)
            | Body::EnrollmentEnded(case)
            | Body::CaseOpened(case)
            | Body::CaseClosed(case),
            _,
        ) => {
            for person in own.into_iter().chain(&case.people) {
                if is_sealed(tx, event, person).await? {
                    return Ok(Some(SEALED_SINCE));
                }
            }
            of_case(tx, event, &case.case).await
        }
        (_, Some(person)) => Ok(is_sealed(tx, event, person).await?.then_some(SEALED_SINCE)),
        (_, None) => Ok(None),
    }
}

async fn of_record(
    tx: &mut Tx,
    event: &Event,
    person: &SourcePersonId,
) -> Result<Option<&'static str>, StoreError> {
    if is_gone(tx, event, Some(person)).await? {
        return Ok(Some(SEALED_SINCE));
    }
    let key = key_of(event, person);
    let known = tx.get::<RecordDoc>(&key).await?;
    after(tx, event, known.map(|known| known.received_at)).await
}

async fn of_case(
    tx: &mut Tx,
    event: &Event,
    case: &SourceCaseId,
) -> Result<Option<&'static str>, StoreError> {
    let key = InvolvementDoc::key_of(&event.system, case.as_str());
    let stamp = tx.stamp::<InvolvementDoc>(&key).await?;
    after(tx, event, stamp.map(|(_, at)| at)).await
}

/// What has come after an event, by when the last was told of the same thing. Of what nothing is known it may be that it is gone.
async fn after(
    tx: &mut Tx,
    event: &Event,
    last: Option<Timestamp>,
) -> Result<Option<&'static str>, StoreError> {
    match last {
        Some(last) => Ok((last > event.recorded_at).then_some(SUPERSEDED)),
        None => {
            let is_forgotten = ForgottenDoc::since(tx, &event.system, event.recorded_at).await?;
            Ok(is_forgotten.then_some(SEALED_SINCE))
        }
    }
}

async fn is_sealed(
    tx: &mut Tx,
    event: &Event,
    person: &SourcePersonId,
) -> Result<bool, StoreError> {
    let known = tx.get::<RecordDoc>(&key_of(event, person)).await?;
    Ok(known.is_some_and(|known| known.standing == Standing::Sealed))
}

/// Whether a record was sealed, or withdrawn since the event was told: one that was withdrawn before may have come back with it.
async fn is_gone(
    tx: &mut Tx,
    event: &Event,
    person: Option<&SourcePersonId>,
) -> Result<bool, StoreError> {
    let Some(person) = person else {
        return Ok(false);
    };
    let key = key_of(event, person);
    let Some(known) = tx.get::<RecordDoc>(&key).await? else {
        return Ok(false);
    };
    if known.standing == Standing::Withdrawn {
        let stamp = tx.stamp::<RecordDoc>(&key).await?;
        return Ok(stamp.is_some_and(|(_, at)| at >= event.recorded_at));
    }
    Ok(known.standing == Standing::Sealed)
}

fn key_of(event: &Event, person: &SourcePersonId) -> String {
    RecordDoc::key_of(&RecordKey {
        system: event.system.clone(),
        person: person.clone(),
    })
}
