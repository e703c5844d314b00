//! `/v1/keys`: the root keys of the store by number, never a key itself.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{Administrators, As, Monitors};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::keys::KeysReport;
use crate::store::RotationError;

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/keys",
        "The root keys by number: since when each seals, how many values it still seals, how far a rotation came",
    )
    .allow::<Monitors>()
    .gives::<KeysReport>(200, "Numbers, instants and counts; no key");
    let rotate = Doc::post(
        "/v1/keys/rotate",
        "A new root key seals from now on, and what older ones have sealed is sealed anew in the background; with `dry_run` \
         says which key it would be and changes nothing",
    )
    .allow::<Administrators>()
    .takes::<Rotation>()
    .gives::<Rotated>(200, "What a rotation would do")
    .gives::<Rotated>(201, "The new key seals")
    .refuses(
        409,
        "An earlier rotation is not finished, or another gateway does not hold the new key",
    );
    let reseal = Doc::post(
        "/v1/keys/reseal",
        "Everything is gone through once more, for values of older keys that could not be opened before",
    )
    .allow::<Administrators>()
    .gives::<Rotated>(201, "It has begun")
    .refuses(409, "It is being done");
    let retire = Doc::post(
        "/v1/keys/{number}/retire",
        "A key that seals nothing any more is taken out of the key file of this gateway, into a file of its own",
    )
    .allow::<Administrators>()
    .gives::<Retired>(200, "Retired")
    .refuses(404, "No such key")
    .refuses(409, "It seals, or values need it still");
    routes
        .add(list, list_keys)
        .add(rotate, rotate_keys)
        .add(reseal, reseal_all)
        .add(retire, retire_key)
}

/// How the keys are rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// Whether nothing is changed.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a rotation did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rotated {
    /// The key that seals, or would.
    pub number: u32,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Other gateways of the store that do not hold the key: it does not seal before all do.
    pub gateways_without_it: i64,
    /// How the keys stand.
    #[serde(flatten)]
    pub report: KeysReport,
}

/// A key that is gone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Retired {
    /// Its number.
    pub number: u32,
    /// The file, beside the key file, in which it stands now.
    pub file: String,
}

impl From<RotationError> for ApiError {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::Store(error) => error.into(),
            RotationError::Unknown(_) => Self::NotFound,
            refused => Self::conflict(refused.to_string()),
        }
    }
}

async fn list_keys(
    _as: As<Monitors>,
    State(api): State<Api>,
) -> Result<Json<KeysReport>, ApiError> {
    Ok(Json(KeysReport::of(&api.core().store, None).await?))
}

async fn rotate_keys(
    by: As<Administrators>,
    State(api): State<Api>,
    JsonBody(wanted): JsonBody<Rotation>,
) -> Result<(StatusCode, Json<Rotated>), ApiError> {
    let core = api.core();
    if wanted.dry_run {
        let next = core.store.next_key().await?;
        let rotated = Rotated {
            number: next.number,
            dry_run: true,
            gateways_without_it: next.lacking,
            report: KeysReport::of(&core.store, None).await?,
        };
        return Ok((StatusCode::OK, Json(rotated)));
    }
    let rotated = core.store.rotate(by.caller.name(), core.clock.now()).await;
    begun(&api, rotated).await
}

async fn reseal_all(
    by: As<Administrators>,
    State(api): State<Api>,
) -> Result<(StatusCode, Json<Rotated>), ApiError> {
    let core = api.core();
    let (actor, now) = (by.caller.name(), core.clock.now());
    let begun_with = core.store.reseal_again(actor, now).await;
    begun(&api, begun_with).await
}

async fn begun(
    api: &Api,
    number: Result<u32, RotationError>,
) -> Result<(StatusCode, Json<Rotated>), ApiError> {
    let core = api.core();
    let number = number?;
    core.wake();
    let rotated = Rotated {
        number,
        dry_run: false,
        gateways_without_it: 0,
        report: KeysReport::of(&core.store, None).await?,
    };
    Ok((StatusCode::CREATED, Json(rotated)))
}

async fn retire_key(
    by: As<Administrators>,
    State(api): State<Api>,
    Path(number): Path<u32>,
) -> Result<Json<Retired>, ApiError> {
    let core = api.core();
    let (actor, now) = (by.caller.name(), core.clock.now());
    let file = core.store.retire_key(number, actor, now).await?;
    Ok(Json(Retired {
        number,
        file: file.display().to_string(),
    }))
}
