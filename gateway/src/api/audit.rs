//! `GET /v1/audit`: who did what to which object, and the whole log for who verifies it elsewhere. Reading it is audited.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::body::{Query, limit};
use super::caller::{As, Overseers};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::audit::{Exporter, LogError, Shown};
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
    let export = Doc::get(
        "/v1/audit/export",
        "The whole log under a checkpoint signed now, one JSON value a line; audited",
    )
    .allow::<Overseers>()
    .query(
        "show",
        "What of the records: nothing (the rule), columns, or records with what decisions hold",
    )
    .gives_raw(200, "application/jsonl", "What tandem-audit-verify checks");
    routes.add(doc, list).add(export, export_log)
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
    by: As<Overseers>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<AuditList>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let entries = tx
        .audit_entries(filter.action.as_deref(), limit(filter.limit))
        .await?;
    let asked = filter.action.unwrap_or_default();
    tx.audit(core.clock.now(), by.caller.name(), "audit.read", &asked, "")
        .await?;
    tx.commit().await?;
    Ok(Json(AuditList {
        entries: entries.into_iter().map(AuditView::from).collect(),
    }))
}

#[derive(Debug, Deserialize)]
struct ExportFilter {
    #[serde(default)]
    show: Show,
}

/// What of the records an answer shows.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Show {
    #[default]
    Nothing,
    Columns,
    Records,
}

impl Show {
    const fn parts(self) -> (Shown, &'static str) {
        match self {
            Self::Nothing => (Shown::Nothing, "nothing"),
            Self::Columns => (Shown::Columns, "columns"),
            Self::Records => (Shown::Records, "records"),
        }
    }
}

async fn export_log(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(filter): Query<ExportFilter>,
) -> Result<impl IntoResponse, ApiError> {
    let core = api.core();
    let (shown, code) = filter.show.parts();
    let mut tx = core.store.begin().await?;
    tx.audit(
        core.clock.now(),
        by.caller.name(),
        "audit.export",
        "log",
        code,
    )
    .await?;
    tx.commit().await?;
    core.audit.sign(&core.store, core.clock.now()).await?;
    let mut log = core.store.snapshot().await?;
    // The next lines are read when the caller has taken those before, which may be long after.
    log.stands_still().await?;
    let exporter = Exporter::start(log, core.audit.public(), shown, false).await?;
    let lines = futures::stream::try_unfold(exporter, |mut exporter| async {
        let lines = exporter.lines().await.inspect_err(|error| {
            tracing::error!(%error, "an export of the audit log ended early");
        })?;
        Ok::<_, LogError>(lines.map(|lines| (lines, exporter)))
    });
    let kind = [(header::CONTENT_TYPE, "application/jsonl")];
    Ok((kind, Body::from_stream(lines)))
}
