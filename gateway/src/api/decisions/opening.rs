//! `GET /v1/decisions/{id}/opening`: the smallest consent that would have opened what a decision closed.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_consent::{Closed, smallest_consent};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::DecisionId;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{As, PrivacyOfficers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::replay::{ReplayError, basis};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/decisions/{id}/opening",
        "The smallest consent that would open what a decision closed, by the rules in force; audited",
    )
    .allow::<PrivacyOfficers>()
    .gives::<OpeningView>(200, "The consent, what its form must hold, and what no consent opens")
    .refuses(404, "No such decision")
    .refuses(409, "What the decision rests on is not kept");
    routes.add(doc, show)
}

/// What a consent would open, and the least that it must hold.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpeningView {
    /// The items that it opens; empty when consent opens nothing.
    pub items: Vec<String>,
    /// What the form must hold, by the names of the element lists.
    pub elements: Vec<&'static str>,
    /// The consent: take any part of it away and one of the items stays closed.
    #[schema(value_type = Option<Object>)]
    pub consent: Option<Directive>,
    /// What stays closed whatever the person signs, with the regimes that say so.
    #[schema(value_type = Vec<Object>)]
    pub closed: Vec<Closed>,
}

async fn show(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DecisionId>,
) -> Result<Json<OpeningView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let row = tx.decision(id).await?.ok_or(ApiError::NotFound)?;
    let now = core.clock.now();
    looked_at(
        &mut tx,
        now,
        &by.caller,
        "decision.opening",
        &id.to_string(),
    )
    .await?;
    let basis = match basis(&mut tx, &row).await {
        Ok(basis) => basis,
        Err(ReplayError::Store(error)) => return Err(error.into()),
        Err(problem) => return Err(ApiError::conflict(problem.to_string())),
    };
    tx.commit().await?;
    let mut request = basis.request().clone();
    request.as_of = now;
    let bundle = core.judge.bundle();
    let directives = basis
        .voices()
        .first()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let opening = smallest_consent(&request, core.judge.facts(), directives, &bundle);
    Ok(Json(OpeningView {
        items: opening.items,
        elements: opening.elements,
        consent: opening.consent,
        closed: opening.closed,
    }))
}
