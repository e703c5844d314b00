//! `/v1/replays`: many messages go back into their lanes, a part at a time, so that a caller can stop between two.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, LaneReaders, Operators};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::delivery::again::{self, Conditions, Counts};
use crate::pipeline::core::Core;
use crate::store::ReplayRow;

/// Longest condition that is a text, in letters.
const LONGEST: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    let begin = Doc::post(
        "/v1/replays",
        "Chooses parked messages, and delivered ones when asked to; with `dry_run` says how many and changes nothing",
    )
    .allow::<Operators>()
    .takes::<Wanted>()
    .gives::<ReplayView>(200, "What a replay would do")
    .gives::<ReplayView>(201, "It has begun; `continue` puts the messages back, a part at a time")
    .refuses(400, "A condition is none");
    let go_on = Doc::post(
        "/v1/replays/{id}/continue",
        "Puts the next part of the chosen messages back into their lanes; each is decided anew before it is sent",
    )
    .allow::<Operators>()
    .gives::<ReplayView>(200, "How far it came")
    .refuses(404, "No such replay");
    let show = Doc::get(
        "/v1/replays/{id}",
        "What became of the messages of a replay",
    )
    .allow::<LaneReaders>()
    .gives::<ReplayView>(200, "Counts that add up to `selected`")
    .refuses(404, "No such replay");
    routes
        .add(begin, begin_replay)
        .add(go_on, continue_replay)
        .add(show, show_replay)
}

/// What is to be replayed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// By what messages are chosen: each condition that is given must hold.
    #[serde(default, rename = "where")]
    pub conditions: Conditions,
    /// Whether nothing is changed.
    #[serde(default)]
    pub dry_run: bool,
}

/// A replay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplayView {
    /// Its id; none of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Who began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// By what messages are chosen.
    #[serde(rename = "where")]
    pub conditions: Conditions,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// Whether every message was looked at.
    pub is_done: bool,
    /// What became of those that were chosen.
    #[serde(flatten)]
    pub counts: Counts,
}

async fn view(core: &Core, row: ReplayRow) -> Result<Json<ReplayView>, ApiError> {
    let mut tx = core.store.snapshot().await?;
    Ok(Json(ReplayView {
        id: Some(row.id.to_string()),
        started_at: Some(row.started_at.to_string()),
        started_by: Some(row.started_by),
        conditions: serde_json::from_str(&row.conditions).unwrap_or_default(),
        dry_run: false,
        is_done: row.is_done,
        counts: again::counts(&mut tx, row.id).await?,
    }))
}

async fn begin_replay(
    by: As<Operators>,
    State(api): State<Api>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<(StatusCode, Json<ReplayView>), ApiError> {
    let core = api.core();
    let conditions = wanted.conditions;
    let texts = [("error", &conditions.error), ("case", &conditions.case)];
    for (name, text) in texts {
        if text
            .as_ref()
            .is_some_and(|text| text.is_empty() || text.chars().count() > LONGEST)
        {
            let text = format!("where.{name}: expected 1 to {LONGEST} letters");
            return Err(ApiError::Invalid(text));
        }
    }
    let destination = conditions.destination.as_ref();
    let is_told = |id| {
        core.system(id)
            .is_some_and(|system| system.output.is_some())
    };
    if destination.is_some_and(|id| !is_told(id)) {
        let text = "where.destination: expected a system that is told things".to_owned();
        return Err(ApiError::Invalid(text));
    }
    if wanted.dry_run {
        let counts = again::foresee(core, &conditions).await?;
        let view = ReplayView {
            id: None,
            started_at: None,
            started_by: None,
            conditions,
            dry_run: true,
            is_done: true,
            counts,
        };
        return Ok((StatusCode::OK, Json(view)));
    }
    let row = again::begin(core, by.caller.name(), &conditions).await?;
    Ok((StatusCode::CREATED, view(core, row).await?))
}

async fn continue_replay(
    by: As<Operators>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<ReplayView>, ApiError> {
    let core = api.core();
    let row = again::go_on(core, by.caller.name(), id).await?;
    view(core, row.ok_or(ApiError::NotFound)?).await
}

async fn show_replay(
    _as: As<LaneReaders>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<ReplayView>, ApiError> {
    let core = api.core();
    let row = core.store.snapshot().await?.replay(id).await?;
    view(core, row.ok_or(ApiError::NotFound)?).await
}
