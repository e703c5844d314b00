//! A system's own events as JSON, and the events that were set aside.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

use super::Api;
use super::body::{self, JSON, JsonBody, Path, Query, Raw, limit};
use super::caller::{As, LaneReaders, Operators, Systems};
use super::inbox;
use super::lanes;
use super::own_events;
use super::problem::ApiError;
use super::push::{self, Receipt};
use super::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::store::{EventState, ParkedRow, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let post = Doc::post(
        "/v1/events",
        "A JSON array of the system's own events (types and payloads of the event catalogue)",
    )
    .allow::<Systems>()
    .header(
        "Idempotency-Key",
        "Names the input; the same name with other content is refused",
    )
    .takes_raw(&["application/json"])
    .gives::<Receipt>(
        202,
        "Accepted and durable; an event that cannot be used costs itself alone",
    )
    .refuses(409, "The idempotency key was used with other content")
    .refuses(413, "The body is larger than allowed")
    .refuses(415, "The body is of a kind that is not taken here")
    .gives::<Receipt>(
        422,
        "Nothing in it could be used, the report says why; or all of it tells of records that never enter",
    );
    let parked = Doc::get(
        "/v1/events/parked",
        "Events that could not take effect, newest first: whose, of which type, and why",
    )
    .allow::<LaneReaders>()
    .query("limit", "Most entries")
    .query("given_up", "`true` lists those that were given up instead")
    .gives::<ParkedEvents>(200, "Notes only, no content");
    let button = |path, summary| {
        Doc::post(path, summary)
            .allow::<Operators>()
            .refuses(404, "No such event stands so")
    };
    let give_up = button(
        "/v1/events/{position}/give-up",
        "A parked event that can never take effect is listed no longer",
    )
    .takes::<GivingUp>()
    .gives::<ParkedEvent>(200, "Given up")
    .refuses(422, "No reason, or it is too long")
    .refuses(
        409,
        "It asks for a referral, and `sender_knows` is not true",
    );
    let take_up = button(
        "/v1/events/{position}/take-up",
        "An event that was given up is parked again",
    )
    .gives::<ParkedEvent>(200, "Parked");
    routes
        .add(post, receive)
        .add(parked, list_parked)
        .add(give_up, give_event_up)
        .add(take_up, take_event_up)
}

async fn receive(
    by: As<Systems>,
    State(api): State<Api>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, ApiError> {
    let core = api.core();
    let system = by.caller.system()?;
    body::expect_kind(&headers, JSON)?;
    push::may_enter(core, system)?;
    let key = push::key(&headers)?;
    let pushed = push::begin(&api, system, own_events::LIKE, key.as_deref(), &body).await?;
    let pushed = pushed.kept_as(own_events::FORM);
    // First of all: what is known of its people may have changed since, and a repeat is one all the same.
    let before = pushed.came_before().await?;
    let mut accepted = match before {
        Some(before) => before,
        None => {
            let screened = own_events::screen(core, system, body).await?;
            let reader = Arc::new(screened.reader);
            pushed.accept(reader, screened.bytes).await?
        }
    };
    // What was accepted by an earlier program has the name of another.
    own_events::FORM.clone_into(&mut accepted.report.format);
    Ok(inbox::answer(accepted))
}

#[derive(Debug, Deserialize)]
struct Page {
    limit: Option<i64>,
    given_up: Option<bool>,
}

/// Events that were set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParkedEvents {
    /// The entries.
    pub events: Vec<ParkedEvent>,
}

/// An event that was set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParkedEvent {
    /// Place in the order of acceptance.
    pub position: i64,
    /// Who told it.
    pub system: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was recorded.
    #[schema(value_type = String)]
    pub recorded_at: Timestamp,
    /// Why it was set aside, and why it was given up.
    pub note: String,
}

impl From<ParkedRow> for ParkedEvent {
    fn from(row: ParkedRow) -> Self {
        Self {
            position: row.position,
            system: row.system,
            kind: row.kind,
            recorded_at: row.recorded_at,
            note: row.note,
        }
    }
}

/// Why an event is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GivingUp {
    /// In a few words, without names: whoever lists these events reads it.
    pub reason: String,
    /// For an event that asks for a referral: its sender was told that it ends here.
    #[serde(default)]
    pub sender_knows: bool,
}

async fn list_parked(
    _as: As<LaneReaders>,
    State(api): State<Api>,
    Query(page): Query<Page>,
) -> Result<Json<ParkedEvents>, ApiError> {
    let state = match page.given_up {
        Some(true) => EventState::GivenUp,
        _ => EventState::Parked,
    };
    let mut tx = api.core().store.snapshot().await?;
    let rows = tx.events_aside(state, limit(page.limit)).await?;
    let events = rows.into_iter().map(ParkedEvent::from).collect();
    Ok(Json(ParkedEvents { events }))
}

async fn give_event_up(
    by: As<Operators>,
    State(api): State<Api>,
    Path(position): Path<i64>,
    JsonBody(why): JsonBody<GivingUp>,
) -> Result<Json<ParkedEvent>, ApiError> {
    let reason = lanes::reason(&why.reason)?;
    let mut tx = api.core().store.begin().await?;
    let row = tx.event_aside(position, EventState::Parked).await?;
    let mut row = row.ok_or(ApiError::NotFound)?;
    if !why.sender_knows && REQUESTS.contains(&row.kind.as_str()) {
        let text = "it asks for a referral, and nobody else tells its sender that it ends here: `sender_knows` is not true";
        return Err(ApiError::conflict(text));
    }
    row.note = format!("{}{GIVEN_UP}{reason}", row.note);
    let by = (by.caller.name(), reason.as_str());
    set(api.core(), tx, row, EventState::GivenUp, by).await
}

async fn take_event_up(
    by: As<Operators>,
    State(api): State<Api>,
    Path(position): Path<i64>,
) -> Result<Json<ParkedEvent>, ApiError> {
    let mut tx = api.core().store.begin().await?;
    let row = tx.event_aside(position, EventState::GivenUp).await?;
    let mut row = row.ok_or(ApiError::NotFound)?;
    if let Some((why, _)) = row.note.split_once(GIVEN_UP) {
        row.note = why.to_owned();
    }
    let by = (by.caller.name(), "");
    set(api.core(), tx, row, EventState::Parked, by).await
}

/// Events by which a service referral is asked for.
const REQUESTS: [&str; 2] = ["referral.drafted", "referral.requested"];

/// Between why an event was set aside and why it was given up.
const GIVEN_UP: &str = "; given up: ";

/// Lets an event that was set aside stand otherwise, by whose word and why.
async fn set(
    core: &Core,
    mut tx: Tx,
    row: ParkedRow,
    to: EventState,
    (actor, reason): (&str, &str),
) -> Result<Json<ParkedEvent>, ApiError> {
    tx.settle_event(row.position, to, Some(&row.note)).await?;
    let (now, action) = (core.clock.now(), format!("event.{}", to.code()));
    tx.audit(now, actor, &action, &row.id.to_string(), reason)
        .await?;
    tx.commit().await?;
    Ok(Json(row.into()))
}
