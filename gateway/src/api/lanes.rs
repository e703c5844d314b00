//! Lanes: how deliveries to each destination run, and the buttons that help.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{MessageId, SystemId};
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, LaneReaders, Operators};
use super::lane_view::{self, HELD, LaneView};
use super::messages::MessageView;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::store::{Halt, OutboxRow, OutboxState, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/lanes",
        "Each destination's lane: what waits, is blocked, under way and parked, its breaker, and whether it is paused, by whom and why",
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
    .takes::<Why>()
    .gives::<LaneView>(200, "Paused")
    .refuses(422, "No reason, or it is too long");
    let drain = button(
        "/v1/lanes/{name}/drain",
        "What waits by now is delivered; what is written after waits until the lane is resumed",
    )
    .takes::<Why>()
    .gives::<LaneView>(200, "It drains")
    .refuses(422, "No reason, or it is too long");
    let resume = button("/v1/lanes/{name}/resume", "Deliveries go on")
        .takes::<Resumption>()
        .gives::<LaneView>(200, "Resumed")
        .refuses(
            409,
            "It is held since the store was restored from a backup, and `reconciled` is not true",
        );
    let replay = button(
        "/v1/lanes/{name}/replay",
        "A parked message is tried again now, with a fresh count of attempts. One that failed and waits is due now and keeps its count; \
         one that waits for its first attempt stays as it is",
    )
    .takes::<Chosen>()
    .gives::<MessageView>(200, "It waits for its attempt")
    .refuses(409, "It is not parked, and waits for no attempt");
    let skip = button(
        "/v1/lanes/{name}/skip",
        "A parked message is given up; the messages behind it go on. In a lane that is held since a restoration \
         also one that waits: the recipient has it already",
    )
    .takes::<Chosen>()
    .gives::<MessageView>(200, "Skipped, by this or before")
    .refuses(409, "It is not parked, or does not wait in a held lane");
    routes
        .add(list, list_lanes)
        .add(pause, pause_lane)
        .add(drain, drain_lane)
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
    let systems = core.loaded.config.systems.iter();
    let told = systems.filter(|(_, system)| system.output.is_some());
    let names: Vec<&str> = told.map(|(name, _)| name.as_str()).collect();
    let lanes = lane_view::of(core, &mut tx, &names).await?;
    Ok(Json(Lanes { lanes }))
}

/// Why a lane is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// In a few words, without names: whoever looks at the lane reads it.
    pub reason: String,
}

/// Longest reason, in letters.
const LONGEST_REASON: usize = 200;

/// What is done with a lane.
enum Order {
    Pause(String),
    Drain(String),
    Resume(Resumption),
}

async fn pause_lane(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
    JsonBody(why): JsonBody<Why>,
) -> Result<Json<LaneView>, ApiError> {
    order(
        &api,
        by.caller.name(),
        &name,
        Order::Pause(reason(&why.reason)?),
    )
    .await
}

async fn drain_lane(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
    JsonBody(why): JsonBody<Why>,
) -> Result<Json<LaneView>, ApiError> {
    order(
        &api,
        by.caller.name(),
        &name,
        Order::Drain(reason(&why.reason)?),
    )
    .await
}

/// What an operator says of a lane that goes on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Resumption {
    /// For a lane that is held since a restoration: what was revoked and delivered since the backup is reconciled.
    pub reconciled: bool,
    /// What failed and waits for its next attempt is due now, and the destination is asked again at once, unless another gateway
    /// serves the lane: somebody knows that it is back.
    pub now: bool,
    /// Why, in a few words and without names, for the audit.
    pub reason: String,
}

async fn resume_lane(
    by: As<Operators>,
    State(api): State<Api>,
    Path(name): Path<SystemId>,
    JsonBody(said): JsonBody<Resumption>,
) -> Result<Json<LaneView>, ApiError> {
    is_short(&said.reason)?;
    order(&api, by.caller.name(), &name, Order::Resume(said)).await
}

/// A reason that is given in a few words.
///
/// # Errors
/// 400 when there is none, or it is too long.
pub(super) fn reason(text: &str) -> Result<String, ApiError> {
    let reason = text.trim();
    is_short(reason)?;
    if reason.is_empty() {
        return Err(ApiError::Invalid("reason: expected some words".to_owned()));
    }
    Ok(reason.to_owned())
}

fn is_short(reason: &str) -> Result<(), ApiError> {
    if reason.chars().count() > LONGEST_REASON {
        let text = format!("reason: expected at most {LONGEST_REASON} letters");
        return Err(ApiError::Invalid(text));
    }
    Ok(())
}

async fn order(
    api: &Api,
    actor: &str,
    name: &SystemId,
    order: Order,
) -> Result<Json<LaneView>, ApiError> {
    lane(api, name)?;
    let core = api.core();
    let (now, lane) = (core.clock.now(), name.as_str());
    let halt = |reason: &str| Halt {
        by: actor.to_owned(),
        reason: reason.to_owned(),
        at: now,
    };
    let mut tx = core.store.begin().await?;
    let (action, reason) = match &order {
        Order::Pause(reason) => {
            tx.pause_lane(lane, &halt(reason)).await?;
            ("lane.pause", reason.as_str())
        }
        Order::Drain(reason) => {
            tx.drain_lane(lane, &halt(reason)).await?;
            ("lane.drain", reason.as_str())
        }
        Order::Resume(said) => {
            let action = resume(&mut tx, lane, said, actor, now).await?;
            (action, said.reason.trim())
        }
    };
    tx.audit(now, actor, action, lane, reason).await?;
    let is_hastened = matches!(&order, Order::Resume(said) if said.now);
    if is_hastened {
        hasten(&mut tx, lane, actor, now).await?;
    }
    tx.commit().await?;
    if is_hastened {
        core.lanes.reset(lane);
    }
    core.wake();
    let mut tx = core.store.snapshot().await?;
    let views = lane_view::of(core, &mut tx, &[lane]).await?;
    let view = views.into_iter().next();
    view.map(Json).ok_or(ApiError::NotFound)
}

/// Lets a lane run. Returns how the audit calls that.
async fn resume(
    tx: &mut Tx,
    lane: &str,
    said: &Resumption,
    actor: &str,
    now: Timestamp,
) -> Result<&'static str, ApiError> {
    let is_held = tx.hold(lane).await?.is_some();
    if is_held && !said.reconciled {
        return Err(ApiError::conflict(format!("the lane is {HELD}")));
    }
    if is_held {
        tx.release_lane(lane, now, actor).await?;
    }
    tx.resume_lane(lane).await?;
    Ok(if is_held {
        "lane.resume-reconciled"
    } else {
        "lane.resume"
    })
}

/// Lets everything that failed in a lane be due now.
async fn hasten(tx: &mut Tx, lane: &str, actor: &str, now: Timestamp) -> Result<(), ApiError> {
    let messages = tx.due_now(lane, now, now).await?;
    let detail = format!("{messages} due now");
    tx.audit(now, actor, "lane.hasten", lane, &detail).await?;
    Ok(())
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
    move_on(
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
    move_on(
        &api,
        by.caller.name(),
        &name,
        chosen.message,
        OutboxState::Skipped,
    )
    .await
}

/// Lets a message wait for an attempt that is due now, or gives it up. What was said before is not said again: of a list of which a
/// part was done, the rest can be done by the same words.
async fn move_on(
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
        .outbox_head(message)
        .await?
        .filter(|row| row.lane == name.as_str())
        .ok_or(ApiError::NotFound)?;
    let from = row.state;
    if from != to {
        let action = action_for(&mut tx, &row, to).await?;
        row.changed_at = now;
        match action {
            REPLAY => {
                (row.state, row.attempts, row.due_at) = (to, 0, now);
                (row.fault, row.note) = (None, None);
            }
            HASTEN => row.due_at = now,
            _ => row.state = to,
        }
        tx.move_outbox(&row, from, now).await?;
        tx.audit(now, actor, action, &message.to_string(), name.as_str())
            .await?;
    }
    tx.commit().await?;
    core.wake();
    let mut tx = core.store.snapshot().await?;
    Ok(Json(MessageView::of(core, &mut tx, &row).await?))
}

/// How the audit calls that a parked message waits again, with a fresh count of attempts.
const REPLAY: &str = "message.replay";
/// That one which failed is due now.
const HASTEN: &str = "message.hasten";
/// That one is given up.
const SKIP: &str = "message.skip";

/// What it is to bring a message there from where it stands.
///
/// # Errors
/// 409 when that can't be.
async fn action_for(
    tx: &mut Tx,
    row: &OutboxRow,
    to: OutboxState,
) -> Result<&'static str, ApiError> {
    let waits = matches!(row.state, OutboxState::Queued | OutboxState::Failed);
    match (row.state, to) {
        (OutboxState::Parked, OutboxState::Queued) => return Ok(REPLAY),
        (OutboxState::Parked, OutboxState::Skipped) => return Ok(SKIP),
        (OutboxState::Failed, OutboxState::Queued) => return Ok(HASTEN),
        // Nothing of a held lane is on its way, and the recipient may have it since before the restoration.
        (_, OutboxState::Skipped) if waits && tx.hold(&row.lane).await?.is_some() => {
            return Ok(SKIP);
        }
        _ => {}
    }
    let text = format!("the message is {}", row.state.code());
    Err(ApiError::conflict(text))
}
