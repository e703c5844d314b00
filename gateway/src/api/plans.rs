//! Plans as their owners told them last. An owner sees its own; privacy officers and auditors see all, audited.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{PersonId, PlanId, RecordKey, SystemId};
use tandem_mappings::model::plan::PlanContent;
use utoipa::ToSchema;

use super::Api;
use super::body::{Path, Query};
use super::caller::{As, Caller, Overseers, PlanReaders};
use super::persons::looked_at;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::family;
use crate::state::plan::PlanDoc;

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get("/v1/plans", "The plans that name a person; audited")
        .allow::<Overseers>()
        .query("person", "The gateway's id of the person")
        .gives::<Plans>(200, "Plans of every owner");
    let show = Doc::get(
        "/v1/plans/{system}/{id}",
        "One plan; audited when somebody else than its owner looks",
    )
    .allow::<PlanReaders>()
    .gives::<PlanView>(200, "The plan with every object told so far")
    .refuses(404, "No such plan, or not the caller's own");
    routes.add(list, list_plans).add(show, show_plan)
}

/// Plans.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Plans {
    /// The entries.
    pub plans: Vec<PlanView>,
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanView {
    /// The owner's system.
    pub system: String,
    /// The episode in whose overlay it is lined up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode: Option<String>,
    /// When its owner told of it last.
    pub updated_at: String,
    /// The plan: subjects by the owner's ids, goals, activities, funding lines.
    #[schema(value_type = Object)]
    pub content: PlanContent,
}

impl From<PlanDoc> for PlanView {
    fn from(document: PlanDoc) -> Self {
        Self {
            system: document.system.to_string(),
            episode: document.episode.map(|id| id.to_string()),
            updated_at: document.updated_at.to_string(),
            content: document.content,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    person: PersonId,
}

async fn list_plans(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Plans>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let records: Vec<RecordKey> = family::records_of(&mut tx, filter.person)
        .await?
        .into_iter()
        .map(|record| record.key)
        .collect();
    looked_at(
        &mut tx,
        core.clock.now(),
        &by.caller,
        "plan.read",
        &filter.person.to_string(),
    )
    .await?;
    let mut found = tx.all::<PlanDoc>().await?;
    tx.commit().await?;
    found.retain(|plan| {
        let names = |key: &RecordKey| {
            key.system == plan.system && plan.content.subjects.contains(&key.person)
        };
        records.iter().any(names)
    });
    Ok(Json(Plans {
        plans: found.into_iter().map(PlanView::from).collect(),
    }))
}

async fn show_plan(
    by: As<PlanReaders>,
    State(api): State<Api>,
    Path((system, plan)): Path<(SystemId, PlanId)>,
) -> Result<Json<PlanView>, ApiError> {
    let core = api.core();
    let owner = &by.caller.token().system;
    if owner.as_ref().is_some_and(|owner| *owner != system) {
        return Err(ApiError::NotFound);
    }
    let mut tx = core.store.begin().await?;
    let found = tx.get::<PlanDoc>(&PlanDoc::key_of(&system, &plan)).await?;
    if owner.is_none() {
        note(&mut tx, &api, &by.caller, &system, &plan).await?;
        tx.commit().await?;
    }
    found
        .map(|document| Json(document.into()))
        .ok_or(ApiError::NotFound)
}

/// The owner's plan id may be an agency's own number, so a keyed hash of it stands in the audit.
async fn note(
    tx: &mut crate::store::Tx,
    api: &Api,
    caller: &Caller,
    system: &SystemId,
    plan: &PlanId,
) -> Result<(), ApiError> {
    let hash = tx.mac("audit.plan", &PlanDoc::key_of(system, plan))?;
    let object = hex::encode(hash.get(..16).unwrap_or_default());
    looked_at(tx, api.core().clock.now(), caller, "plan.read", &object).await
}
