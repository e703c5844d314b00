//! The moves of a directive's life that somebody asks for.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::directive::{Capacity, DirectiveState};
use tandem_mappings::model::id::{DirectiveId, MessageId, RecordKey};
use utoipa::ToSchema;

use super::recalled::recalled;
use super::{ConsentView, Revocation, RevokedView, revoked, settled};
use crate::api::Api;
use crate::api::body::{JsonBody, Path};
use crate::api::caller::{As, PrivacyOfficers};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::consents::{self, Step, Taken};
use crate::pipeline::family;
use crate::pipeline::recalling::Recalls;
use crate::state::directive::{Because, DirectiveDoc};
use crate::store::Tx;

pub(super) fn routes(routes: Routes) -> Routes {
    let step = Doc::post(
        "/v1/consents/{id}/state",
        "Moves a consent: offered, signed_unverified, refused, suspended, active after a review, superseded, \
         entered_in_error",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Asked>()
    .gives::<RevokedView>(200, "As it stands now; the messages whose holders are told to stop")
    .refuses(404, "No such consent")
    .refuses(409, "It does not become that from where it stands; audited");
    let taken = Doc::post(
        "/v1/consents/revocations",
        "A person takes a permission back wherever it was given: every consent that overlaps, not one",
    )
    .allow::<PrivacyOfficers>()
    .takes::<ScopeRevocation>()
    .gives::<RevokedAll>(200, "What was revoked; the messages whose holders are told to stop")
    .refuses(422, "The record is not known to the gateway");
    let ended = Doc::post(
        "/v1/consents/authority-ended",
        "A guardianship, conservatorship or power of attorney has ended: what was signed under it waits for review",
    )
    .allow::<PrivacyOfficers>()
    .takes::<AuthorityEnded>()
    .gives::<HeldBack>(200, "What is held back")
    .refuses(422, "The record is not known to the gateway");
    routes
        .add(step, move_consent)
        .add(taken, revoke_scope)
        .add(ended, authority_ended)
}

/// A move.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Where it should stand.
    #[schema(value_type = String)]
    to: DirectiveState,
    /// Why it is held back.
    #[serde(default)]
    because: Option<Because>,
    /// The consent that takes its place.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    successor: Option<DirectiveId>,
}

/// A revocation by what it is about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScopeRevocation {
    /// A record of the person.
    #[schema(value_type = Object)]
    record: RecordKey,
    /// What is taken back.
    taken: Revocation,
}

/// What a revocation by scope has done.
#[derive(Debug, Serialize, ToSchema)]
struct RevokedAll {
    /// The consents that it touched.
    consents: Vec<ConsentView>,
    /// Messages whose holders are told to stop using them.
    #[schema(value_type = Vec<String>)]
    recalled: Vec<MessageId>,
    /// Whether more that was told is still looked at, and may be recalled; absent when all was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recalling: bool,
}

/// An authority that ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuthorityEnded {
    /// A record of the person for whom it was held.
    #[schema(value_type = Object)]
    record: RecordKey,
    /// In which capacities was signed: `guardian`, `conservator`, `agent`, `court`, `parent`.
    #[schema(value_type = Vec<String>)]
    capacities: BTreeSet<Capacity>,
}

/// Consents that wait for review.
#[derive(Debug, Serialize, ToSchema)]
struct HeldBack {
    /// The consents.
    consents: Vec<ConsentView>,
}

async fn move_consent(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
    JsonBody(asked): JsonBody<Asked>,
) -> Result<Json<RevokedView>, ApiError> {
    let step = Step {
        to: asked.to,
        because: asked.because,
        successor: asked.successor,
    };
    let work = go(api.clone(), by.caller.name().to_owned(), id, step);
    let (document, recalls) = api.see_through(work).await?;
    revoked(&api, &document, recalls).await.map(Json)
}

async fn go(
    api: Api,
    actor: String,
    id: DirectiveId,
    step: Step,
) -> Result<(DirectiveDoc, Recalls), ApiError> {
    let mut tx = api.core().store.begin().await?;
    let moved = consents::go(api.core(), &mut tx, &id, step, &actor).await;
    settled(&api, tx, &id, &actor, moved).await
}

async fn person_of(
    tx: &mut Tx,
    record: &RecordKey,
) -> Result<tandem_mappings::model::id::PersonId, ApiError> {
    let found = family::record(tx, &record.system, &record.person).await?;
    let unknown = || ApiError::Invalid("the record is not known to the gateway".to_owned());
    Ok(found.ok_or_else(unknown)?.person_id)
}

async fn revoke_scope(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<ScopeRevocation>,
) -> Result<Json<RevokedAll>, ApiError> {
    let work = take_back(api.clone(), by.caller.name().to_owned(), asked);
    let (changed, recalls) = api.see_through(work).await?;
    let covers = changed.iter().flat_map(|one| one.covers.clone());
    let covers: Vec<RecordKey> = covers.collect();
    let recalled = recalled(&api, &covers, recalls).await?;
    Ok(Json(RevokedAll {
        consents: changed.iter().map(ConsentView::from).collect(),
        recalled: recalled.messages,
        recalling: recalled.goes_on,
    }))
}

async fn take_back(
    api: Api,
    actor: String,
    asked: ScopeRevocation,
) -> Result<(Vec<DirectiveDoc>, Recalls), ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let person = person_of(&mut tx, &asked.record).await?;
    let taken = Taken::from(asked.taken);
    let taken_back = consents::revoke_scope(core, &mut tx, person, &taken, &actor);
    let taken_back = Box::pin(taken_back).await?;
    tx.commit().await?;
    core.wake();
    Ok(taken_back)
}

async fn authority_ended(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<AuthorityEnded>,
) -> Result<Json<HeldBack>, ApiError> {
    if asked.capacities.contains(&Capacity::OwnSelf) {
        let text = "capacities: nobody's authority to sign for himself or herself ends so";
        return Err(ApiError::Invalid(text.to_owned()));
    }
    let work = hold_back(api.clone(), by.caller.name().to_owned(), asked);
    let held = api.see_through(work).await?;
    Ok(Json(HeldBack {
        consents: held.iter().map(ConsentView::from).collect(),
    }))
}

async fn hold_back(
    api: Api,
    actor: String,
    asked: AuthorityEnded,
) -> Result<Vec<DirectiveDoc>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let person = person_of(&mut tx, &asked.record).await?;
    let held = consents::authority_ended(core, &mut tx, person, &asked.capacities, &actor).await?;
    tx.commit().await?;
    core.wake();
    Ok(held)
}
