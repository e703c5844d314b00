//! A lane as an operator sees it: what waits in it, whether it runs, and by whose word it does not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::ApiError;
use crate::delivery::{Served, Standing};
use crate::pipeline::core::Core;
use crate::store::{HoldRow, LaneCount, LaneRow, OutboxState, Tx};

/// A lane.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LaneView {
    /// The destination.
    pub name: String,
    /// `running`, `paused`, `held`, `draining`, or `drained`: what was written before it was to be drained is delivered.
    pub flow: &'static str,
    /// Whether an operator paused it, or it is held.
    pub is_paused: bool,
    /// Why it is held, when the store was restored from a backup and nobody has reconciled what happened since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldView>,
    /// Who paused it, or lets it drain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted_at: Option<String>,
    /// Messages that wait for an attempt, those that are blocked among them.
    pub due: i64,
    /// Messages that wait behind a parked one of their case, and move only when that is replayed or skipped: of the first
    /// thousand that are parked.
    pub blocked: i64,
    /// Messages whose attempt has begun and not ended; absent when another gateway serves the lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<i64>,
    /// Messages set aside.
    pub parked: i64,
    /// Age of the oldest message that waits for an attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_age_seconds: Option<i64>,
    /// The breaker: `closed`, `half-open` or `open`; absent when another gateway serves the lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<&'static str>,
    /// Until when the destination is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone_until: Option<String>,
    /// How many deliveries were numbered.
    pub sequence: i64,
    /// How many messages stand in each state.
    pub messages: BTreeMap<&'static str, i64>,
    /// Since when the oldest message waits for an attempt or for an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_waiting: Option<String>,
}

/// Why a lane is held.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldView {
    /// The reason in words.
    pub reason: &'static str,
    /// When the backup was taken: what was revoked and delivered between then and the restoration is unknown.
    pub taken_at: String,
    /// When it was restored.
    pub restored_at: String,
}

impl HoldView {
    fn of(hold: &HoldRow) -> Self {
        Self {
            reason: HELD,
            taken_at: hold.taken_at.to_string(),
            restored_at: hold.restored_at.to_string(),
        }
    }
}

/// What must be done before a held lane goes on.
pub(super) const HELD: &str = "restored from a backup: reconcile the revocations and deliveries since it was taken, \
    then resume with `reconciled`";

/// One lane, or each in the order of the names.
///
/// # Errors
/// When the store fails.
pub(super) async fn of(
    core: &Core,
    tx: &mut Tx,
    names: &[&str],
) -> Result<Vec<LaneView>, ApiError> {
    let counts = tx.lane_counts().await?;
    let served = core.lanes.lanes();
    let now = core.clock.now();
    let mut views = Vec::new();
    for name in names {
        let row = tx.lane(name).await?;
        let hold = tx.hold(name).await?;
        let flow = match (row.is_paused, row.drain_to) {
            _ if hold.is_some() => "held",
            (true, _) => "paused",
            (false, None) => "running",
            (false, Some(last)) if tx.waits_up_to(name, last).await? => "draining",
            (false, Some(_)) => "drained",
        };
        let own = counts.iter().filter(|count| count.lane == *name);
        let own: Vec<&LaneCount> = own.collect();
        let served = served.iter().find(|served| served.lane == *name);
        let mut view = view(row, flow, &own, served, now);
        view.is_paused |= hold.is_some();
        view.held = hold.as_ref().map(HoldView::of);
        if view.parked > 0 {
            view.blocked = tx.blocked(name).await?;
        }
        views.push(view);
    }
    Ok(views)
}

fn view(
    row: LaneRow,
    flow: &'static str,
    counts: &[&LaneCount],
    served: Option<&Served>,
    now: Timestamp,
) -> LaneView {
    let oldest = |states: &[OutboxState]| {
        let wanted = counts.iter().filter(|count| states.contains(&count.state));
        wanted.map(|count| count.oldest).min()
    };
    let total = |states: &[OutboxState]| {
        let wanted = counts.iter().filter(|count| states.contains(&count.state));
        wanted.map(|count| count.count).sum()
    };
    let due = [OutboxState::Queued, OutboxState::Failed];
    let waiting = [
        OutboxState::Queued,
        OutboxState::Failed,
        OutboxState::Parked,
    ];
    let (halted_by, reason, halted_at) = match row.halt {
        Some(halt) => (Some(halt.by), Some(halt.reason), Some(halt.at.to_string())),
        None => (None, None, None),
    };
    LaneView {
        name: row.lane,
        flow,
        is_paused: row.is_paused,
        held: None,
        halted_by,
        reason,
        halted_at,
        due: total(&due),
        blocked: 0,
        in_flight: served.map(|served| served.in_flight),
        parked: total(&[OutboxState::Parked]),
        oldest_age_seconds: oldest(&due).map(|at| now.duration_since(at).as_secs().max(0)),
        breaker: served.map(|served| served.breaker.code()),
        left_alone_until: served.and_then(|served| match served.breaker {
            Standing::Open(until) => Some(until.to_string()),
            _ => None,
        }),
        sequence: row.sequence,
        messages: counts
            .iter()
            .map(|count| (count.state.code(), count.count))
            .collect(),
        oldest_waiting: oldest(&waiting).map(|at| at.to_string()),
    }
}
