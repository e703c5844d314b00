//! The gateway's own order, as a target without a FHIR server reads it: decided at each reading.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use tandem_adapter_port::outbound::OutboundBody;
use tandem_fhir::config::FhirConfig;
use tandem_fhir::write::{OwnOrder, own_order};
use tandem_mappings::model::id::ReferralId;

use super::view::PostedTaskDoc;
use super::{FhirError, config_of, resource};
use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{As, Systems};
use crate::api::problem::ApiError;
use crate::api::referrals::visible;
use crate::api::route::{Doc, Routes};
use crate::pipeline::proposal::Proposal;
use crate::pipeline::tell;
use crate::state::referral::ReferralDoc;
use crate::store::{Stage, StoreError, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/fhir/ServiceRequest/{id}",
        "The order behind a referral, for its source and its target",
    )
    .allow::<Systems>()
    .gives_raw(200, super::FHIR_JSON, "The ServiceRequest")
    .gives_raw(404, super::FHIR_JSON, "No such order on the caller's side");
    routes.add(doc, read)
}

/// The order as the target may see it now; `None` when it may not, or when the view lacks what the profiles require.
///
/// # Errors
/// When the store fails.
pub(super) async fn of(
    api: &Api,
    tx: &mut Tx,
    config: &FhirConfig,
    document: &ReferralDoc,
) -> Result<Option<OwnOrder>, ApiError> {
    let core = api.core();
    let now = core.clock.now();
    let Some(message) = document.request_message else {
        return Ok(None);
    };
    let Some(row) = tx.outbox(message).await? else {
        return Ok(None);
    };
    let proposal: Proposal =
        serde_json::from_slice(&row.content).map_err(|_| StoreError::Shape { kind: "proposal" })?;
    let ruling = tell::weigh(core, tx, row.id, &proposal, now).await?;
    ruling.record(tx, Stage::Query, now).await?;
    let Some(mut outbound) = ruling.outbound else {
        return Ok(None);
    };
    outbound.created_at = row.created_at;
    let OutboundBody::Referral(view) = &outbound.body else {
        return Ok(None);
    };
    Ok(own_order(config, &outbound, view).ok())
}

async fn read(
    by: As<Systems>,
    State(api): State<Api>,
    Path(id): Path<ReferralId>,
) -> Result<Response, FhirError> {
    let system = by.caller.system()?;
    let mut tx = api.core().store.begin().await?;
    let document = visible(&mut tx, id, &by.caller).await?;
    let found = if document.source == *system {
        let posted = tx.get::<PostedTaskDoc>(&id.to_string()).await?;
        posted.and_then(|posted| contained_focus(&posted.task))
    } else {
        of(&api, &mut tx, &config_of(&api, system)?, &document)
            .await?
            .map(|order| order.service_request)
    };
    tx.commit().await?;
    found
        .map(|found| resource(StatusCode::OK, &found))
        .ok_or(FhirError::Api(ApiError::NotFound))
}

/// The ServiceRequest that the source put into its Task.
fn contained_focus(task: &Value) -> Option<Value> {
    let id = task
        .pointer("/focus/reference")?
        .as_str()?
        .strip_prefix('#')?;
    let contained = task.get("contained")?.as_array()?;
    contained
        .iter()
        .find(|one| one.get("id").and_then(Value::as_str) == Some(id))
        .cloned()
}
