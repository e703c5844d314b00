//! Recorded consent decisions with their reasons.

pub(super) mod change;
mod labelled;
mod opening;
mod replay;
mod simulation;
mod why;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{DecisionId, PersonId};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::{Path, Query, limit};
use crate::api::caller::{As, Overseers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::store::DecisionRow;

pub(in crate::api) fn routes(routes: Routes) -> Routes {
    let list = Doc::get("/v1/decisions", "Decisions, newest first")
        .allow::<Overseers>()
        .query("person", "Only those about this person")
        .query("limit", "Most entries")
        .gives::<Decisions>(200, "Without requests and reasons");
    let show = Doc::get(
        "/v1/decisions/{id}",
        "One decision: request, answer, reasons, directives; audited",
    )
    .allow::<Overseers>()
    .gives::<DecisionView>(200, "As it was recorded")
    .refuses(404, "No such decision");
    let routes = routes.add(list, list_decisions).add(show, show_decision);
    let routes = why::routes(opening::routes(replay::routes(routes)));
    simulation::routes(routes)
}

/// Decisions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Decisions {
    /// The entries.
    pub decisions: Vec<DecisionSummary>,
}

/// A decision in short.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionSummary {
    /// Its id.
    pub id: String,
    /// When.
    pub decided_at: String,
    /// Action asked for.
    pub action: String,
    /// At which point of a message's way.
    pub stage: String,
    /// Outcome.
    pub outcome: String,
    /// Who would be told.
    pub recipient: String,
    /// About whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

impl From<&DecisionRow> for DecisionSummary {
    fn from(row: &DecisionRow) -> Self {
        Self {
            id: row.id.to_string(),
            decided_at: row.decided_at.to_string(),
            action: row.action.clone(),
            stage: row.stage.clone(),
            outcome: row.outcome.clone(),
            recipient: row.recipient.clone(),
            person: row.person.map(|person| person.to_string()),
        }
    }
}

/// A decision with everything it rests on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionView {
    /// In short.
    #[serde(flatten)]
    pub summary: DecisionSummary,
    /// Hash of the rules.
    pub bundle: String,
    /// Position of the events at which links were resolved.
    pub link_version: i64,
    /// Request, answer with reasons, and the directives considered.
    #[schema(value_type = Object)]
    pub record: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Filter {
    person: Option<PersonId>,
    limit: Option<i64>,
}

async fn list_decisions(
    _as: As<Overseers>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Decisions>, ApiError> {
    let rows = api
        .core()
        .store
        .snapshot()
        .await?
        .decisions(filter.person, limit(filter.limit))
        .await?;
    Ok(Json(Decisions {
        decisions: rows.iter().map(DecisionSummary::from).collect(),
    }))
}

async fn show_decision(
    by: As<Overseers>,
    State(api): State<Api>,
    Path(id): Path<DecisionId>,
) -> Result<Json<DecisionView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let row = tx.decision(id).await?.ok_or(ApiError::NotFound)?;
    looked_at(
        &mut tx,
        core.clock.now(),
        &by.caller,
        "decision.read",
        &id.to_string(),
    )
    .await?;
    tx.commit().await?;
    let summary = DecisionSummary::from(&row);
    Ok(Json(DecisionView {
        summary,
        bundle: row.bundle,
        link_version: row.link_version,
        record: row.record,
    }))
}
