//! `GET /v1/audit`: who did what to which object.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::body::{Query, limit};
use super::caller::{As, Overseers};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::store::AuditEntry;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/audit",
        "The audit, newest first: codes and ids, never content",
    )
    .allow::<Overseers>()
    .query("action", "Only this action, for example match.query")
    .query("limit", "Most entries")
    .gives::<AuditList>(200, "Entries");
    routes.add(doc, list)
}

/// The audit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditList {
    /// The entries.
    pub entries: Vec<AuditView>,
}

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditView {
    /// Position, from 1.
    pub position: i64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// On which object.
    pub object: String,
    /// Codes.
    pub detail: String,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            position: entry.position,
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            object: entry.object,
            detail: entry.detail,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    action: Option<String>,
    limit: Option<i64>,
}

async fn list(
    _as: As<Overseers>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<AuditList>, ApiError> {
    let mut tx = api.core().store.snapshot().await?;
    let entries = tx
        .audit_entries(filter.action.as_deref(), limit(filter.limit))
        .await?;
    Ok(Json(AuditList {
        entries: entries.into_iter().map(AuditView::from).collect(),
    }))
}
