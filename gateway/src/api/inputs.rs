//! `GET /v1/inputs`: what was received, and what became of it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::body::{Query, limit};
use super::caller::{As, LaneReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::store::InputRow;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/inputs",
        "Inputs, newest first, each with its report; no content and no names of files",
    )
    .allow::<LaneReaders>()
    .query("limit", "Most entries")
    .gives::<Inputs>(200, "Inputs");
    routes.add(doc, list)
}

/// Inputs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Inputs {
    /// The entries.
    pub inputs: Vec<InputView>,
}

/// An input.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InputView {
    /// Its id.
    pub id: String,
    /// Who sent it.
    pub system: String,
    /// In which format.
    pub format: String,
    /// When.
    pub received_at: String,
    /// Where it stands.
    pub state: String,
    /// How it came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The report: counts and deviations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub report: Option<serde_json::Value>,
}

impl From<InputRow> for InputView {
    fn from(row: InputRow) -> Self {
        Self {
            id: row.id.to_string(),
            system: row.system,
            format: row.format,
            received_at: row.received_at.to_string(),
            state: row.state,
            outcome: row.outcome,
            report: row.report.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    limit: Option<i64>,
}

async fn list(
    _as: As<LaneReaders>,
    State(api): State<Api>,
    Query(page): Query<Page>,
) -> Result<Json<Inputs>, ApiError> {
    let rows = api
        .core()
        .store
        .snapshot()
        .await?
        .inputs(limit(page.limit))
        .await?;
    Ok(Json(Inputs {
        inputs: rows.into_iter().map(InputView::from).collect(),
    }))
}
