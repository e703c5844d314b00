//! Parked events try again, each in its place in the order of acceptance.

use super::{Conditions, Counts};
use crate::store::{ParkedRow, ReplayRow, StoreError, Tx};

/// Events that are looked at in one transaction.
const PART: i64 = 500;

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
        part.chosen.iter().for_each(|_| counts.foresee(None));
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
        tx.unpark_event(event.position).await?;
        tx.add_to_replay(row.id, event.id.0, None).await?;
    }
    row.is_done = part.reached.is_none();
    row.at_position = part.reached.unwrap_or(row.up_to);
    Ok(())
}
