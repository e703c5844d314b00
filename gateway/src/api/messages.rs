//! `GET /v1/messages/{id}`: one message's way from what was received to the last attempt, without its content.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_mappings::model::id::MessageId;
use utoipa::ToSchema;

mod list;

use super::Api;
use super::body::Path;
use super::caller::{As, MessageReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use super::timeline::{self, Step};
use crate::pipeline::canary;
use crate::pipeline::core::Core;
use crate::store::{OutboxRow, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/messages/{id}",
        "A message's way: received, matched, decided, mapped, each attempt; never its content",
    )
    .allow::<MessageReaders>()
    .gives::<MessageView>(200, "The timeline")
    .refuses(404, "No such message");
    list::routes(routes).add(doc, show)
}

/// What a message is and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageHead {
    /// Its id.
    pub id: String,
    /// The destination.
    pub lane: String,
    /// Kind of message.
    pub kind: String,
    /// The case whose order it keeps, as an opaque key.
    pub case: String,
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
    /// Whose fault the last failure was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Why it failed, is parked or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&OutboxRow> for MessageHead {
    fn from(row: &OutboxRow) -> Self {
        Self {
            id: row.id.to_string(),
            lane: row.lane.clone(),
            kind: row.kind.clone(),
            case: hex::encode(&row.case_key),
            state: row.state.code(),
            attempts: row.attempts,
            created_at: row.created_at.to_string(),
            due_at: row.due_at.to_string(),
            changed_at: row.changed_at.to_string(),
            fault: row.fault.clone(),
            note: row.note.clone(),
        }
    }
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageView {
    /// What it is and where it stands.
    #[serde(flatten)]
    pub head: MessageHead,
    /// The decision when it was written.
    pub decision: String,
    /// The file that carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its way, step by step: received, matched, decided, queued, then mapped and attempted as often as it took, and what
    /// operators did with it between.
    pub timeline: Vec<Step>,
}

impl MessageView {
    /// The message with its way.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of(core: &Core, tx: &mut Tx, row: &OutboxRow) -> Result<Self, ApiError> {
        let system = row.lane.parse().ok();
        let system = system.and_then(|lane| core.system(&lane));
        let format = system.and_then(|system| system.output.as_deref());
        Ok(Self {
            head: row.into(),
            decision: row.decision.to_string(),
            file: row.file.clone(),
            timeline: timeline::of(tx, row, format).await?,
        })
    }
}

async fn show(
    _as: As<MessageReaders>,
    State(api): State<Api>,
    Path(id): Path<MessageId>,
) -> Result<Json<MessageView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let row = tx.outbox_head(id).await?;
    let row = row.filter(|row| !canary::is_one(row));
    let row = row.ok_or(ApiError::NotFound)?;
    Ok(Json(MessageView::of(core, &mut tx, &row).await?))
}
