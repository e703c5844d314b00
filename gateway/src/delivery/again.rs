//! Replay: messages that were set aside, or delivered and lost by the partner, go back into their lanes.
//!
//! A replay looks at the messages lane by lane in the order in which they were written, a part at a time, each part in
//! a transaction of its own with how far it came. It can end after any part and go on from there. A message keeps its
//! place in the order of its case, its id, and the decision before each attempt; what is written after the replay began
//! is not chosen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_adapter_port::format::Format;
use tandem_mappings::model::id::SystemId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::pipeline::core::Core;
use crate::store::{Choice, OutboxState, ReplayRow, StoreError, Tx};

/// Messages that are looked at in one transaction.
const PART: i64 = 500;

/// By what messages are chosen: each condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// The destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub destination: Option<SystemId>,
    /// Whose fault the last failure was (`partner`, `ours`, `network`), or a part of the text that says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The case, by the key that a message shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Written at this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub since: Option<Timestamp>,
    /// Written before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Messages that were delivered as well.
    pub delivered: bool,
}

impl Conditions {
    fn chooses(&self, choice: &Choice) -> bool {
        let error = self.error.as_deref();
        let is_error = error.is_none_or(|error| {
            let says_so = |note: &String| note.contains(error);
            choice.fault.as_deref() == Some(error) || choice.note.iter().any(says_so)
        });
        let case = self.case.as_deref();
        let is_case = case.is_none_or(|case| hex::encode(&choice.case_key) == case);
        is_error
            && is_case
            && self.since.is_none_or(|since| choice.created_at >= since)
            && self.until.is_none_or(|until| choice.created_at < until)
    }

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

/// What became of the messages that were chosen: the four add up to `selected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Chosen so far.
    pub selected: i64,
    /// Put back, and waiting for an attempt. In a dry run: would be put back.
    pub queued: i64,
    /// Put back, and delivered since.
    pub delivered: i64,
    /// Put back, and parked, withdrawn or skipped since.
    pub failed: i64,
    /// Left as they were.
    pub skipped: i64,
    /// Why, with how many of each.
    pub skipped_for: BTreeMap<String, i64>,
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
    found.retain(|choice| choice.position <= seen_to && conditions.chooses(choice));
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

/// What a replay would do now. Nothing is changed.
///
/// # Errors
/// When the store fails.
pub async fn foresee(core: &Core, conditions: &Conditions) -> Result<Counts, StoreError> {
    let mut tx = core.store.snapshot().await?;
    let up_to = tx.last_of_outbox().await?;
    let mut counts = Counts::default();
    let mut next = Some(Place {
        lane: String::new(),
        position: 0,
    });
    while let Some(place) = next {
        let Some(part) = part(core, &mut tx, conditions, &place, up_to).await? else {
            break;
        };
        for choice in &part.chosen {
            counts.selected += 1;
            match obstacle(core, &part.lane, choice.state) {
                Some(why) => {
                    counts.skipped += 1;
                    *counts.skipped_for.entry(why.to_owned()).or_default() += 1;
                }
                None => counts.queued += 1,
            }
        }
        next = part.next;
    }
    Ok(counts)
}

/// Begins a replay; nothing is put back yet.
///
/// # Errors
/// When the store fails.
pub async fn begin(
    core: &Core,
    by: &str,
    conditions: &Conditions,
) -> Result<ReplayRow, StoreError> {
    let now = core.clock.now();
    let shape = |_| StoreError::Shape { kind: "replay" };
    let mut tx = core.store.begin().await?;
    let row = ReplayRow {
        id: Uuid::now_v7(),
        started_at: now,
        started_by: by.to_owned(),
        conditions: serde_json::to_string(conditions).map_err(shape)?,
        up_to: tx.last_of_outbox().await?,
        at_lane: String::new(),
        at_position: 0,
        is_done: false,
    };
    tx.put_replay(&row).await?;
    tx.audit(
        now,
        by,
        "replay.start",
        &row.id.to_string(),
        &row.conditions,
    )
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// Puts the next part of a replay back into its lanes. Returns the replay as it stands then; `None` for one that nobody
/// began.
///
/// # Errors
/// When the store fails.
pub async fn go_on(core: &Core, by: &str, id: Uuid) -> Result<Option<ReplayRow>, StoreError> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let Some(mut row) = tx.replay(id).await?.filter(|row| !row.is_done) else {
        return tx.replay(id).await;
    };
    let shape = |_| StoreError::Shape { kind: "replay" };
    let conditions: Conditions = serde_json::from_str(&row.conditions).map_err(shape)?;
    let place = Place {
        lane: row.at_lane.clone(),
        position: row.at_position,
    };
    let part = part(core, &mut tx, &conditions, &place, row.up_to).await?;
    let (chosen, lane, next) = match part {
        Some(part) => (part.chosen, part.lane, part.next),
        None => (Vec::new(), String::new(), None),
    };
    for choice in chosen {
        let why = obstacle(core, &lane, choice.state);
        if why.is_none() {
            tx.requeue(choice.id, choice.state, now).await?;
        }
        tx.add_to_replay(id, choice.id, why).await?;
    }
    row.is_done = next.is_none();
    if let Some(next) = next {
        (row.at_lane, row.at_position) = (next.lane, next.position);
    }
    tx.put_replay(&row).await?;
    if row.is_done {
        let counts = counts(&mut tx, id).await?;
        let detail = format!(
            "{} selected, {} queued, {} skipped",
            counts.selected,
            counts.selected - counts.skipped,
            counts.skipped
        );
        tx.audit(now, by, "replay.end", &id.to_string(), &detail)
            .await?;
    }
    tx.commit().await?;
    core.wake();
    Ok(Some(row))
}

/// What became of the messages of a replay by now.
///
/// # Errors
/// When the store fails.
pub async fn counts(tx: &mut Tx, id: Uuid) -> Result<Counts, StoreError> {
    let (states, skipped_for) = tx.replayed(id).await?;
    let of = |wanted: &[OutboxState]| -> i64 {
        let counts = wanted.iter().filter_map(|state| states.get(state.code()));
        counts.sum()
    };
    let skipped = skipped_for.values().sum();
    Ok(Counts {
        selected: states.values().sum::<i64>() + skipped,
        queued: of(&[OutboxState::Queued, OutboxState::Failed]),
        delivered: of(&[OutboxState::Delivered, OutboxState::Acknowledged]),
        failed: of(&[
            OutboxState::Parked,
            OutboxState::Withdrawn,
            OutboxState::Skipped,
        ]),
        skipped,
        skipped_for,
    })
}
