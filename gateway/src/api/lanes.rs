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
use crate::store::{OutboxState, Tx};

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
    let resume =
        button("/v1/lanes/{name}/resume", "Deliveries go on").gives::<LaneView>(200, "Resumed");
    let replay = button(
        "/v1/lanes/{name}/replay",
        "A parked message is tried again now",
    )
    .takes::<Chosen>()
    .gives::<MessageView>(200, "It waits for its attempt")
    .refuses(409, "It is not parked");
    let skip = button(
        "/v1/lanes/{name}/skip",
        "A parked message is given up; the messages behind it go on",
    )
    .takes::<Chosen>()
    .gives::<MessageView>(200, "Skipped")
    .refuses(409, "It is not parked");
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
    /// Whether an operator paused it.
    pub is_paused: bool,
    /// How many deliveries were numbered.
    pub sequence: i64,
    /// How many messages stand in each state.
    pub messages: BTreeMap<&'static str, i64>,
    /// Since when the oldest message waits for an attempt or for an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_waiting: Option<String>,
}

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
    Ok(LaneView {
        name: row.lane,
        is_paused: row.is_paused,
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
    set_paused(&api, by.caller.name(), &name, true).await
}

async fn resume_lane(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
) -> Result<Json<LaneView>, ApiError> {
    set_paused(&api, by.caller.name(), &name, false).await
}

async fn set_paused(
    api: &Api,
    actor: &str,
    name: &SystemId,
    is_paused: bool,
) -> Result<Json<LaneView>, ApiError> {
    lane(api, name)?;
    let core = api.core();
    let mut tx = core.store.begin().await?;
    tx.set_lane_paused(name.as_str(), is_paused).await?;
    let action = if is_paused {
        "lane.pause"
    } else {
        "lane.resume"
    };
    tx.audit(core.clock.now(), actor, action, name.as_str(), "")
        .await?;
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
    if from != OutboxState::Parked {
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
