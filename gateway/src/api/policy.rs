//! `/v1/policy`: the rules in force, those to come, and what other rules would have answered.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_consent::Bundle;
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path, Query};
use super::caller::{Administrators, As, PolicyReaders};
use super::decisions::change::{Change, changes};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::pipeline::replay::{ReplayError, basis};
use crate::policy::{self, ActivationError};
use crate::state::reconsidering::ReconsideringDoc;
use crate::store::{ActivationRow, EvidenceKind};

/// Recorded decisions that are made again, when nobody says how many.
const REPLAYED: i64 = 10_000;
/// Samples of a change.
const SAMPLES: usize = 3;

pub(super) fn routes(routes: Routes) -> Routes {
    let status = Doc::get(
        "/v1/policy",
        "The rules in force, those to come and those that were",
    )
    .allow::<PolicyReaders>()
    .gives::<PolicyView>(200, "By hash");
    let bundle = Doc::get(
        "/v1/policy/bundles/{hash}",
        "Every file of rules that are or were in force",
    )
    .allow::<PolicyReaders>()
    .gives::<StoredBundle>(200, "The files")
    .refuses(404, "No such rules");
    let replay = Doc::post(
        "/v1/policy/replay",
        "Makes recorded decisions again with other rules; nothing is changed",
    )
    .allow::<PolicyReaders>()
    .query("limit", "Most decisions, the newest ones")
    .takes::<StoredBundle>()
    .gives::<Replayed>(
        200,
        "What would have been answered differently, by recipient and category",
    )
    .refuses(422, "The rules do not pass their checks");
    let activate = Doc::post(
        "/v1/policy/activations",
        "Schedules rules to count from an instant on, with the signatures of author and approver",
    )
    .allow::<Administrators>()
    .takes::<NewActivation>()
    .gives::<ActivationView>(201, "Scheduled")
    .refuses(
        409,
        "They would permit what is not ticked, or are scheduled already",
    )
    .refuses(
        422,
        "They do not pass their checks, or the signatures do not",
    );
    routes
        .add(status, show)
        .add(bundle, show_bundle)
        .add(replay, replay_with)
        .add(activate, add_activation)
}

/// The rules in force and all others that were or will be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyView {
    /// Hash of the rules in force.
    pub in_force: String,
    /// Whose county layer they hold.
    pub jurisdiction: Option<String>,
    /// How many rules.
    pub rules: usize,
    /// Probes of the canary since the start, whose data must always be denied.
    pub canary_probes: u64,
    /// How many of them were permitted: anything but 0 is an alarm.
    pub canary_permitted: u64,
    /// When the canary was probed last.
    pub canary_probed_at: Option<String>,
    /// How far what was told before the rules in force counted has been decided again by them; absent when all has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deciding_again: Option<DecidingAgain>,
    /// Activations, the latest instant first; empty while the rules of the configuration count.
    pub activations: Vec<ActivationView>,
}

/// How far rules have reached what was told before they counted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecidingAgain {
    /// Since when.
    pub since: String,
    /// How much is done, in hundredths.
    pub percent: u32,
    /// Records for whose people it failed; it is begun anew for them.
    pub failed: u32,
}

impl From<ReconsideringDoc> for DecidingAgain {
    fn from(document: ReconsideringDoc) -> Self {
        Self {
            since: document.since.to_string(),
            percent: document.percent(),
            failed: document.failed,
        }
    }
}

/// Rules and the instant from which they count.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActivationView {
    /// Hash of the rules.
    pub bundle: String,
    /// From when they count.
    pub effective_at: String,
    /// When they were put in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Who scheduled them.
    pub recorded_by: String,
    /// When.
    pub recorded_at: String,
    /// The signed notes.
    pub approvals: Vec<String>,
}

impl From<ActivationRow> for ActivationView {
    fn from(row: ActivationRow) -> Self {
        Self {
            bundle: row.bundle,
            effective_at: row.effective_at.to_string(),
            started_at: row.started_at.map(|at| at.to_string()),
            recorded_by: row.recorded_by,
            recorded_at: row.recorded_at.to_string(),
            approvals: row.approvals,
        }
    }
}

/// Every file of a bundle.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredBundle {
    /// The files of rules and of the county's layer, by path.
    #[schema(value_type = Object)]
    pub bundle: serde_json::Value,
}

impl StoredBundle {
    fn load(&self) -> Result<Bundle, ApiError> {
        let bundle = Bundle::from_stored(&self.bundle.to_string());
        bundle.map_err(|error| ApiError::Invalid(error.to_string()))
    }
}

/// What other rules would have answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replayed {
    /// Hash of those rules.
    pub bundle: String,
    /// Decisions made again.
    pub decisions: usize,
    /// Decisions that could not be made again.
    pub not_replayable: usize,
    /// Categories of which something would be told that was not.
    pub newly_permitted: BTreeSet<String>,
    /// What is answered differently, those that open first.
    pub changes: Vec<CountedChange>,
}

/// A change, with how often and where.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountedChange {
    /// What differs.
    #[serde(flatten)]
    pub change: Change,
    /// In how many decisions.
    pub count: usize,
    /// Some of them.
    pub samples: Vec<String>,
}

/// Rules to be put in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewActivation {
    /// The files of rules and of the county's layer, by path.
    #[schema(value_type = Object)]
    pub bundle: serde_json::Value,
    /// The signed notes of author and approver; none where the county has no signers.
    #[serde(default)]
    pub approvals: Vec<String>,
    /// From when they count.
    #[schema(value_type = String)]
    pub effective_at: Timestamp,
    /// The categories of which more may be told than before: each needs a tick of its own.
    #[serde(default)]
    pub ticks: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Page {
    limit: Option<i64>,
}

async fn show(
    _as: As<PolicyReaders>,
    State(api): State<Api>,
) -> Result<Json<PolicyView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let activations = tx.activations().await?;
    let reconsidering = tx.get::<ReconsideringDoc>(ReconsideringDoc::NAME).await?;
    let bundle = core.judge.bundle();
    Ok(Json(PolicyView {
        in_force: bundle.hash().to_owned(),
        jurisdiction: bundle.jurisdiction().map(str::to_owned),
        rules: bundle.rules().count(),
        canary_probes: core.canary.probes(),
        canary_permitted: core.canary.escapes(),
        canary_probed_at: core.canary.probed_at().map(|at| at.to_string()),
        deciding_again: reconsidering.map(DecidingAgain::from),
        activations: activations.into_iter().map(ActivationView::from).collect(),
    }))
}

async fn show_bundle(
    _as: As<PolicyReaders>,
    State(api): State<Api>,
    Path(hash): Path<String>,
) -> Result<Json<StoredBundle>, ApiError> {
    let mut tx = api.core().store.snapshot().await?;
    let text = tx
        .evidence(EvidenceKind::Bundle, &hash)
        .await?
        .ok_or(ApiError::NotFound)?;
    let bundle =
        serde_json::from_str(&text).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(Json(StoredBundle { bundle }))
}

async fn replay_with(
    by: As<PolicyReaders>,
    State(api): State<Api>,
    Query(page): Query<Page>,
    JsonBody(asked): JsonBody<StoredBundle>,
) -> Result<Json<Replayed>, ApiError> {
    let core = api.core();
    let bundle = asked.load()?;
    let replayed = replayed(core, &bundle, page.limit.unwrap_or(REPLAYED)).await?;
    let mut tx = core.store.begin().await?;
    let (now, who) = (core.clock.now(), by.caller.name());
    tx.audit(now, who, "policy.replay", bundle.hash(), "")
        .await?;
    tx.commit().await?;
    Ok(Json(replayed))
}

async fn add_activation(
    by: As<Administrators>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<NewActivation>,
) -> Result<(StatusCode, Json<ActivationView>), ApiError> {
    let core = api.core();
    let stored = StoredBundle {
        bundle: asked.bundle,
    };
    let bundle = stored.load()?;
    let replayed = replayed(core, &bundle, REPLAYED).await?;
    let unticked: Vec<_> = replayed
        .newly_permitted
        .difference(&asked.ticks)
        .cloned()
        .collect();
    if !unticked.is_empty() {
        let unticked = unticked.join(", ");
        let text =
            format!("these rules would permit what was denied, and it is not ticked: {unticked}");
        return Err(ApiError::conflict(text));
    }
    let mut tx = core.store.begin().await?;
    let who = by.caller.name();
    let row = policy::schedule(
        core,
        &mut tx,
        &bundle,
        asked.approvals,
        asked.effective_at,
        who,
    )
    .await
    .map_err(refused)?;
    tx.commit().await?;
    core.wake_timers();
    Ok((StatusCode::CREATED, Json(row.into())))
}

fn refused(error: ActivationError) -> ApiError {
    match error {
        ActivationError::Store(error) => error.into(),
        ActivationError::Scheduled => ApiError::conflict(error.to_string()),
        ActivationError::Kept(_) => ApiError::Internal(error.to_string()),
        other => ApiError::Invalid(other.to_string()),
    }
}

/// Makes the newest decisions again with other rules.
async fn replayed(core: &Core, bundle: &Bundle, limit: i64) -> Result<Replayed, ApiError> {
    let mut tx = core.store.snapshot().await?;
    let (mut decisions, mut not_replayable) = (0, 0);
    let mut counted: BTreeMap<Change, Vec<String>> = BTreeMap::new();
    for row in tx.decisions(None, limit).await? {
        let basis = match basis(&mut tx, &row).await {
            Ok(basis) => basis,
            Err(ReplayError::Store(error)) => return Err(error.into()),
            Err(_) => {
                not_replayable += 1;
                continue;
            }
        };
        decisions += 1;
        let after = basis.decide(bundle)?;
        for change in changes(basis.request(), &basis.given, &after) {
            counted.entry(change).or_default().push(row.id.to_string());
        }
    }
    let newly_permitted = counted
        .keys()
        .filter(|one| one.opens)
        .map(|one| one.category.clone())
        .collect();
    let mut changes: Vec<CountedChange> = counted
        .into_iter()
        .map(|(change, ids)| CountedChange {
            change,
            count: ids.len(),
            samples: ids.into_iter().take(SAMPLES).collect(),
        })
        .collect();
    changes.sort_by_key(|one| (!one.change.opens, std::cmp::Reverse(one.count)));
    Ok(Replayed {
        bundle: bundle.hash().to_owned(),
        decisions,
        not_replayable,
        newly_permitted,
        changes,
    })
}
