//! `POST /fhir/Task` and `PUT /fhir/Task/{id}`: a system refers, and both sides move the referral.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::conversation::Step;
use tandem_adapter_port::write::Delivery;
use tandem_fhir::config::FhirConfig;
use tandem_fhir::conversation::FetchFocus;
use tandem_fhir::conversation::inbound::{self, Fetched, Posted, PostedTask, operation_outcome};
use tandem_fhir::write::outcome::Issue;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{ReferralId, SystemId};
use tandem_mappings::model::referral::{ReferralRef, ReferralRole};

use super::view::{PostedTaskDoc, Served, serve};
use super::{FhirError, conditional, config_of, resource, store_failed};
use crate::api::Api;
use crate::api::body::{Path, Raw, expect_kind};
use crate::api::caller::{As, Systems};
use crate::api::problem::ApiError;
use crate::api::push::{self, Effect};
use crate::api::referral_status;
use crate::api::referrals::{Told, visible};
use crate::api::route::{Doc, Routes};
use crate::pipeline::referrals as pipeline;
use crate::state::referral::ReferralDoc;
use crate::transport::http::PartnerClient;

/// What a body may call itself. The generic type is taken too (FHIR R4, section 3.1.0.1.10).
const KINDS: &[&str] = &[super::FHIR_JSON, "application/json", "text/json"];

pub(super) fn routes(routes: Routes) -> Routes {
    let create = Doc::post(
        "/fhir/Task",
        "Refers: a Task whose focus is contained or stands on the sender's own server",
    )
    .allow::<Systems>()
    .header(
        "If-None-Exist",
        "`identifier=SYSTEM|VALUE`: create only if no Task that the caller posted has it",
    )
    .takes_raw(KINDS)
    .gives_raw(
        201,
        super::FHIR_JSON,
        "The Task under the gateway's id; `Location` and `ETag`",
    )
    .gives_raw(
        200,
        super::FHIR_JSON,
        "The same Task was posted before, or one fits If-None-Exist",
    )
    .gives_raw(
        202,
        super::FHIR_JSON,
        "Durable, and waits: who or what it names is not known yet",
    )
    .gives_raw(
        409,
        super::FHIR_JSON,
        "The identifier was used with other content, or a rule refuses the referral",
    )
    .gives_raw(412, super::FHIR_JSON, "Several Tasks fit If-None-Exist")
    .gives_raw(415, super::FHIR_JSON, "The body is of another kind")
    .gives_raw(
        422,
        super::FHIR_JSON,
        "The Task or its focus does not fit the profile",
    );
    let update = Doc::put(
        "/fhir/Task/{id}",
        "Moves the referral; only the status and what belongs to it is taken from a target",
    )
    .allow::<Systems>()
    .header(
        "If-Match",
        "The version that was read; another one is refused with 412",
    )
    .takes_raw(KINDS)
    .gives_raw(200, super::FHIR_JSON, "The Task as it stands now")
    .gives_raw(404, super::FHIR_JSON, "No such Task on the caller's side")
    .gives_raw(
        409,
        super::FHIR_JSON,
        "The move is not allowed, or not to this side",
    )
    .gives_raw(412, super::FHIR_JSON, "Somebody else was first")
    .gives_raw(422, super::FHIR_JSON, "The Task does not fit the profile");
    routes.add(create, post).add(update, put)
}

async fn post(
    by: As<Systems>,
    State(api): State<Api>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, FhirError> {
    expect_kind(&headers, KINDS)?;
    let system = by.caller.system()?;
    let config = config_of(&api, system)?;
    if let Some(answer) = conditional::existing(&api, system, &config, &headers).await? {
        return Ok(answer);
    }
    let context = context(&api, system)?;
    let posted = match inbound::receive_task(&body, &config, &context) {
        Posted::NeedsFocus { task, fetch } => {
            let focus = fetch_focus(&api, system, *fetch).await?;
            inbound::with_focus(*task, focus, &config, &context)
        }
        posted => posted,
    };
    let posted = match posted {
        Posted::Complete(posted) => posted,
        Posted::Refused(refusal) => return Err(FhirError::Refused(refusal)),
        Posted::NeedsFocus { .. } => {
            return Err(ApiError::Internal("a focus was asked for twice".to_owned()).into());
        }
    };
    for event in &posted.events {
        push::enters(api.core(), system, event).await?;
    }
    let reader = Arc::new(Told(posted.events.clone()));
    let key = format!("fhir-task:{}", posted.effect);
    let accepted = push::accept(&api, system, reader, Some(&key), body.to_vec()).await?;
    match push::effect(&api, accepted.input).await? {
        Effect::Refused(text) => Err(FhirError::refused(
            StatusCode::CONFLICT,
            "business-rule",
            "Task",
            text,
        )),
        Effect::Parked(text) => Ok(waiting(&text)),
        Effect::Applied | Effect::Waiting => {
            created(&api, system, *posted, &config, accepted.is_duplicate).await
        }
    }
}

fn context(api: &Api, system: &SystemId) -> Result<ReadContext, ApiError> {
    let core = api.core();
    let organization = core.organization_of(system).ok_or(ApiError::Forbidden)?;
    Ok(api
        .intake
        .context(system, &organization, "Task", core.clock.now())?)
}

/// Durable, and not yet in effect.
fn waiting(text: &str) -> Response {
    let issue = Issue {
        severity: "information",
        ..Issue::warning("informational", "Task", text)
    };
    resource(StatusCode::ACCEPTED, &operation_outcome(&[issue]))
}

/// Reads the focus from the sender's own server; nothing else is fetched, whatever the Task says.
async fn fetch_focus(
    api: &Api,
    system: &SystemId,
    mut fetch: FetchFocus,
) -> Result<Value, FhirError> {
    const MOST_REQUESTS: usize = 4;
    let path = "Task.focus.reference";
    let server = api
        .core()
        .system(system)
        .and_then(|config| config.fhir.as_ref());
    let Some(server) = server else {
        let text = "contain the ServiceRequest: no FHIR server is configured for this system";
        return Err(FhirError::refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "value",
            path,
            text,
        ));
    };
    let client = PartnerClient::new(server.token_file.as_deref(), server.authority.as_deref())
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let mut answer = None;
    for _ in 0..MOST_REQUESTS {
        match fetch.step(answer.take(), api.core().clock.now()) {
            Fetched::Focus(focus) => return Ok(*focus),
            Fetched::Step(Step::Send(request)) => answer = Some(client.send(*request).await),
            Fetched::Step(Step::Done(conclusion)) => {
                return Err(match conclusion.delivery {
                    Some(Delivery::Retry { .. }) => ApiError::Unavailable.into(),
                    _ => FhirError::refused(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "not-found",
                        path,
                        "the ServiceRequest cannot be read there",
                    ),
                });
            }
        }
    }
    Err(ApiError::Unavailable.into())
}

/// The referral that the posted Task opened is there: its Task is kept and answered.
async fn created(
    api: &Api,
    system: &SystemId,
    posted: PostedTask,
    config: &FhirConfig,
    is_repeat: bool,
) -> Result<Response, FhirError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let found = match reference_of(&posted.events) {
        Some(reference) => pipeline::resolve(&mut tx, system, reference)
            .await
            .map_err(store_failed)?,
        None => None,
    };
    let Some(document) = found else {
        return Ok(waiting("the referral waits to be recorded"));
    };
    if tx
        .get::<PostedTaskDoc>(&document.id.to_string())
        .await?
        .is_none()
    {
        let kept = PostedTaskDoc {
            referral: document.id,
            source: Some(document.source.clone()),
            task: posted.task,
        };
        tx.put(&kept, core.clock.now()).await?;
    }
    let served = serve(api, &mut tx, system, &document)
        .await?
        .ok_or(FhirError::Api(ApiError::NotFound))?;
    tx.commit().await?;
    let status = if is_repeat {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(served.placed(status, document.id, config))
}

fn reference_of(events: &[NewEvent]) -> Option<&ReferralRef> {
    events.iter().find_map(|event| match &event.body {
        Body::ReferralRequested(request) | Body::ReferralDrafted(request) => {
            Some(&request.referral)
        }
        _ => None,
    })
}

async fn put(
    by: As<Systems>,
    State(api): State<Api>,
    Path(id): Path<ReferralId>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, FhirError> {
    expect_kind(&headers, KINDS)?;
    let system = by.caller.system()?;
    let core = api.core();
    // Of two who read the same version only the first finds it still there.
    let _turn = api.turns.of(&core.gateway, &id.to_string()).lock().await;
    let mut tx = core.store.begin().await?;
    let document = visible(&mut tx, id, &by.caller).await?;
    let served = serve(&api, &mut tx, system, &document)
        .await?
        .ok_or(FhirError::Api(ApiError::NotFound))?;
    tx.commit().await?;
    fits(&headers, &served)?;
    let side = referral_status::side_of(&document, system);
    let moves = moves(&api, system, &document, side, &body)?;
    if !moves.is_empty() {
        referral_status::apply(core, system, id, None, moves).await?;
    }
    let mut tx = core.store.begin().await?;
    let document = visible(&mut tx, id, &by.caller).await?;
    if side == ReferralRole::Source {
        replace(&mut tx, &document, &body, core.clock.now()).await?;
    }
    let served = serve(&api, &mut tx, system, &document)
        .await?
        .ok_or(FhirError::Api(ApiError::NotFound))?;
    tx.commit().await?;
    Ok(served.answer(StatusCode::OK))
}

/// The version that was read must be the one that stands, when the sender names one.
fn fits(headers: &HeaderMap, served: &Served) -> Result<(), FhirError> {
    let asked = headers
        .get(header::IF_MATCH)
        .map(|value| value.to_str().unwrap_or_default().trim());
    let opaque = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
    match asked {
        Some(asked) if asked != "*" && opaque(asked) != opaque(&served.etag()) => {
            Err(FhirError::refused(
                StatusCode::PRECONDITION_FAILED,
                "conflict",
                "Task.meta.versionId",
                "the task has another version now: read it again",
            ))
        }
        _ => Ok(()),
    }
}

/// The moves that lead from the stored state to the one that was put.
fn moves(
    api: &Api,
    system: &SystemId,
    document: &ReferralDoc,
    side: ReferralRole,
    body: &[u8],
) -> Result<Vec<Body>, FhirError> {
    let stored = document
        .state
        .status()
        .ok_or(FhirError::Api(ApiError::NotFound))?;
    let config = config_of(api, system)?;
    let context = context(api, system)?;
    let events = inbound::receive_update(body, stored, side, &config, &context)
        .map_err(FhirError::Refused)?;
    let mut moves: Vec<Body> = events.into_iter().map(|event| event.body).collect();
    moves.retain_mut(|body| name_referral(body, document.id));
    Ok(moves)
}

/// The address says which referral is meant, whatever the body says. Returns whether the event moves one.
fn name_referral(body: &mut Body, id: ReferralId) -> bool {
    match body {
        Body::ReferralAccepted(told)
        | Body::ReferralRejected(told)
        | Body::ReferralInProgress(told)
        | Body::ReferralOnHold(told)
        | Body::ReferralClosed(told)
        | Body::ReferralCancelled(told)
        | Body::ReferralError(told) => {
            told.referral = ReferralRef {
                id: Some(id),
                source_ref: None,
                target_ref: None,
            };
            true
        }
        _ => false,
    }
}

/// The source's Task is the source's to write.
async fn replace(
    tx: &mut crate::store::Tx,
    document: &ReferralDoc,
    body: &[u8],
    now: jiff::Timestamp,
) -> Result<(), ApiError> {
    let task: Value = crate::api::body::parse(body)?;
    tx.put(
        &PostedTaskDoc {
            referral: document.id,
            source: Some(document.source.clone()),
            task,
        },
        now,
    )
    .await?;
    // Written again, so that the version grows with the Task.
    Ok(tx.put(document, now).await?)
}
