//! `GET /v1/messages/{id}`: one message's way through its lane, without its content.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_mappings::model::id::MessageId;
use utoipa::ToSchema;

use super::Api;
use super::body::Path;
use super::caller::{As, MessageReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::store::{AttemptRow, OutboxRow};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/messages/{id}",
        "A message's way: states, attempts, decisions; never its content",
    )
    .allow::<MessageReaders>()
    .gives::<MessageView>(200, "The timeline")
    .refuses(404, "No such message");
    routes.add(doc, show)
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageView {
    /// Its id.
    pub id: String,
    /// The destination.
    pub lane: String,
    /// Kind of message.
    pub kind: String,
    /// State.
    pub state: &'static str,
    /// Attempts since it was written or replayed.
    pub attempts: i64,
    /// When it was written.
    pub created_at: String,
    /// Not before.
    pub due_at: String,
    /// Last change of state.
    pub changed_at: String,
    /// The decision when it was written.
    pub decision: String,
    /// The file that carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whose fault the last failure was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Why it failed, is parked or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Every attempt, in order.
    pub timeline: Vec<AttemptView>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptView {
    /// From 1.
    pub number: i64,
    /// Start.
    pub started_at: String,
    /// End.
    pub ended_at: String,
    /// What came of it.
    pub outcome: String,
    /// Whose fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The decision before it.
    pub decision: String,
}

impl MessageView {
    /// The message with its attempts.
    pub(super) fn of(row: &OutboxRow, attempts: &[AttemptRow]) -> Self {
        let timeline = attempts.iter().map(|attempt| AttemptView {
            number: attempt.number,
            started_at: attempt.started_at.to_string(),
            ended_at: attempt.ended_at.to_string(),
            outcome: attempt.outcome.clone(),
            fault: attempt.fault.clone(),
            note: attempt.note.clone(),
            decision: attempt.decision.to_string(),
        });
        Self {
            id: row.id.to_string(),
            lane: row.lane.clone(),
            kind: row.kind.clone(),
            state: row.state.code(),
            attempts: row.attempts,
            created_at: row.created_at.to_string(),
            due_at: row.due_at.to_string(),
            changed_at: row.changed_at.to_string(),
            decision: row.decision.to_string(),
            file: row.file.clone(),
            fault: row.fault.clone(),
            note: row.note.clone(),
            timeline: timeline.collect(),
        }
    }
}

async fn show(
    _as: As<MessageReaders>,
    State(api): State<Api>,
    Path(id): Path<MessageId>,
) -> Result<Json<MessageView>, ApiError> {
    let mut tx = api.core().store.snapshot().await?;
    let row = tx.outbox(id).await?.ok_or(ApiError::NotFound)?;
    let attempts = tx.attempts(id).await?;
    Ok(Json(MessageView::of(&row, &attempts)))
}
