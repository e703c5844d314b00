//! `POST /v1/decisions/{id}/replay`: a recorded decision made again with the rules, facts and directives of its time.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_consent::Decision;
use tandem_mappings::model::id::{DecisionId, PersonId, RecordKey};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{As, Overseers};
use crate::api::link_view::KeyView;
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::replay::{Basis, Bundles, ReplayError, basis};
use crate::state::record::RecordDoc;
use crate::store::{DecisionRow, StoreError, Tx};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post(
        "/v1/decisions/{id}/replay",
        "Makes a decision again with its own rules, facts and directives; audited",
    )
    .allow::<Overseers>()
    .gives::<ReplayView>(200, "Whether the answer is the same, byte for byte")
    .refuses(404, "No such decision");
    routes.add(doc, replay)
}

/// A decision made again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplayView {
    /// The decision.
    pub id: String,
    /// Whether the answer is the same, byte for byte.
    pub is_same: bool,
    /// Why it could not be made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Hash of the rules of that time.
    pub bundle: String,
    /// Position of the events at which links were resolved.
    pub link_version: i64,
    /// The source records that were the person then.
    pub records: Vec<KeyView>,
    /// The answer that was given.
    #[schema(value_type = Object)]
    pub given: serde_json::Value,
    /// The answer that comes out now, when it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub again: Option<Decision>,
}

async fn replay(
    by: As<Overseers>,
    State(api): State<Api>,
    Path(id): Path<DecisionId>,
) -> Result<Json<ReplayView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let row = tx.decision(id).await?.ok_or(ApiError::NotFound)?;
    let now = core.clock.now();
    looked_at(&mut tx, now, &by.caller, "decision.replay", &id.to_string()).await?;
    tx.commit().await?;
    // Deciding takes its time: nobody waits for the writer meanwhile.
    let mut tx = core.store.snapshot().await?;
    let records = records_then(&mut tx, row.person, row.link_version).await?;
    let bundles = Bundles::with(core.judge.bundle());
    let (again, problem) = match again(&mut tx, &row, bundles).await {
        Ok((basis, again)) => (Some((basis.given, again)), None),
        Err(ReplayError::Store(error)) => return Err(error.into()),
        Err(problem) => (None, Some(problem.to_string())),
    };
    let is_same = again
        .as_ref()
        .is_some_and(|(given, again)| given.to_canonical_json() == again.to_canonical_json());
    Ok(Json(ReplayView {
        id: id.to_string(),
        is_same,
        problem,
        bundle: row.bundle,
        link_version: row.link_version,
        records: records.iter().map(KeyView::from).collect(),
        given: row.record.get("decision").cloned().unwrap_or_default(),
        again: again.map(|(_, again)| again).filter(|_| !is_same),
    }))
}

async fn again(
    tx: &mut Tx,
    row: &DecisionRow,
    mut bundles: Bundles,
) -> Result<(Basis, Decision), ReplayError> {
    let bundle = bundles.get(tx, &row.bundle).await?;
    let basis = basis(tx, row).await?;
    let again = basis.decide(&bundle)?;
    Ok((basis, again))
}

/// The records that were a person at a link version.
async fn records_then(
    tx: &mut Tx,
    person: Option<PersonId>,
    version: i64,
) -> Result<Vec<RecordKey>, StoreError> {
    let Some(person) = person else {
        return Ok(Vec::new());
    };
    // Records that left the person since are found by whoever holds them now.
    let all = tx.all::<RecordDoc>().await?;
    let then = all
        .into_iter()
        .filter(|record| record.person_at(version) == person);
    Ok(then.map(|record| record.key).collect())
}
