//! `/fhir`: the gateway as a FHIR R4 server for referral Tasks (specs of the Gravity SDOH Clinical Care guide, indirect
//! referral). Refusals are OperationOutcomes.

mod audit_event;
mod audit_view;
mod conditional;
mod consent;
mod directory;
mod format;
mod order;
mod search;
mod task;
mod view;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tandem_fhir::config::FhirConfig;
use tandem_fhir::conversation::inbound::{Refusal, operation_outcome};
use tandem_fhir::write::outcome::Issue;
use tandem_mappings::model::id::SystemId;

use super::Api;
use super::problem::ApiError;
use super::route::Routes;
use crate::store::StoreError;

/// Content type of every answer here.
pub(super) const FHIR_JSON: &str = "application/fhir+json";

pub(super) fn routes(routes: Routes) -> Routes {
    let own = Routes::default();
    let own = directory::routes(order::routes(search::routes(view::routes(task::routes(
        own,
    )))));
    let own = consent::routes(own);
    let own = audit_event::routes(own);
    let router = own.router.route_layer(from_fn(format::negotiated));
    Routes {
        router: routes.router.merge(router),
        docs: routes.docs.into_iter().chain(own.docs).collect(),
    }
}

/// Why a FHIR request is refused.
#[derive(Debug)]
enum FhirError {
    /// As anywhere in the API; the guard makes an OperationOutcome of it.
    Api(ApiError),
    /// The adapter refused the resource.
    Refused(Refusal),
}

impl FhirError {
    fn refused(
        status: StatusCode,
        code: &'static str,
        expression: &str,
        text: impl Into<String>,
    ) -> Self {
        Self::Refused(Refusal {
            status,
            issues: vec![Issue::error(code, expression, text)],
        })
    }
}

impl<E: Into<ApiError>> From<E> for FhirError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl IntoResponse for FhirError {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => error.into_response(),
            Self::Refused(refusal) => resource(refusal.status, &operation_outcome(&refusal.issues)),
        }
    }
}

/// A resource as an answer.
fn resource(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
    response
}

/// An OperationOutcome for a problem of the API.
pub(super) fn outcome(status: StatusCode, text: &str) -> Value {
    let code = match status.as_u16() {
        401 => "login",
        403 => "forbidden",
        404 => "not-found",
        405 | 406 | 415 => "not-supported",
        409 | 412 => "conflict",
        413 => "too-long",
        429 => "throttled",
        503 => "transient",
        500.. => "exception",
        _ => "invalid",
    };
    operation_outcome(&[Issue::error(code, "", text)])
}

/// How the gateway speaks with a system: as configured for its FHIR server, else with the gateway's own addresses alone.
fn config_of(api: &Api, system: &SystemId) -> Result<FhirConfig, ApiError> {
    if let Some(config) = api.intake.adapters.fhir(system) {
        return Ok(config.clone());
    }
    let core = api.core();
    let internal = |text: String| ApiError::Internal(text);
    let mut config = FhirConfig::offline(system.clone(), core.gateway_organization())
        .map_err(|error| internal(error.to_string()))?;
    let public = &core.loaded.config.public_url;
    config.own_base = public
        .join("fhir")
        .map_err(|error| internal(error.to_string()))?;
    config.identifier_root = public
        .join("id")
        .map_err(|error| internal(error.to_string()))?;
    Ok(config)
}

/// The store's failure, said in one step where a FHIR answer is made.
fn store_failed(error: StoreError) -> FhirError {
    FhirError::Api(error.into())
}
