//! Consent directives: captured by one privacy officer, verified by another, revoked by the person.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::{DirectiveId, MessageId, RecordKey};
use utoipa::ToSchema;

mod check;
pub(crate) mod document;
mod inbox;
mod life;
mod recalled;
mod search;
mod unreadable;

use self::recalled::recalled;
use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, PrivacyOfficers};
use super::link_view::KeyView;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::consents::{self, Captured, ConsentError, Taken};
use crate::pipeline::recalling::Recalls;
use crate::state::directive::{Because, DirectiveDoc};
use crate::store::Tx;

pub(super) fn routes(routes: Routes) -> Routes {
    let capture = Doc::post(
        "/v1/consents",
        "Captures a directive for the people whom it covers, each named by a source record",
    )
    .allow::<PrivacyOfficers>()
    .takes::<NewConsent>()
    .gives::<ConsentView>(
        201,
        "Captured; it opens nothing sensitive before a second person has verified it",
    )
    .refuses(409, "A consent with this id exists")
    .refuses(
        422,
        "It covers nobody whom the gateway knows, or is not of the expected form",
    );
    let show = Doc::get(
        "/v1/consents/{id}",
        "One directive with its earlier versions",
    )
    .allow::<PrivacyOfficers>()
    .gives::<ConsentHistory>(200, "Oldest version first")
    .refuses(404, "No such consent");
    let verify = Doc::post(
        "/v1/consents/{id}/verify",
        "A second person has checked the record against the form: it takes effect",
    )
    .allow::<PrivacyOfficers>()
    .gives::<ConsentView>(200, "Verified")
    .refuses(404, "No such consent")
    .refuses(
        409,
        "It does not wait for verification, or the verifier captured it",
    );
    let revoke = Doc::post(
        "/v1/consents/{id}/revoke",
        "The person takes it back, wholly or for some categories, recipients or sources; it counts from now",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Revocation>()
    .gives::<RevokedView>(
        200,
        "Revoked; the messages whose holders are told to stop. Where much was told, the answer waits some seconds until all of it \
         has been looked at; it is gone on with whether the caller waits or not",
    )
    .refuses(404, "No such consent")
    .refuses(409, "It is not in force");
    let routes = search::routes(life::routes(routes));
    let routes = inbox::routes(document::routes(check::routes(routes)));
    routes
        .add(capture, capture_consent)
        .add(show, show_consent)
        .add(verify, verify_consent)
        .add(revoke, revoke_consent)
}

/// A directive to capture.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConsent {
    /// The directive in Tandem's own form.
    #[schema(value_type = Object)]
    pub directive: Directive,
    /// The people whom it covers: system and the person's id there.
    #[schema(value_type = Vec<Object>)]
    pub covers: Vec<RecordKey>,
}

/// A directive as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentView {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: &'static str,
    /// Who captured it.
    pub captured_by: String,
    /// When.
    pub captured_at: String,
    /// The people whom it covers.
    pub covers: Vec<KeyView>,
    /// Why it is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// The FHIR consent of which it is a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The system that filed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed_by: Option<String>,
    /// Media type of the scanned document; none was stored when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The directive.
    #[schema(value_type = Object)]
    pub directive: Directive,
}

impl From<&DirectiveDoc> for ConsentView {
    fn from(document: &DirectiveDoc) -> Self {
        Self {
            id: document.directive.id.to_string(),
            state: document.directive.standing().code(),
            captured_by: document.captured_by.clone(),
            captured_at: document.captured_at.to_string(),
            covers: document.covers.iter().map(KeyView::from).collect(),
            because: document.because,
            consent: document.consent.clone(),
            filed_by: document.filed_by.as_ref().map(ToString::to_string),
            document: document.scan.as_ref().map(|scan| scan.kind.clone()),
            directive: document.directive.clone(),
        }
    }
}

/// A directive with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentHistory {
    /// As it stands.
    pub current: ConsentView,
    /// Earlier versions, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub history: Vec<Directive>,
}

/// What is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    /// The categories; all when empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub categories: BTreeSet<Category>,
    /// The recipients who may not be told any more; all when empty.
    #[serde(default)]
    pub recipients: BTreeSet<String>,
    /// The sources that may not tell any more; all when empty.
    #[serde(default)]
    pub disclosers: BTreeSet<String>,
    /// How it reached the officer: `written`, `oral`, ...
    #[serde(default)]
    pub channel: Option<String>,
}

impl From<Revocation> for Taken {
    fn from(asked: Revocation) -> Self {
        Self {
            categories: asked.categories,
            recipients: asked.recipients,
            disclosers: asked.disclosers,
            channel: asked.channel,
        }
    }
}

/// A revoked directive.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevokedView {
    /// The directive.
    pub consent: ConsentView,
    /// Messages whose holders are told to stop using them.
    #[schema(value_type = Vec<String>)]
    pub recalled: Vec<MessageId>,
    /// Whether more that was told is still looked at, and may be recalled; absent when all was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recalling: bool,
}

async fn capture_consent(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(new): JsonBody<NewConsent>,
) -> Result<Response, ApiError> {
    let work = capture(api.clone(), by.caller.name().to_owned(), new);
    let document = api.see_through(work).await?;
    let view = ConsentView::from(&document);
    let location = format!("/v1/consents/{}", segment(&view.id));
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(view),
    )
        .into_response())
}

async fn capture(api: Api, actor: String, new: NewConsent) -> Result<DirectiveDoc, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let id = new.directive.id.clone();
    let captured = Captured {
        directive: new.directive,
        covers: new.covers,
        actor: &actor,
        consent: None,
        filed_by: None,
    };
    let document = consents::capture(core, &mut tx, captured).await;
    settled(&api, tx, &id, &actor, document).await
}

/// An id as one segment of an address.
fn segment(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

async fn show_consent(
    _as: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
) -> Result<Json<ConsentHistory>, ApiError> {
    let found = api
        .core()
        .store
        .snapshot()
        .await?
        .get::<DirectiveDoc>(id.as_str())
        .await?;
    let document = found.ok_or(ApiError::NotFound)?;
    Ok(Json(ConsentHistory {
        current: (&document).into(),
        history: document.history,
    }))
}

async fn verify_consent(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
) -> Result<Json<ConsentView>, ApiError> {
    let work = verify(api.clone(), by.caller.name().to_owned(), id);
    let document = api.see_through(work).await?;
    Ok(Json((&document).into()))
}

async fn verify(api: Api, actor: String, id: DirectiveId) -> Result<DirectiveDoc, ApiError> {
    let mut tx = api.core().store.begin().await?;
    let document = consents::verify(api.core(), &mut tx, &id, &actor).await;
    settled(&api, tx, &id, &actor, document).await
}

async fn revoke_consent(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<DirectiveId>,
    JsonBody(asked): JsonBody<Revocation>,
) -> Result<Json<RevokedView>, ApiError> {
    let work = revoke(
        api.clone(),
        by.caller.name().to_owned(),
        id,
        Taken::from(asked),
    );
    let (document, recalls) = api.see_through(work).await?;
    revoked(&api, &document, recalls).await.map(Json)
}

async fn revoke(
    api: Api,
    actor: String,
    id: DirectiveId,
    taken: Taken,
) -> Result<(DirectiveDoc, Recalls), ApiError> {
    let mut tx = api.core().store.begin().await?;
    let revoked = consents::revoke(api.core(), &mut tx, &id, &taken, &actor);
    let revoked = Box::pin(revoked).await;
    settled(&api, tx, &id, &actor, revoked).await
}

/// The answer about a directive that permits less.
async fn revoked(
    api: &Api,
    document: &DirectiveDoc,
    recalls: Recalls,
) -> Result<RevokedView, ApiError> {
    let recalled = recalled(api, &document.covers, recalls).await?;
    Ok(RevokedView {
        consent: document.into(),
        recalled: recalled.messages,
        recalling: recalled.goes_on,
    })
}

/// Commits what was done; a step that was refused leaves nothing but a note in the audit that it was.
async fn settled<T>(
    api: &Api,
    tx: Tx,
    id: &DirectiveId,
    actor: &str,
    done: Result<T, ConsentError>,
) -> Result<T, ApiError> {
    let core = api.core();
    match done {
        Ok(done) => {
            tx.commit().await?;
            core.wake();
            Ok(done)
        }
        Err(error) => {
            drop(tx);
            if let Some(reason) = error.refusal() {
                let mut tx = core.store.begin().await?;
                let now = core.clock.now();
                tx.audit(now, actor, "consent.refused", id.as_str(), &reason)
                    .await?;
                tx.commit().await?;
            }
            Err(error.into())
        }
    }
}
