//! `GET /v1/consents/{id}/check`: which laws the form satisfies, and why not the others.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_consent::{FormCheck, check_form};
use tandem_mappings::model::id::DirectiveId;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{As, PrivacyOfficers};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::state::directive::DirectiveDoc;

pub(super) fn routes(routes: Routes) -> Routes {
    let check = Doc::get(
        "/v1/consents/{id}/check",
        "For each law whether the form satisfies it, and in plain words why not",
    )
    .allow::<PrivacyOfficers>()
    .gives::<Checked>(200, "One entry a law, in English and Spanish")
    .refuses(404, "No such consent");
    routes.add(check, check_consent)
}

/// A form against every law.
#[derive(Debug, Serialize, ToSchema)]
struct Checked {
    /// Hash of the rules by which it was checked.
    bundle: String,
    /// The laws.
    #[schema(value_type = Vec<Object>)]
    regimes: Vec<FormCheck>,
}

async fn check_consent(
    _as: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
) -> Result<Json<Checked>, ApiError> {
    let mut tx = api.core().store.snapshot().await?;
    let found = tx.get::<DirectiveDoc>(id.as_str()).await?;
    let document = found.ok_or(ApiError::NotFound)?;
    let bundle = api.core().judge.bundle();
    Ok(Json(Checked {
        bundle: bundle.hash().to_owned(),
        regimes: check_form(&document.directive, &bundle),
    }))
}
