//! Heads of the audit log, proofs, and what witnesses sign.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tandem_audit::{Signature, VerifierKey};
use tandem_mappings::model::id::DecisionId;
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path, Query};
use super::caller::{As, Overseers, PrivacyOfficers};
use super::persons::looked_at;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::store::Logged;

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

pub(super) fn routes(routes: Routes) -> Routes {
    let keys = Doc::get("/v1/audit/keys", "The public keys of the audit log")
        .allow::<Overseers>()
        .gives::<LogKeys>(200, "As C2SP verifier keys");
    let newest = Doc::get(
        "/v1/audit/checkpoint",
        "The newest signed checkpoint, with what witnesses signed of it",
    )
    .allow::<Overseers>()
    .gives_raw(200, "text/plain", "A C2SP tlog-checkpoint")
    .refuses(404, "None was signed yet");
    let sign = Doc::post("/v1/audit/checkpoint", "Sign a checkpoint now")
        .allow::<PrivacyOfficers>()
        .gives_raw(200, "text/plain", "The newest checkpoint")
        .refuses(404, "The log is empty");
    let proof = Doc::get(
        "/v1/audit/proof",
        "A proof that an event is in the log, with its record; audited",
    )
    .allow::<Overseers>()
    .query("position", "Position of the leaf in the log, from 0")
    .query("decision", "Id of a decision, instead")
    .query("entry", "Position of an audit entry, instead")
    .gives_raw(200, "application/json", "What tandem-audit-verify checks")
    .refuses(400, "Not exactly one of the three")
    .refuses(404, "No such event");
    let growth = Doc::get(
        "/v1/audit/consistency",
        "A proof that the log only grew between two checkpoints",
    )
    .allow::<Overseers>()
    .query("old", "Size of the older checkpoint")
    .query("new", "Size of the newer; the newest when absent")
    .gives_raw(
        200,
        "application/json",
        "What tandem-audit-verify and witnesses check",
    )
    .refuses(404, "One of them was never signed");
    let cosign = Doc::post(
        "/v1/audit/checkpoints/{size}/cosignatures",
        "Hand in what a witness signed; audited",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Cosignature>()
    .gives::<Cosigned>(200, "Whether it is new")
    .refuses(404, "No checkpoint of this size")
    .refuses(422, "The signature is not this key's for this checkpoint");
    routes
        .add(keys, show_keys)
        .add(newest, show_checkpoint)
        .add(sign, sign_now)
        .add(proof, prove)
        .add(growth, prove_growth)
        .add(cosign, take_cosignature)
}

/// Public keys.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogKeys {
    /// The log's.
    pub origin_key: String,
    /// The gateway's own witness's.
    pub witness_key: String,
}

/// What a witness signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cosignature {
    /// The witness's public key.
    pub witness_key: String,
    /// The signature line (C2SP tlog-cosignature).
    pub line: String,
}

/// What became of a cosignature.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cosigned {
    /// Whether it was not there before.
    pub is_new: bool,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    position: Option<i64>,
    decision: Option<DecisionId>,
    entry: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Growth {
    old: i64,
    new: Option<i64>,
}

async fn show_keys(_as: As<Overseers>, State(api): State<Api>) -> Json<LogKeys> {
    let public = api.core().audit.public();
    Json(LogKeys {
        origin_key: public.origin.to_string(),
        witness_key: public.witness.to_string(),
    })
}

async fn show_checkpoint(
    _as: As<Overseers>,
    State(api): State<Api>,
) -> Result<impl IntoResponse, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let note = core.audit.newest(&mut tx).await?;
    Ok((TEXT, note.to_string()))
}

async fn sign_now(
    _as: As<PrivacyOfficers>,
    State(api): State<Api>,
) -> Result<impl IntoResponse, ApiError> {
    let core = api.core();
    // The leaf that records the checkpoint says when; who asked changes nothing of it.
    core.audit.sign(&core.store, core.clock.now()).await?;
    let mut tx = core.store.snapshot().await?;
    let note = core.audit.newest(&mut tx).await?;
    Ok((TEXT, note.to_string()))
}

async fn prove(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<impl IntoResponse, ApiError> {
    let core = api.core();
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let position = match (wanted.position, wanted.decision, wanted.entry) {
        (Some(position), None, None) => position,
        (None, Some(id), None) => {
            core.audit
                .position_of(&mut tx, Logged::Decision(id))
                .await?
        }
        (None, None, Some(entry)) => {
            core.audit
                .position_of(&mut tx, Logged::Audit(entry))
                .await?
        }
        _ => {
            let text = "expected one of position, decision and entry";
            return Err(ApiError::Malformed(text.to_owned()));
        }
    };
    let object = position.to_string();
    looked_at(&mut tx, now, &by.caller, "audit.prove", &object).await?;
    tx.commit().await?;
    // What came since the last checkpoint is covered by one of now.
    core.audit.sign(&core.store, now).await?;
    let mut tx = core.store.snapshot().await?;
    let proof = core.audit.prove(&mut tx, position, true).await?;
    Ok((JSON, proof.to_text()))
}

async fn prove_growth(
    _as: As<Overseers>,
    State(api): State<Api>,
    Query(asked): Query<Growth>,
) -> Result<impl IntoResponse, ApiError> {
    let core = api.core();
    let mut tx = core.store.snapshot().await?;
    let new = match asked.new {
        Some(new) => new,
        None => tx.last_checkpoint().await?.ok_or(ApiError::NotFound)?.size,
    };
    let proof = core.audit.prove_growth(&mut tx, asked.old, new).await?;
    Ok((JSON, proof.to_text()))
}

async fn take_cosignature(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(size): Path<i64>,
    JsonBody(told): JsonBody<Cosignature>,
) -> Result<Json<Cosigned>, ApiError> {
    let core = api.core();
    let key = VerifierKey::parse(told.witness_key.trim())
        .map_err(|error| ApiError::Invalid(format!("witness_key: {error}")))?;
    let line = Signature::parse(told.line.trim_end())
        .ok_or_else(|| ApiError::Invalid("line: expected a signature line of a note".to_owned()))?;
    let mut tx = core.store.begin().await?;
    let is_new = core.audit.cosign(&mut tx, size, &key, &line).await?;
    if is_new {
        let (now, name) = (core.clock.now(), by.caller.name());
        let (object, detail) = (size.to_string(), key.to_string());
        tx.audit(now, name, crate::audit::COSIGN, &object, &detail)
            .await?;
    }
    tx.commit().await?;
    Ok(Json(Cosigned { is_new }))
}
