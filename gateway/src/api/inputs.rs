//! `GET /v1/inputs`: what was received, and what became of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_mappings::model::id::InputId;
use utoipa::ToSchema;

use super::Api;
use super::body::{Path, Query, limit};
use super::caller::{As, LaneReaders, Operators};
use super::problem::ApiError;
use super::push::Receipt;
use super::route::{Doc, Routes};
use crate::pipeline::accept::AcceptError;
use crate::state::held::HeldDoc;
use crate::state::large::LargeDoc;
use crate::store::InputRow;

/// Why a held input is not released unless somebody wants it all the same.
const SUPERSEDED: &str = "something of its system took effect that came after it, and this would take that back; have the \
                          system send it anew, or ask for over_later";

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/inputs",
        "Inputs, newest first, each with its report; no content and no names of files",
    )
    .allow::<LaneReaders>()
    .query("limit", "Most entries")
    .gives::<Inputs>(200, "Inputs");
    let release = Doc::post(
        "/v1/inputs/{id}/release",
        "Lets a held full refresh take effect, with everything that it withdraws",
    )
    .allow::<Operators>()
    .query(
        "over_later",
        "Whether it takes effect though something of its system did that came after it",
    )
    .gives::<Receipt>(200, "Accepted after all; the report")
    .refuses(404, "No such input")
    .refuses(
        409,
        "The input is not held, or something that came after it took effect",
    );
    routes.add(doc, list).add(release, release_held)
}

/// Inputs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Inputs {
    /// The entries.
    pub inputs: Vec<InputView>,
}

/// An input. One in the state `held` waits for an operator.
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
    /// How far a large file is on its way into the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressView>,
}

/// How far a large file is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProgressView {
    /// What is done with it.
    pub stage: &'static str,
    /// Records that stand in the store.
    pub records: u64,
    /// Bytes of what was found in it that this stage has read.
    pub bytes_read: u64,
    /// Bytes of what was found in it.
    pub bytes: u64,
    /// Why it does not go on, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl From<&LargeDoc> for ProgressView {
    fn from(doc: &LargeDoc) -> Self {
        Self {
            stage: doc.stage.code(),
            records: doc.records,
            bytes_read: doc.reached,
            bytes: doc.bytes,
            problem: doc.problem.clone(),
        }
    }
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
            progress: None,
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
    let mut tx = api.core().store.snapshot().await?;
    let rows = tx.inputs(limit(page.limit)).await?;
    let large: Vec<LargeDoc> = tx.all().await?;
    let view = |row: InputRow| {
        let doc = large.iter().find(|doc| doc.input == row.id);
        InputView {
            progress: doc.map(ProgressView::from),
            ..InputView::from(row)
        }
    };
    Ok(Json(Inputs {
        inputs: rows.into_iter().map(view).collect(),
    }))
}

#[derive(Debug, Deserialize)]
struct Releasing {
    #[serde(default)]
    over_later: bool,
}

async fn release_held(
    by: As<Operators>,
    State(api): State<Api>,
    Path(id): Path<InputId>,
    Query(asked): Query<Releasing>,
) -> Result<Json<Receipt>, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let original = tx.original(id).await?.ok_or(ApiError::NotFound)?;
    let held = tx
        .get::<HeldDoc>(&id.to_string())
        .await?
        .ok_or_else(not_held)?;
    if !asked.over_later && tx.is_superseded(id).await? {
        return Err(ApiError::conflict(SUPERSEDED));
    }
    drop(tx);
    let now = core.clock.now();
    let acceptor = &api.intake.acceptor;
    let refused = |error| match error {
        AcceptError::NotHeld => not_held(),
        other => other.into(),
    };
    let accepted = match acceptor.release_large(&held).await.map_err(refused)? {
        Some(accepted) => accepted,
        None => {
            let (reader, context) = reading(&api, &held)?;
            let released = acceptor.release(reader, context, &held, original).await;
            released.map_err(refused)?
        }
    };
    let counts = format!("{} of {}", held.absent, held.known);
    let mut tx = core.store.begin().await?;
    tx.audit(
        now,
        by.caller.name(),
        "input.release",
        &id.to_string(),
        &counts,
    )
    .await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(Receipt::from(accepted)))
}

/// What reads a held input once more.
fn reading(api: &Api, held: &HeldDoc) -> Result<(Arc<dyn FormatReader>, ReadContext), ApiError> {
    let core = api.core();
    let organization = core
        .organization_of(&held.system)
        .ok_or_else(|| ApiError::conflict("its system is not configured any more"))?;
    let format: Option<Format> = held.format.parse().ok();
    let reader = format.and_then(|format| api.intake.adapters.reader(&held.system, format));
    let reader =
        reader.ok_or_else(|| ApiError::conflict("its format is not configured any more"))?;
    let (system, now) = (&held.system, core.clock.now());
    let context = api.intake.context(system, &organization, &held.name, now)?;
    Ok((reader, context))
}

fn not_held() -> ApiError {
    ApiError::conflict("the input is not held")
}
