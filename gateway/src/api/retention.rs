//! `/v1/retention`: how long each kind of row is kept, by which law, what the last run found, and runs on a privacy
//! officer's word.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, PrivacyOfficers, RetentionReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::config::{Disposal, RetentionConfig, RowKind, Term, Terms};
use crate::pipeline::core::Core;
use crate::pipeline::retention::duty;
use crate::state::retention::{Counts, LastRunDoc, RunDoc};

pub(super) fn routes(routes: Routes) -> Routes {
    let show = Doc::get(
        "/v1/retention",
        "How long each kind of row is kept and by which law, and what the last run found",
    )
    .allow::<RetentionReaders>()
    .gives::<RetentionView>(200, "Counts and ages only");
    let ask = Doc::post(
        "/v1/retention/runs",
        "Asks for a run: a dry one counts, a confirmed one disposes of what is past its term, not needed and not held",
    )
    .allow::<PrivacyOfficers>()
    .takes::<NewRun>()
    .gives::<RunView>(202, "The gateway that has the duty carries it out")
    .refuses(422, "Not one of dry_run and confirm");
    let run = Doc::get(
        "/v1/retention/runs/{id}",
        "What a run found and disposed of",
    )
    .allow::<RetentionReaders>()
    .gives::<RunView>(200, "With `ended_at` once it has ended")
    .refuses(404, "No such run");
    routes
        .add(show, show_retention)
        .add(ask, ask_for_run)
        .add(run, show_run)
}

/// Retention.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionView {
    /// Version of the table of terms.
    pub terms: String,
    /// When what is past its term is disposed of.
    pub dispose: Disposal,
    /// When the last run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run_at: Option<String>,
    /// Since when the daily run disposes of nothing and waits for a confirmed one: the pause before it was unusually long,
    /// or the clock was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<String>,
    /// The kinds.
    pub kinds: Vec<KindView>,
}

/// A kind of row.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KindView {
    /// The kind.
    pub kind: RowKind,
    /// How long it is kept.
    pub term: String,
    /// From when that is counted.
    pub counted_from: &'static str,
    /// On what the term of the table rests.
    pub source: &'static str,
    /// The shortest term that may be set.
    pub least: String,
    /// By what.
    pub least_by: &'static str,
    /// Rows that stand.
    pub rows: u64,
    /// From when the oldest of them is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// Rows past their term that nothing keeps.
    pub due: u64,
    /// Rows past their term under a legal hold.
    pub held: u64,
    /// Rows past their term that something still needs, by what.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub needed: BTreeMap<String, u64>,
    /// Rows that the run has disposed of.
    pub disposed: u64,
}

/// A run that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRun {
    /// Count, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Dispose of what is due. What is disposed of can't be brought back.
    #[serde(default)]
    pub confirm: bool,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunView {
    /// Its id.
    pub id: String,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: String,
    /// Whether it only counts.
    pub dry_run: bool,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The kinds.
    pub kinds: Vec<KindView>,
}

fn kinds(config: &RetentionConfig, counts: &Counts) -> Vec<KindView> {
    let rows = RowKind::ALL.iter().filter_map(|kind| {
        let row = Terms::shipped().of(*kind)?;
        let found = counts.get(kind).cloned().unwrap_or_default();
        Some(KindView {
            kind: *kind,
            term: config.term(*kind).to_string(),
            counted_from: &row.counted_from,
            source: &row.why,
            least: Term::Years(row.least).to_string(),
            least_by: &row.least_by,
            rows: found.rows,
            oldest: found.oldest.map(|at| at.to_string()),
            due: found.due,
            held: found.held,
            needed: found.needed,
            disposed: found.disposed,
        })
    });
    rows.collect()
}

fn view(core: &Core, run: RunDoc) -> RunView {
    RunView {
        id: run.id.to_string(),
        asked_at: run.asked_at.to_string(),
        dry_run: run.is_dry,
        ended_at: run.ended_at.map(|at| at.to_string()),
        kinds: kinds(&core.loaded.config.retention, &run.counts),
        asked_by: run.by,
    }
}

async fn show_retention(
    _as: As<RetentionReaders>,
    State(api): State<Api>,
) -> Result<Json<RetentionView>, ApiError> {
    let core = api.core();
    let config = &core.loaded.config.retention;
    let mut tx = core.store.snapshot().await?;
    let last = tx.get::<LastRunDoc>(LastRunDoc::KEY).await?;
    let counts = last.as_ref().map(|last| last.counts.clone());
    Ok(Json(RetentionView {
        terms: Terms::shipped().version.clone(),
        dispose: config.dispose,
        last_run_at: last.as_ref().map(|last| last.at.to_string()),
        waits_since: last.and_then(|last| last.waits_since.map(|at| at.to_string())),
        kinds: kinds(config, &counts.unwrap_or_default()),
    }))
}

async fn ask_for_run(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<NewRun>,
) -> Result<(StatusCode, Json<RunView>), ApiError> {
    if asked.dry_run == asked.confirm {
        let text = "expected one of dry_run and confirm".to_owned();
        return Err(ApiError::Invalid(text));
    }
    let core = api.core();
    let run = duty::ask(core, by.caller.name(), asked.dry_run).await?;
    Ok((StatusCode::ACCEPTED, Json(view(core, run))))
}

async fn show_run(
    _as: As<RetentionReaders>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<RunView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let run = tx.get::<RunDoc>(&id.to_string()).await?;
    let run = run.ok_or(ApiError::NotFound)?;
    Ok(Json(view(core, run)))
}
