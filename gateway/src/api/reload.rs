//! `/v1/reload`: the configuration is read anew.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Api;
use super::body::JsonBody;
use super::caller::{Administrators, As};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::reload::{ReloadError, Reloaded};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post(
        "/v1/reload",
        "The configuration and every file that it names are read anew and put in force; with `dry_run` says what would \
         change and changes nothing",
    )
    .allow::<Administrators>()
    .takes::<Reading>()
    .gives::<Reloaded>(200, "What differs, by name; no value")
    .refuses(409, "It holds what only a restart changes; each key is named")
    .refuses(422, "It is wrong: file, key and what was expected");
    routes.add(doc, reload)
}

/// How the configuration is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// Whether nothing is changed.
    #[serde(default)]
    pub dry_run: bool,
}

impl From<ReloadError> for ApiError {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::Store(error) => error.into(),
            ReloadError::Busy => Self::Unavailable,
            ReloadError::Restart(_) => Self::conflict(error.to_string()),
            wrong => Self::Invalid(wrong.to_string()),
        }
    }
}

async fn reload(
    by: As<Administrators>,
    State(api): State<Api>,
    JsonBody(reading): JsonBody<Reading>,
) -> Result<Json<Reloaded>, ApiError> {
    let asked = api.reloads.ask(by.caller.name(), reading.dry_run);
    Ok(Json(asked.await?))
}
