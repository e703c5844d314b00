//! Referrals: a system asks, and sees its own; operators and auditors see how they stand, without people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{ReferralId, SourceEventId, SystemId};
use tandem_mappings::model::referral::{ReferralRef, ReferralRequest, ReferralStatus};
use utoipa::ToSchema;

use super::Api;
use super::body::{JSON, Path, Query, Raw, expect_kind, limit, parse};
use super::caller::{As, Caller, ReferralReaders, Systems};
use super::problem::ApiError;
use super::push::{self, Effect, Receipt};
use super::route::{Doc, Routes};
use crate::pipeline::referrals as pipeline;
use crate::state::referral::ReferralDoc;
use crate::store::{OutboxState, StoreError, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/referrals",
        "Referrals, newest first: a system sees those on whose side it stands",
    )
    .allow::<ReferralReaders>()
    .query("status", "Only those that stand so")
    .query("limit", "Most entries")
    .gives::<Referrals>(200, "Without any person's data");
    let show = Doc::get("/v1/referrals/{id}", "One referral")
        .allow::<ReferralReaders>()
        .gives::<ReferralView>(
            200,
            "How it stands; the source also sees what it wrote itself",
        )
        .refuses(404, "No such referral, or not on the caller's side");
    let create = Doc::post(
        "/v1/referrals",
        "A system refers people whom it has told of before",
    )
    .allow::<Systems>()
    .header(
        "Idempotency-Key",
        "The source's own id of the referral, when the body does not give `referral.source_ref`",
    )
    .takes_raw(&["application/json"])
    .gives::<ReferralView>(
        201,
        "Recorded; `status` says whether it was asked of the target or waits as a draft",
    )
    .gives::<Receipt>(
        202,
        "Durable, and waits: who or what it names is not known yet",
    )
    .refuses(
        409,
        "The key was used with other content, or a rule refuses the referral",
    )
    .refuses(422, "The content does not hold together");
    routes
        .add(list, list_referrals)
        .add(show, show_referral)
        .add(create, create_referral)
}

/// Referrals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Referrals {
    /// The entries.
    pub referrals: Vec<ReferralView>,
}

/// How a referral stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReferralView {
    /// The gateway's id.
    pub id: String,
    /// State; none while it lacks content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in words; for the two sides alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// Detail below the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_status: Option<String>,
    /// What for.
    pub domain: String,
    /// How urgent.
    pub urgency: String,
    /// Who refers.
    pub source: String,
    /// Who is asked.
    pub target: String,
    /// The caller's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_ref: Option<String>,
    /// The people, by the source's own ids; for the source alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// When it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<String>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// When its loop was closed: the source's system acknowledged the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loop_closed_at: Option<String>,
    /// When it was first recorded.
    pub created_at: String,
}

impl ReferralView {
    /// The referral as a caller may see it.
    pub(super) fn of(document: &ReferralDoc, system: Option<&SystemId>) -> Self {
        let is_source = system == Some(&document.source);
        let state = &document.state;
        let own_ref = if is_source {
            &document.source_ref
        } else {
            &document.target_ref
        };
        let subjects = document
            .people
            .iter()
            .filter(|_| is_source)
            .map(|key| key.person.to_string());
        Self {
            id: document.id.to_string(),
            status: state.status().map(|status| status.code().to_owned()),
            reason: state.reason().map(|reason| reason.code().to_owned()),
            reason_text: system.and_then(|_| state.reason_text()).map(str::to_owned),
            sub_status: state.sub_status().map(|detail| detail.code().to_owned()),
            domain: document.request.domain.code().to_owned(),
            urgency: document.request.urgency.code().to_owned(),
            source: document.source_organization.to_string(),
            target: document.target_organization.to_string(),
            own_ref: own_ref.clone().filter(|_| system.is_some()),
            subjects: subjects.collect(),
            requested_at: state.requested_at().map(|at| at.to_string()),
            closed_at: state.closed_at().map(|at| at.to_string()),
            loop_closed_at: state.loop_closed_at().map(|at| at.to_string()),
            created_at: document.created_at.to_string(),
        }
    }
}

/// Whether a system may know of a referral: its source does; its target once the request was delivered to it.
///
/// # Errors
/// When the store fails.
pub(super) async fn is_known_to(
    tx: &mut Tx,
    document: &ReferralDoc,
    system: &SystemId,
) -> Result<bool, StoreError> {
    if document.source == *system {
        return Ok(true);
    }
    let (Some(message), true) = (
        document.request_message,
        document.target.as_ref() == Some(system),
    ) else {
        return Ok(false);
    };
    let row = tx.outbox_head(message).await?;
    Ok(row.is_some_and(|row| {
        matches!(
            row.state,
            OutboxState::Delivered | OutboxState::Acknowledged
        )
    }))
}

/// The referral, when the caller may know of it.
///
/// # Errors
/// 404 when there is none or the caller may not know.
pub(super) async fn visible(
    tx: &mut Tx,
    id: ReferralId,
    caller: &Caller,
) -> Result<ReferralDoc, ApiError> {
    let document = tx
        .get::<ReferralDoc>(&id.to_string())
        .await?
        .ok_or(ApiError::NotFound)?;
    match &caller.token().system {
        Some(system) if !is_known_to(tx, &document, system).await? => Err(ApiError::NotFound),
        _ => Ok(document),
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    status: Option<String>,
    limit: Option<i64>,
}

async fn list_referrals(
    by: As<ReferralReaders>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Referrals>, ApiError> {
    let wanted = filter.status.as_deref().map(|text| {
        ReferralStatus::from_code(text)
            .ok_or_else(|| ApiError::Invalid("status: no state is called so".to_owned()))
    });
    let wanted = wanted.transpose()?;
    let mut tx = api.core().store.snapshot().await?;
    let system = by.caller.token().system.as_ref();
    let mut found = match system {
        Some(system) => own(&mut tx, system).await?,
        None => tx.all::<ReferralDoc>().await?,
    };
    found.retain(|document| wanted.is_none() || document.state.status() == wanted);
    found.sort_by_key(|document| std::cmp::Reverse((document.created_at, document.id)));
    found.truncate(usize::try_from(limit(filter.limit)).unwrap_or(100));
    Ok(Json(Referrals {
        referrals: found
            .iter()
            .map(|document| ReferralView::of(document, system))
            .collect(),
    }))
}

/// The referrals of which a system may know.
///
/// # Errors
/// When the store fails.
pub(super) async fn own(tx: &mut Tx, system: &SystemId) -> Result<Vec<ReferralDoc>, StoreError> {
    let mut found = tx
        .find::<ReferralDoc>("referral.source", system.as_str())
        .await?;
    for document in tx
        .find::<ReferralDoc>("referral.target", system.as_str())
        .await?
    {
        let is_new = !found.iter().any(|known| known.id == document.id);
        if is_new && is_known_to(tx, &document, system).await? {
            found.push(document);
        }
    }
    Ok(found)
}

async fn show_referral(
    by: As<ReferralReaders>,
    State(api): State<Api>,
    Path(id): Path<ReferralId>,
) -> Result<Json<ReferralView>, ApiError> {
    let mut tx = api.core().store.snapshot().await?;
    let document = visible(&mut tx, id, &by.caller).await?;
    Ok(Json(ReferralView::of(
        &document,
        by.caller.token().system.as_ref(),
    )))
}

async fn create_referral(
    by: As<Systems>,
    State(api): State<Api>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, ApiError> {
    let system = by.caller.system()?;
    expect_kind(&headers, JSON)?;
    push::may_enter(api.core(), system)?;
    let mut request: ReferralRequest = parse(&body)?;
    let source_ref = own_ref(&mut request, &headers)?;
    let reference = ReferralRef {
        id: None,
        source_ref: Some(source_ref.clone()),
        target_ref: None,
    };
    // The gateway's ids are the gateway's to give, and the sender is whom the token names.
    (request.referral, request.source) = (reference.clone(), None);
    let key = format!("referral:{source_ref}");
    let event_id = SourceEventId::new(key.as_str()).map_err(|_| {
        ApiError::Invalid("referral.source_ref: longer than an id may be".to_owned())
    })?;
    let body_of_event = Body::ReferralRequested(Box::new(request));
    let told = NewEvent::new(api.core().clock.now(), event_id, body_of_event);
    push::enters(api.core(), system, &told).await?;
    let reader = Arc::new(Told(vec![told]));
    let accepted = push::accept(&api, system, reader, Some(&key), body.to_vec()).await?;
    let effect = push::effect(&api, accepted.input).await?;
    created(&api, system, &reference, &effect, Receipt::from(accepted)).await
}

/// The source's own id of the referral: in the body, else the idempotency key.
fn own_ref(request: &mut ReferralRequest, headers: &HeaderMap) -> Result<String, ApiError> {
    if request.subjects.is_empty() {
        let text = "subjects: at least one person is needed".to_owned();
        return Err(ApiError::Invalid(text));
    }
    let told = request.referral.source_ref.take().unwrap_or_default();
    if !told.trim().is_empty() {
        return Ok(told.trim().to_owned());
    }
    push::key(headers)?.ok_or_else(|| {
        let text = "referral.source_ref: the source's own id is needed, or an Idempotency-Key";
        ApiError::Invalid(text.to_owned())
    })
}

async fn created(
    api: &Api,
    system: &SystemId,
    reference: &ReferralRef,
    effect: &Effect,
    receipt: Receipt,
) -> Result<Response, ApiError> {
    if let Effect::Refused(text) = effect {
        return Err(ApiError::Conflict {
            text: text.clone(),
            reason: Some("referral-refused"),
        });
    }
    let mut tx = api.core().store.snapshot().await?;
    let Some(document) = pipeline::resolve(&mut tx, system, reference).await? else {
        return Ok((StatusCode::ACCEPTED, Json(receipt)).into_response());
    };
    let location = format!("/v1/referrals/{}", document.id);
    let view = ReferralView::of(&document, Some(system));
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(view),
    )
        .into_response())
}

/// Events that the gateway made of a request, as something that can be accepted like any input.
pub(super) struct Told(pub(super) Vec<NewEvent>);

impl FormatReader for Told {
    fn format(&self) -> Format {
        Format::FhirBundle
    }

    fn read(
        &self,
        _input: Input<'_>,
        _context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        self.0
            .iter()
            .try_for_each(|event| sink.event(event.clone()))
    }
}
