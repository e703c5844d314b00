//! A system's own events as JSON, and the events that are parked.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

use super::Api;
use super::body::{self, JSON, Query, Raw, limit};
use super::caller::{As, LaneReaders, Systems};
use super::inbox;
use super::own_events;
use super::problem::ApiError;
use super::push::{self, Receipt};
use super::route::{Doc, Routes};
use crate::store::EventState;

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
        "Events that could not take effect, newest first: why, and of which type",
    )
    .allow::<LaneReaders>()
    .query("limit", "Most entries")
    .gives::<ParkedEvents>(200, "Notes only, no content");
    routes.add(post, receive).add(parked, list_parked)
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
    let screened = own_events::screen(core, system, &body).await?;
    let reader = Arc::new(screened.reader);
    let mut accepted = push::accept(&api, system, reader, key.as_deref(), screened.bytes).await?;
    // The reader has no agency format to name.
    accepted.report.format = "tandem/events".to_owned();
    Ok(inbox::answer(accepted))
}

#[derive(Debug, Deserialize)]
struct Page {
    limit: Option<i64>,
}

/// Events that wait for replay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParkedEvents {
    /// The entries.
    pub events: Vec<ParkedEvent>,
}

/// An event that waits for replay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParkedEvent {
    /// Place in the order of acceptance.
    pub position: i64,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Why it waits.
    pub note: String,
}

async fn list_parked(
    _as: As<LaneReaders>,
    State(api): State<Api>,
    Query(page): Query<Page>,
) -> Result<Json<ParkedEvents>, ApiError> {
    let notes = api
        .core()
        .store
        .snapshot()
        .await?
        .event_notes(EventState::Parked, limit(page.limit))
        .await?;
    let events = notes.into_iter().map(|(position, kind, note)| ParkedEvent {
        position,
        kind,
        note,
    });
    Ok(Json(ParkedEvents {
        events: events.collect(),
    }))
}
