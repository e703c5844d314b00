//! `/v1/replays`: messages go back into their lanes, parked events try again, inputs are read once more; a part at a time, so that a
//! caller can stop between two.

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
use crate::pipeline::core::Core;
use crate::replays::{self, Conditions, Counts, Wanted};
use crate::store::{Of, ReplayRow};

/// Longest condition that is a text, in letters.
const LONGEST: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    let begin = Doc::post(
        "/v1/replays",
        "Chooses parked messages (delivered ones as well when asked to), parked events, or inputs of which something could not be used; with `dry_run` says how many and changes nothing",
    )
    .allow::<Operators>()
    .takes::<WantedReplay>()
    .gives::<ReplayView>(200, "What a replay would do")
    .gives::<ReplayView>(201, "It has begun; `continue` tries them again, a part at a time")
    .refuses(422, "A condition is none, or does not fit what is tried again");
    let go_on = Doc::post(
        "/v1/replays/{id}/continue",
        "Tries the next part again: messages go back into their lanes, each decided anew before it is sent; events wait for their turn; inputs are read by the readers and tables of today",
    )
    .allow::<Operators>()
    .gives::<ReplayView>(200, "How far it came")
    .refuses(404, "No such replay");
    let show = Doc::get(
        "/v1/replays/{id}",
        "What became of what a replay has chosen",
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
pub(super) struct WantedReplay {
    /// What is tried again: `messages` (unless it says else), `events` or `inputs`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub of: Of,
    /// By what it is chosen: each condition that is given must hold.
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
    /// What is tried again: `messages`, `events` or `inputs`.
    #[schema(value_type = String)]
    pub of: Of,
    /// By what it is chosen.
    #[serde(rename = "where")]
    pub conditions: Conditions,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// Whether everything was looked at.
    pub is_done: bool,
    /// What became of those that were chosen.
    #[serde(flatten)]
    pub counts: Counts,
}

async fn view(core: &Core, row: ReplayRow) -> Result<Json<ReplayView>, ApiError> {
    let wanted = Wanted::of(&row.conditions)?;
    let mut tx = core.store.snapshot().await?;
    Ok(Json(ReplayView {
        id: Some(row.id.to_string()),
        started_at: Some(row.started_at.to_string()),
        started_by: Some(row.started_by),
        counts: replays::counts(&mut tx, row.id, wanted.of).await?,
        of: wanted.of,
        conditions: wanted.conditions,
        dry_run: false,
        is_done: row.is_done,
    }))
}

async fn begin_replay(
    by: As<Operators>,
    State(api): State<Api>,
    JsonBody(wanted): JsonBody<WantedReplay>,
) -> Result<(StatusCode, Json<ReplayView>), ApiError> {
    let WantedReplay {
        of,
        conditions,
        dry_run,
    } = wanted;
    check(api.core(), of, &conditions)?;
    let wanted = Wanted { of, conditions };
    if dry_run {
        let counts = replays::foresee(&api.intake, &wanted).await?;
        let view = ReplayView {
            id: None,
            started_at: None,
            started_by: None,
            of,
            conditions: wanted.conditions,
            dry_run: true,
            is_done: true,
            counts,
        };
        return Ok((StatusCode::OK, Json(view)));
    }
    let row = replays::begin(&api.intake, by.caller.name(), &wanted).await?;
    Ok((StatusCode::CREATED, view(api.core(), row).await?))
}

/// Refuses conditions by which nothing could be chosen: they were meant to choose something else.
fn check(core: &Core, of: Of, conditions: &Conditions) -> Result<(), ApiError> {
    let refused = |name: &str, expected: &str| {
        let text = format!("where.{name}: expected {expected}");
        Err(ApiError::Invalid(text))
    };
    let texts = [
        ("error", &conditions.error),
        ("case", &conditions.case),
        ("type", &conditions.kind),
    ];
    for (name, text) in texts {
        let is_wrong = |text: &String| text.is_empty() || text.chars().count() > LONGEST;
        if text.as_ref().is_some_and(is_wrong) {
            return refused(name, &format!("1 to {LONGEST} letters"));
        }
    }
    if let Some(name) = conditions.unfit(of) {
        let what = match of {
            Of::Messages => "nothing: messages have a destination, an error, a case and a time",
            Of::Events => "nothing: events have a system, a type, an error and a time",
            Of::Inputs => "nothing: inputs have a system, an error and a time",
        };
        return refused(name, what);
    }
    let is_told = |id| {
        core.system(id)
            .is_some_and(|system| system.output.is_some())
    };
    if conditions
        .destination
        .as_ref()
        .is_some_and(|id| !is_told(id))
    {
        return refused("destination", "a system that is told things");
    }
    let is_known = |id| core.system(id).is_some();
    if conditions.system.as_ref().is_some_and(|id| !is_known(id)) {
        return refused("system", "a system of the configuration");
    }
    Ok(())
}

async fn continue_replay(
    by: As<Operators>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<ReplayView>, ApiError> {
    let row = replays::go_on(&api.intake, by.caller.name(), id).await?;
    view(api.core(), row.ok_or(ApiError::NotFound)?).await
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
