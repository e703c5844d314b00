//! `GET /v1/persons/{id}/accounting`: what was told about a person, as a copy for the person, a parent or privacy staff.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, PersonId};
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path, Query};
use super::caller::{As, Overseers, PrivacyOfficers};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::accounting::{self, Copy, Disclosed, HoldDoc, HoldKind};
use crate::pipeline::family;

/// Longest reference, in bytes.
const REFERENCE_LIMIT: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    let show = Doc::get(
        "/v1/persons/{id}/accounting",
        "The disclosures about a person, each with the laws that ask for it; audited",
    )
    .allow::<Overseers>()
    .query("copy", "For whom: person (the rule), parent or staff")
    .gives::<Accounting>(200, "Newest first")
    .refuses(404, "No records stand under this id");
    let hold = Doc::post(
        "/v1/persons/{id}/accounting/suspensions",
        "Leave disclosures to an organisation out of copies for a time, by its written request (45 CFR 164.528(a)(2)); audited",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Suspension>()
    .gives::<Suspended>(200, "Recorded")
    .refuses(404, "No records stand under this id")
    .refuses(422, "The end is past, the reference empty or too long, or the organisation unknown");
    routes.add(show, list).add(hold, suspend)
}

/// An accounting.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accounting {
    /// The person.
    pub person: String,
    /// When the copy was made.
    pub made_at: String,
    /// For whom.
    pub copy: Copy,
    /// The disclosures.
    pub disclosures: Vec<Disclosed>,
}

/// A written request to leave disclosures out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Suspension {
    /// Disclosures to this organisation.
    #[schema(value_type = String)]
    pub recipient: OrganizationId,
    /// Who asks.
    pub kind: HoldKind,
    /// Where the written request is kept.
    pub reference: String,
    /// Until when.
    #[schema(value_type = String)]
    pub until: Timestamp,
}

/// A recorded request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Suspended {
    /// Its id.
    pub id: String,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    copy: Copy,
}

async fn list(
    by: As<Overseers>,
    State(api): State<Api>,
    Path(id): Path<PersonId>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Accounting>, ApiError> {
    let core = api.core();
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let disclosures = accounting::list(core, &mut tx, id, wanted.copy, now).await?;
    let (object, code) = (id.to_string(), wanted.copy.code());
    tx.audit(now, by.caller.name(), "accounting.read", &object, code)
        .await?;
    let is_known = !family::records_of(&mut tx, id).await?.is_empty();
    tx.commit().await?;
    if disclosures.is_empty() && !is_known {
        return Err(ApiError::NotFound);
    }
    Ok(Json(Accounting {
        person: object,
        made_at: now.to_string(),
        copy: wanted.copy,
        disclosures,
    }))
}

async fn suspend(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(person): Path<PersonId>,
    JsonBody(asked): JsonBody<Suspension>,
) -> Result<Json<Suspended>, ApiError> {
    let core = api.core();
    let now = core.clock.now();
    let invalid = |text: &str| ApiError::Invalid(text.to_owned());
    if asked.until <= now {
        return Err(invalid("until: expected a time to come"));
    }
    if asked.reference.trim().is_empty() || asked.reference.len() > REFERENCE_LIMIT {
        return Err(invalid("reference: expected 1 to 200 bytes"));
    }
    if core
        .loaded
        .registry
        .organization(&asked.recipient)
        .is_none()
    {
        return Err(invalid(
            "recipient: expected an organisation of the registry",
        ));
    }
    let mut tx = core.store.begin().await?;
    if family::records_of(&mut tx, person).await?.is_empty() {
        return Err(ApiError::NotFound);
    }
    let hold = HoldDoc {
        id: uuid::Uuid::now_v7(),
        person,
        recipient: asked.recipient,
        kind: asked.kind,
        reference: asked.reference,
        until: asked.until,
        recorded_by: by.caller.name().to_owned(),
        recorded_at: now,
    };
    tx.put(&hold, now).await?;
    let (object, until) = (person.to_string(), hold.until.to_string());
    tx.audit(now, by.caller.name(), "accounting.suspend", &object, &until)
        .await?;
    tx.commit().await?;
    let id = hold.id.to_string();
    Ok(Json(Suspended { id }))
}
