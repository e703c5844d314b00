//! `GET /fhir/Task/{id}`: a referral as the Task of the side that asks.
//!
//! The source reads the Task that it posted, kept current; the target reads the gateway's own order. The version is how
//! often the referral was written, so that the ETag changes with everything that changes the Task.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_fhir::config::FhirConfig;
use tandem_fhir::conversation::inbound::{Applied, TaskChange, apply, stored_task};
use tandem_mappings::model::id::{ReferralId, SystemId};
use tandem_mappings::model::referral::{ReferralRole, ReferralStatus};

use super::{FhirError, conditional, config_of, order, resource, store_failed};
use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{As, Systems};
use crate::api::problem::ApiError;
use crate::api::referrals::visible;
use crate::api::route::{Doc, Routes};
use crate::state::referral::ReferralDoc;
use crate::store::{Document, Index, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/fhir/Task/{id}",
        "A referral as Task, for its source and its target",
    )
    .allow::<Systems>()
    .gives_raw(200, super::FHIR_JSON, "The Task; `ETag` is its version")
    .gives_raw(404, super::FHIR_JSON, "No such Task on the caller's side");
    routes.add(doc, read)
}

/// The Task that a source posted, as it posted it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PostedTaskDoc {
    /// The referral that it opened.
    pub(super) referral: ReferralId,
    /// Who posted it; none in what was kept before conditions were read.
    #[serde(default)]
    pub(super) source: Option<SystemId>,
    /// The Task.
    pub(super) task: Value,
}

impl Document for PostedTaskDoc {
    const KIND: &'static str = "fhir-task";

    fn key(&self) -> String {
        self.referral.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        let values = self
            .source
            .iter()
            .flat_map(|source| conditional::index_values(source, &self.task));
        values
            .map(|value| Index::new(conditional::BY_IDENTIFIER, value))
            .collect()
    }
}

/// A Task as it is served, with its version.
#[derive(Debug)]
pub(super) struct Served {
    /// The Task.
    pub(super) task: Value,
    /// Its version.
    pub(super) version: u64,
}

impl Served {
    /// The entity tag of the version (FHIR R4, section 3.1.0.1.3).
    pub(super) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// As the answer to a create, with where the Task stands.
    pub(super) fn placed(
        &self,
        status: StatusCode,
        id: ReferralId,
        config: &FhirConfig,
    ) -> Response {
        let mut response = self.answer(status);
        let relative = format!("Task/{id}/_history/{}", self.version);
        if let Ok(location) = HeaderValue::from_str(&config.at_gateway(&relative)) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }

    /// As an answer.
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        let mut response = resource(status, &self.task);
        if let Ok(value) = HeaderValue::from_str(&self.etag()) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// The Task of one side; `None` when that side has none.
///
/// # Errors
/// When the store fails.
pub(super) async fn serve(
    api: &Api,
    tx: &mut Tx,
    system: &SystemId,
    document: &ReferralDoc,
) -> Result<Option<Served>, FhirError> {
    let config = config_of(api, system)?;
    let (version, at) = stamp(tx, document).await?;
    let posted = if document.source == *system {
        tx.get::<PostedTaskDoc>(&document.id.to_string())
            .await
            .map_err(store_failed)?
            .map(|posted| posted.task)
    } else {
        order::of(api, tx, &config, document)
            .await?
            .map(|order| order.task)
    };
    Ok(posted.map(|posted| {
        let task = stored_task(&posted, document.id, version, at);
        Served {
            task: current(task, document, &config, at),
            version,
        }
    }))
}

async fn stamp(tx: &mut Tx, document: &ReferralDoc) -> Result<(u64, Timestamp), ApiError> {
    let stamp = tx.stamp::<ReferralDoc>(&document.id.to_string()).await?;
    let (version, at) = stamp.ok_or(ApiError::NotFound)?;
    Ok((u64::try_from(version).unwrap_or(0), at))
}

/// Most steps from one state to another.
const MOST_STEPS: usize = 12;

/// The Task in the state in which the referral stands.
fn current(mut task: Value, document: &ReferralDoc, config: &FhirConfig, at: Timestamp) -> Value {
    let Some(status) = document.state.status() else {
        return task;
    };
    let change = TaskChange {
        status,
        reason: document.state.reason(),
        reason_text: document.state.reason_text().map(str::to_owned),
        sub_status: document.state.sub_status(),
        outputs: document.outputs.clone(),
        domain: Some(document.request.domain),
        gateway_role: ReferralRole::Target,
    };
    for _ in 0..MOST_STEPS {
        match apply(&task, &change, config, at) {
            Ok(Applied::Changed {
                task: next,
                is_last,
            }) => {
                task = next;
                if is_last {
                    break;
                }
            }
            Ok(Applied::Unchanged) => break,
            // A move that was not the target's, such as the source's cancellation: told as it stands.
            Err(_) => {
                tell(&mut task, status, &change);
                break;
            }
        }
    }
    task
}

fn tell(task: &mut Value, status: ReferralStatus, change: &TaskChange) {
    let Some(fields) = task.as_object_mut() else {
        return;
    };
    fields.insert("status".to_owned(), json!(status.code()));
    fields.remove("statusReason");
    let text = change
        .reason_text
        .clone()
        .or_else(|| change.reason.map(|reason| reason.code().replace('-', " ")));
    if let Some(text) = text {
        fields.insert("statusReason".to_owned(), json!({"text": text}));
    }
}

async fn read(
    by: As<Systems>,
    State(api): State<Api>,
    Path(id): Path<ReferralId>,
) -> Result<Response, FhirError> {
    let system = by.caller.system()?;
    // The target's view is decided and the decision recorded.
    let mut tx = api.core().store.begin().await?;
    let document = visible(&mut tx, id, &by.caller).await?;
    let served = serve(&api, &mut tx, system, &document).await?;
    tx.commit().await?;
    served
        .map(|served| served.answer(StatusCode::OK))
        .ok_or(FhirError::Api(ApiError::NotFound))
}
