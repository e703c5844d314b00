//! `POST /v1/referrals/{id}/status`: one side moves a referral. The answer says at once whether the move is allowed.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use tandem_coordination::referral::{Readiness, ReferralFact, Refused, Sides};
use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{EventId, ReferralId, SourceEventId, SystemId};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralOutput, ReferralRef, ReferralRole, ReferralStatus, ReferralUpdate,
    SubStatus,
};
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, Systems};
use super::problem::ApiError;
use super::push;
use super::referrals::{ReferralView, visible};
use super::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::pipeline::processor::Applied;
use crate::pipeline::referrals as pipeline;
use crate::state::referral::ReferralDoc;
use crate::store::{EventState, Ingested, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post(
        "/v1/referrals/{id}/status",
        "Source or target moves a referral, or gives detail below its state",
    )
    .allow::<Systems>()
    .header(
        "Idempotency-Key",
        "The sender's own id of the message; a repeat has no further effect",
    )
    .takes::<StatusChange>()
    .gives::<ReferralView>(200, "Moved, or a repeat of what already stands")
    .refuses(404, "No such referral on the caller's side")
    .refuses(
        409,
        "The table does not have the move, or not for this side; `reason` says why",
    );
    routes.add(doc, change)
}

/// How a referral is to stand.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusChange {
    /// State.
    #[schema(value_type = String, example = "accepted")]
    pub status: ReferralStatus,
    /// Why.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "no-capacity")]
    pub reason: Option<ReasonCode>,
    /// Why, in words.
    #[serde(default)]
    pub reason_text: Option<String>,
    /// Detail below the state.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "waitlisted")]
    pub sub_status: Option<SubStatus>,
    /// The sender's own id of the referral, when it is the target and has not told it yet.
    #[serde(default)]
    pub own_ref: Option<String>,
    /// What came of it.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub outputs: Vec<ReferralOutput>,
}

impl StatusChange {
    fn into_body(self, id: ReferralId) -> Result<Body, ApiError> {
        let status = self.status;
        let update = Box::new(ReferralUpdate {
            referral: ReferralRef {
                id: Some(id),
                source_ref: None,
                target_ref: self.own_ref,
            },
            status,
            reason: self.reason,
            reason_text: self.reason_text,
            sub_status: self.sub_status,
            role: None,
            outputs: self.outputs,
            original: None,
        });
        Ok(match status {
            ReferralStatus::Accepted => Body::ReferralAccepted(update),
            ReferralStatus::Rejected => Body::ReferralRejected(update),
            ReferralStatus::InProgress => Body::ReferralInProgress(update),
            ReferralStatus::OnHold => Body::ReferralOnHold(update),
            ReferralStatus::Completed | ReferralStatus::Failed => Body::ReferralClosed(update),
            ReferralStatus::Cancelled => Body::ReferralCancelled(update),
            ReferralStatus::EnteredInError => Body::ReferralError(update),
            ReferralStatus::Draft | ReferralStatus::Requested => {
                let text =
                    format!("a referral is asked with POST /v1/referrals, not moved to {status}");
                return Err(ApiError::Conflict {
                    text,
                    reason: Some("move-not-listed"),
                });
            }
        })
    }
}

async fn change(
    by: As<Systems>,
    State(api): State<Api>,
    Path(id): Path<ReferralId>,
    headers: HeaderMap,
    JsonBody(change): JsonBody<StatusChange>,
) -> Result<Json<ReferralView>, ApiError> {
    let (core, system) = (api.core(), by.caller.system()?);
    let key = push::key(&headers)?;
    visible(&mut core.store.snapshot().await?, id, &by.caller).await?;
    let body = change.into_body(id)?;
    let document = apply(core, system, id, key.as_deref(), vec![body]).await?;
    Ok(Json(ReferralView::of(&document, Some(system))))
}

/// Lets a system's moves of a referral take effect at once: events, state and messages in one transaction. When a move is
/// refused none takes effect; the refusal is recorded and audited.
///
/// # Errors
/// 409 with the reason when the table does not have a move; when the store fails.
pub(super) async fn apply(
    core: &Core,
    system: &SystemId,
    id: ReferralId,
    key: Option<&str>,
    moves: Vec<Body>,
) -> Result<ReferralDoc, ApiError> {
    let mut tx = core.store.begin().await?;
    if let Some(key) = key {
        let content =
            serde_json::to_vec(&moves).map_err(|error| ApiError::Internal(error.to_string()))?;
        match tx
            .ingest(system, &format!("status:{id}:{key}"), &content)
            .await?
        {
            Ingested::Same => return current(&mut tx, id).await,
            Ingested::Changed => {
                let text = "the idempotency key was used with other content".to_owned();
                return Err(ApiError::Conflict {
                    text,
                    reason: Some("key-reused"),
                });
            }
            Ingested::New => {}
        }
    }
    for body in moves {
        let event = event(core, &tx, system, body)?;
        if let Some((why, reason)) = one(core, &mut tx, id, &event).await? {
            // Nothing of it may stand, not even the key: a repeat is refused like the first.
            drop(tx);
            record_refusal(core, &event, &why).await?;
            return Err(ApiError::Conflict { text: why, reason });
        }
    }
    let document = current(&mut tx, id).await?;
    tx.commit().await?;
    core.wake();
    Ok(document)
}

async fn current(tx: &mut Tx, id: ReferralId) -> Result<ReferralDoc, ApiError> {
    tx.get::<ReferralDoc>(&id.to_string())
        .await?
        .ok_or(ApiError::NotFound)
}

fn event(core: &Core, tx: &Tx, system: &SystemId, body: Body) -> Result<Event, ApiError> {
    let now = core.clock.now();
    let id = tx.new_event_id(now);
    let own = SourceEventId::new(id.to_string())
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(Event {
        id: EventId(id),
        recorded_at: now,
        system: system.clone(),
        jurisdiction: core.loaded.config.jurisdiction.clone(),
        decision_id: None,
        payload_version: 1,
        told: NewEvent::new(now, own, body),
    })
}

/// Applies one move; says why it was refused, in words and as a code.
async fn one(
    core: &Core,
    tx: &mut Tx,
    id: ReferralId,
    event: &Event,
) -> Result<Option<(String, Option<&'static str>)>, ApiError> {
    let before = current(tx, id).await?;
    let reference = ReferralRef {
        id: Some(id),
        source_ref: None,
        target_ref: None,
    };
    let position = tx.append_event(event, None, EventState::Waiting).await?;
    match pipeline::moved(core, tx, event, &reference).await? {
        Applied::Done | Applied::Nothing | Applied::Forgotten | Applied::Echo => {
            tx.settle_event(position, EventState::Applied, None).await?;
            Ok(None)
        }
        Applied::Refused(why) | Applied::Parked(why) => Ok(Some((
            why,
            reason_of(core, &before, event).map(|refused| refused.code()),
        ))),
    }
}

async fn record_refusal(core: &Core, event: &Event, why: &str) -> Result<(), ApiError> {
    let mut tx = core.store.begin().await?;
    let position = tx.append_event(event, None, EventState::Refused).await?;
    tx.settle_event(position, EventState::Refused, Some(why))
        .await?;
    tx.audit(
        core.clock.now(),
        event.system.as_str(),
        "event.refused",
        &event.id.to_string(),
        why,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// The rule that refused, for the code in the problem.
fn reason_of(core: &Core, before: &ReferralDoc, event: &Event) -> Option<Refused> {
    let sides = Sides {
        source: before.source.clone(),
        target: before.target.clone(),
        gateway: core.gateway.clone(),
    };
    let fact = ReferralFact::of(event, &sides, Readiness::complete())?;
    before
        .state
        .clone()
        .apply(&core.referral_rules, &fact)
        .err()
}

/// On which side of a referral a system stands.
pub(super) fn side_of(document: &ReferralDoc, system: &SystemId) -> ReferralRole {
    if document.source == *system {
        ReferralRole::Source
    } else {
        ReferralRole::Target
    }
}
