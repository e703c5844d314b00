//! `GET /v1/matching`: by which model records are linked, and how often links are expected to be wrong.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::{As, ModelReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::match_model::ModelInUse;
use crate::state::link::{LinkDoc, LinkStanding};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/matching",
        "The model by which records are linked: its threshold, and the share of false links that is expected",
    )
    .allow::<ModelReaders>()
    .gives::<Matching>(200, "No value of a person");
    routes.add(doc, show)
}

/// How records are linked now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Matching {
    /// The model in use.
    pub model: ModelInUse,
    /// Records that stand in the index.
    pub records: usize,
    /// Pairs that wait for a steward.
    pub waiting: i64,
    /// Of these, pairs that the model in use has still to judge: another one scored them.
    pub to_judge: i64,
    /// Links that stand, but that a steward should look at again.
    pub doubted: i64,
    /// Whether another model is being learnt.
    pub learning: bool,
}

async fn show(_as: As<ModelReaders>, State(api): State<Api>) -> Result<Json<Matching>, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let waiting = tx
        .count::<LinkDoc>("link.standing", LinkStanding::Candidate.code())
        .await?;
    let doubted = tx.count::<LinkDoc>(LinkDoc::DOUBTED, "yes").await?;
    let (model, records, learning) = {
        let matcher = core.matcher.lock().await;
        (
            matcher.model().clone(),
            matcher.len(),
            matcher.is_learning(),
        )
    };
    let judged = tx
        .count::<LinkDoc>(LinkDoc::WAITING_BY, &model.version)
        .await?;
    Ok(Json(Matching {
        model,
        records,
        waiting,
        to_judge: waiting - judged,
        doubted,
        learning,
    }))
}
