//! Lanes: how deliveries to each destination run, and the buttons that help.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{MessageId, SystemId};
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, LaneReaders, Operators};
use super::messages::MessageView;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::store::{HoldRow, OutboxState, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/lanes",
        "Each destination's lane: whether it is paused, how many messages stand in each state",
    )
    .allow::<LaneReaders>()
    .gives::<Lanes>(200, "Counts and ages only");
    let button = |path, summary| {
        Doc::post(path, summary)
            .allow::<Operators>()
            .refuses(404, "No such lane, or no such message in it")
    };
    let pause = button(
        "/v1/lanes/{name}/pause",
        "Nothing more is tried until it is resumed",
    )
    .gives::<LaneView>(200, "Paused");
    let resume = button("/v1/lanes/{name}/resume", "Deliveries go on")
        .takes::<Resumption>()
        .gives::<LaneView>(200, "Resumed")
        .refuses(
            409,
            "It is held since the store was restored from a backup, and `reconciled` is not true",
        );
    let replay = button(
        "/v1/lanes/{name}/replay",
        "A parked message is tried again now",
    )
    .takes::<Chosen>()
    .gives::<MessageView>(200, "It waits for its attempt")
    .refuses(409, "It is not parked");
    let skip = button(
        "/v1/lanes/{name}/skip",
        "A parked message is given up; the messages behind it go on. In a lane that is held since a restoration \
         also one that waits: the recipient has it already",
    )
    .takes::<Chosen>()
    .gives::<MessageView>(200, "Skipped")
    .refuses(409, "It is not parked, or does not wait in a held lane");
    routes
        .add(list, list_lanes)
        .add(pause, pause_lane)
        .add(resume, resume_lane)
        .add(replay, replay_message)
        .add(skip, skip_message)
}

/// Lanes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lanes {
    /// The entries.
    pub lanes: Vec<LaneView>,
}

/// A lane.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LaneView {
    /// The destination.
    pub name: String,
    /// Whether an operator paused it, or it is held.
    pub is_paused: bool,
    /// Why it is held, when the store was restored from a backup and nobody has reconciled what happened since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldView>,
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
const HELD: &str = "restored from a backup: reconcile the revocations and deliveries since it was taken, \
    then resume with `reconciled`";

async fn view(tx: &mut Tx, name: &str) -> Result<LaneView, ApiError> {
    let row = tx.lane(name).await?;
    let counts = tx.lane_counts().await?;
    let own = counts.iter().filter(|count| count.lane == name);
    let waits = |state: OutboxState| {
        matches!(
            state,
            OutboxState::Queued | OutboxState::Failed | OutboxState::Parked
        )
    };
    let oldest = own
        .clone()
        .filter(|count| waits(count.state))
        .map(|count| count.oldest)
        .min();
    let hold = tx.hold(name).await?;
    Ok(LaneView {
        name: row.lane,
        is_paused: row.is_paused || hold.is_some(),
        held: hold.as_ref().map(HoldView::of),
        sequence: row.sequence,
        messages: own.map(|count| (count.state.code(), count.count)).collect(),
        oldest_waiting: oldest.map(|at| at.to_string()),
    })
}

/// The lane of a configured destination.
fn lane(api: &Api, name: &SystemId) -> Result<(), ApiError> {
    let system = api.core().system(name).ok_or(ApiError::NotFound)?;
    if system.output.is_some() {
        Ok(())
    } else {
        Err(ApiError::NotFound)
    }
}

async fn list_lanes(_as: As<LaneReaders>, State(api): State<Api>) -> Result<Json<Lanes>, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let mut lanes = Vec::new();
    for (name, system) in &core.loaded.config.systems {
        if system.output.is_some() {
            lanes.push(view(&mut tx, name.as_str()).await?);
        }
    }
    Ok(Json(Lanes { lanes }))
}

async fn pause_lane(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
) -> Result<Json<LaneView>, ApiError> {
    set_paused(&api, by.caller.name(), &name, true, false).await
}

/// What an operator says of a lane that goes on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Resumption {
    /// For a lane that is held since a restoration: what was revoked and delivered since the backup is reconciled.
    pub reconciled: bool,
}

async fn resume_lane(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
    JsonBody(said): JsonBody<Resumption>,
) -> Result<Json<LaneView>, ApiError> {
    set_paused(&api, by.caller.name(), &name, false, said.reconciled).await
}

async fn set_paused(
    api: &Api,
    actor: &str,
    name: &SystemId,
    is_paused: bool,
    is_reconciled: bool,
) -> Result<Json<LaneView>, ApiError> {
    lane(api, name)?;
    let core = api.core();
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let (mut action, mut detail) = ("lane.pause", "");
    if !is_paused {
        action = "lane.resume";
        if tx.hold(name.as_str()).await?.is_some() {
            if !is_reconciled {
                return Err(ApiError::conflict(format!("the lane is {HELD}")));
            }
            tx.release_lane(name.as_str(), now, actor).await?;
            detail = "reconciled";
        }
    }
    tx.set_lane_paused(name.as_str(), is_paused).await?;
    tx.audit(now, actor, action, name.as_str(), detail).await?;
    let view = view(&mut tx, name.as_str()).await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(view))
}

/// Which message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    /// The message's id.
    #[schema(value_type = String)]
    pub message: MessageId,
}

async fn replay_message(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
    JsonBody(chosen): JsonBody<Chosen>,
) -> Result<Json<MessageView>, ApiError> {
    move_parked(
        &api,
        by.caller.name(),
        &name,
        chosen.message,
        OutboxState::Queued,
    )
    .await
}

async fn skip_message(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
    JsonBody(chosen): JsonBody<Chosen>,
) -> Result<Json<MessageView>, ApiError> {
    move_parked(
        &api,
        by.caller.name(),
        &name,
        chosen.message,
        OutboxState::Skipped,
    )
    .await
}

/// Lets a parked message wait again, with a fresh count of attempts, or gives it up.
async fn move_parked(
    api: &Api,
    actor: &str,
    name: &SystemId,
    message: MessageId,
    to: OutboxState,
) -> Result<Json<MessageView>, ApiError> {
    lane(api, name)?;
    let core = api.core();
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let mut row = tx
        .outbox(message)
        .await?
        .filter(|row| row.lane == name.as_str())
        .ok_or(ApiError::NotFound)?;
    let from = row.state;
    let waits = matches!(from, OutboxState::Queued | OutboxState::Failed);
    // Nothing of a held lane is on its way, and the recipient may have it since before the restoration.
    let is_dropped = waits && to == OutboxState::Skipped && tx.hold(name.as_str()).await?.is_some();
    if from != OutboxState::Parked && !is_dropped {
        let text = format!("the message is {}", from.code());
        return Err(ApiError::conflict(text));
    }
    row.state = to;
    let mut action = "message.skip";
    if to == OutboxState::Queued {
        (row.attempts, row.due_at, action) = (0, now, "message.replay");
        (row.fault, row.note) = (None, None);
    }
    tx.move_outbox(&row, from, now).await?;
    tx.audit(now, actor, action, &message.to_string(), name.as_str())
        .await?;
    let attempts = tx.attempts(message).await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(MessageView::of(&row, &attempts)))
}
