//! Messages go back into their lanes: lane by lane in the order in which they were written, each part in a transaction of its own with
//! how far it came. A message keeps its place in the order of its case, its id, and the decision before each attempt.

use jiff::Timestamp;
use tandem_adapter_port::format::Format;
use tandem_mappings::model::id::SystemId;

use super::{Conditions, Counts};
use crate::pipeline::core::Core;
use crate::store::{Choice, OutboxState, ReplayRow, StoreError, Tx};

/// Messages that are looked at in one transaction.
const PART: i64 = 500;

impl Conditions {
    fn states(&self) -> &'static [OutboxState] {
        if self.delivered {
            &[
                OutboxState::Parked,
                OutboxState::Delivered,
                OutboxState::Acknowledged,
            ]
        } else {
            &[OutboxState::Parked]
        }
    }

    /// The lanes that are looked at, in the order of their names.
    fn lanes<'a>(&'a self, core: &'a Core) -> impl Iterator<Item = &'a str> {
        let systems = core.loaded.config.systems.iter();
        let told = systems.filter(|(_, system)| system.output.is_some());
        let names = told.map(|(id, _)| id);
        names
            .filter(|id| self.destination.as_ref().is_none_or(|wanted| wanted == *id))
            .map(SystemId::as_str)
    }
}

/// A place in the order in which a replay looks at messages.
struct Place {
    lane: String,
    position: i64,
}

/// A part of the messages that a replay looks at.
struct Part {
    chosen: Vec<Choice>,
    lane: String,
    /// Where the next part begins; `None` after the last.
    next: Option<Place>,
}

/// The next part from a place on.
async fn part(
    core: &Core,
    tx: &mut Tx,
    conditions: &Conditions,
    from: &Place,
    up_to: i64,
) -> Result<Option<Part>, StoreError> {
    let mut lanes = conditions
        .lanes(core)
        .skip_while(|lane| *lane < from.lane.as_str());
    let Some(lane) = lanes.next() else {
        return Ok(None);
    };
    let after = if lane == from.lane { from.position } else { 0 };
    let (mut found, mut seen_to) = (Vec::new(), up_to);
    for state in conditions.states() {
        let rows = tx.choices(lane, *state, after, up_to, PART).await?;
        // Of a state of which more follow nothing beyond its last is looked at yet, so that the order is kept.
        let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= PART);
        if let Some(last) = rows.last().filter(|_| is_full) {
            seen_to = seen_to.min(last.position);
        }
        found.extend(rows);
    }
    found.retain(|choice| choice.position <= seen_to && conditions.choose_message(choice));
    found.sort_by_key(|choice| choice.position);
    let next = if seen_to < up_to {
        Some(Place {
            lane: lane.to_owned(),
            position: seen_to,
        })
    } else {
        lanes.next().map(|lane| Place {
            lane: lane.to_owned(),
            position: 0,
        })
    };
    Ok(Some(Part {
        chosen: found,
        lane: lane.to_owned(),
        next,
    }))
}

/// Why a message is left as it is: the row of an HMIS file has no message id by which a repeat is known, and would be
/// written a second time.
fn obstacle(core: &Core, lane: &str, state: OutboxState) -> Option<&'static str> {
    let system = lane.parse().ok();
    let format = system.and_then(|lane| core.system(&lane)?.output.as_deref());
    let was_delivered = state != OutboxState::Parked;
    (was_delivered && format == Some(Format::HmisCsv.name())).then_some("cannot-be-delivered-again")
}

/// What a replay would do now.
pub(super) async fn foresee(
    core: &Core,
    tx: &mut Tx,
    conditions: &Conditions,
) -> Result<Counts, StoreError> {
    let up_to = tx.last_of_outbox().await?;
    let mut counts = Counts::default();
    let mut next = Some(Place {
        lane: String::new(),
        position: 0,
    });
    while let Some(place) = next {
        let Some(part) = part(core, tx, conditions, &place, up_to).await? else {
            break;
        };
        for choice in &part.chosen {
            counts.foresee(obstacle(core, &part.lane, choice.state));
        }
        next = part.next;
    }
    Ok(counts)
}

/// Puts the next part back into its lanes.
pub(super) async fn put_back(
    core: &Core,
    tx: &mut Tx,
    conditions: &Conditions,
    row: &mut ReplayRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let place = Place {
        lane: row.at_lane.clone(),
        position: row.at_position,
    };
    let part = part(core, tx, conditions, &place, row.up_to).await?;
    let (chosen, lane, next) = match part {
        Some(part) => (part.chosen, part.lane, part.next),
        None => (Vec::new(), String::new(), None),
    };
    for choice in chosen {
        let why = obstacle(core, &lane, choice.state);
        if why.is_none() {
            tx.requeue(choice.id, choice.state, now).await?;
        }
        tx.add_to_replay(row.id, choice.id.0, why).await?;
    }
    row.is_done = next.is_none();
    if let Some(next) = next {
        (row.at_lane, row.at_position) = (next.lane, next.position);
    }
    Ok(())
}
