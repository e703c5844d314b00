//! What the gateway says of itself and of the organisations that its references name.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tandem_adapter_port::outbound::Party;
use tandem_fhir::describe::capability_statement;
use tandem_fhir::write::organization_resource;
use tandem_mappings::model::id::OrganizationId;

use super::{FhirError, config_of, resource};
use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{Anyone, As};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    let metadata = Doc::get("/fhir/metadata", "The CapabilityStatement").gives_raw(
        200,
        super::FHIR_JSON,
        "What this server can do",
    );
    let organization = Doc::get("/fhir/Organization/{id}", "An organisation of the registry")
        .allow::<Anyone>()
        .gives_raw(200, super::FHIR_JSON, "The Organization")
        .gives_raw(404, super::FHIR_JSON, "No such organisation");
    routes.add(metadata, capabilities).add(organization, read)
}

async fn capabilities(State(api): State<Api>) -> Result<Response, FhirError> {
    let core = api.core();
    let config = config_of(&api, &core.gateway)?;
    let mut statement = capability_statement(&config, core.clock.now());
    if let Some(resources) = statement
        .pointer_mut("/rest/0/resource")
        .and_then(serde_json::Value::as_array_mut)
    {
        resources.push(super::consent::capability());
    }
    Ok(resource(StatusCode::OK, &statement))
}

async fn read(
    _as: As<Anyone>,
    State(api): State<Api>,
    Path(id): Path<OrganizationId>,
) -> Result<Response, FhirError> {
    let core = api.core();
    let known = core
        .loaded
        .registry
        .organization(&id)
        .ok_or(FhirError::Api(ApiError::NotFound))?;
    let party = Party {
        id: known.id.clone(),
        name: known.name.clone(),
    };
    Ok(resource(
        StatusCode::OK,
        &organization_resource(&config_of(&api, &core.gateway)?, &party),
    ))
}
