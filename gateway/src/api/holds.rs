//! `/v1/holds`: legal holds, placed and released by privacy officers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, RecordKey};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::body::{JsonBody, Path, Query};
use super::caller::{As, Overseers, PrivacyOfficers};
use super::lanes::reason;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::pipeline::retention::{self, HoldError};
use crate::state::legal_hold::{HoldScope, LegalHoldDoc};
use crate::store::{StoreError, Tx};

/// Longest case, in letters.
const LONGEST: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get("/v1/holds", "Legal holds, newest first")
        .allow::<Overseers>()
        .query(
            "standing",
            "`placed` (unless another is given) or `released`",
        )
        .gives::<Holds>(200, "What is held, by whose word and why");
    let place = Doc::post(
        "/v1/holds",
        "Keeps everything about a person, of a case or of an organisation from being disposed of; permits nothing",
    )
    .allow::<PrivacyOfficers>()
    .takes::<NewHold>()
    .gives::<HoldView>(201, "Placed; `is_known` says whether the gateway knows what it names")
    .refuses(422, "Not one of record, case and organization, or no reason");
    let release = Doc::post(
        "/v1/holds/{id}/release",
        "What was held goes when its term is over",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Ending>()
    .gives::<HoldView>(200, "Released")
    .refuses(422, "No reason")
    .refuses(404, "No such hold")
    .refuses(409, "It was released before");
    routes
        .add(list, list_holds)
        .add(place, place_hold)
        .add(release, release_hold)
}

/// A hold to be placed: on one of record, case and organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewHold {
    /// A record of the person: its system, and the person's id there.
    #[schema(value_type = Option<Object>)]
    pub record: Option<RecordKey>,
    /// The id of a referral or of co-management, or a case's key.
    pub case: Option<String>,
    /// An organisation.
    #[schema(value_type = Option<String>)]
    pub organization: Option<OrganizationId>,
    /// Why; who sees the hold reads it.
    pub reason: String,
}

impl NewHold {
    fn scope(self) -> Result<HoldScope, ApiError> {
        let one_of = || {
            let text = "expected one of record, case and organization".to_owned();
            ApiError::Invalid(text)
        };
        match (self.record, self.case, self.organization) {
            (Some(record), None, None) => Ok(HoldScope::Record(record)),
            (None, Some(case), None) if (1..=LONGEST).contains(&case.chars().count()) => {
                Ok(HoldScope::Case(case))
            }
            (None, Some(_), None) => {
                let text = format!("case: expected 1 to {LONGEST} letters");
                Err(ApiError::Invalid(text))
            }
            (None, None, Some(organization)) => Ok(HoldScope::Organization(organization)),
            _ => Err(one_of()),
        }
    }
}

/// Why a hold ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    /// In a few words.
    pub reason: String,
}

/// Which holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    standing: Option<Standing>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Placed,
    Released,
}

/// Holds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Holds {
    /// The entries.
    pub holds: Vec<HoldView>,
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldView {
    /// Its id.
    pub id: String,
    /// `record`, `case` or `organization`.
    pub scope: &'static str,
    /// The system of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The person's id there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Whether the gateway knows what it names.
    pub is_known: bool,
    /// Why it was placed.
    pub reason: String,
    /// By whom.
    pub placed_by: String,
    /// When.
    pub placed_at: String,
    /// By whom it was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_at: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_reason: Option<String>,
}

impl HoldView {
    async fn of(core: &Core, tx: &mut Tx, hold: LegalHoldDoc) -> Result<Self, StoreError> {
        let is_known = retention::is_known(core, tx, &hold.scope).await?;
        let scope = hold.scope.code();
        let (mut system, mut person, mut case, mut organization) = (None, None, None, None);
        match hold.scope {
            HoldScope::Record(key) => {
                system = Some(key.system.as_str().to_owned());
                person = Some(key.person.as_str().to_owned());
            }
            HoldScope::Case(id) => case = Some(id),
            HoldScope::Organization(id) => organization = Some(id.as_str().to_owned()),
        }
        let released = hold.released.as_ref();
        Ok(Self {
            id: hold.id.to_string(),
            scope,
            system,
            person,
            case,
            organization,
            is_known,
            released_by: released.map(|end| end.by.clone()),
            released_at: released.map(|end| end.at.to_string()),
            release_reason: released.map(|end| end.reason.clone()),
            reason: hold.reason,
            placed_by: hold.by,
            placed_at: hold.at.to_string(),
        })
    }
}

async fn list_holds(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Holds>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let standing = match filter.standing {
        Some(Standing::Released) => LegalHoldDoc::RELEASED,
        _ => LegalHoldDoc::PLACED,
    };
    let mut found = tx
        .find::<LegalHoldDoc>(LegalHoldDoc::STANDING, standing)
        .await?;
    found.sort_by_key(|hold| std::cmp::Reverse(hold.id));
    let mut holds = Vec::new();
    for hold in found {
        holds.push(HoldView::of(core, &mut tx, hold).await?);
    }
    // Who is held is about people: that somebody looked is kept, as for every list of them.
    let (now, who) = (core.clock.now(), by.caller.name());
    tx.audit(now, who, "hold.list", standing, "").await?;
    tx.commit().await?;
    Ok(Json(Holds { holds }))
}

async fn place_hold(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<NewHold>,
) -> Result<(StatusCode, Json<HoldView>), ApiError> {
    let core = api.core();
    let why = reason(&asked.reason)?;
    let hold = retention::place(core, by.caller.name(), asked.scope()?, why).await?;
    let mut tx = core.store.snapshot().await?;
    let view = HoldView::of(core, &mut tx, hold).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

async fn release_hold(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    JsonBody(asked): JsonBody<Ending>,
) -> Result<Json<HoldView>, ApiError> {
    let core = api.core();
    let why = reason(&asked.reason)?;
    let released = retention::release(core, by.caller.name(), id, why).await;
    let hold = released.map_err(|error| match error {
        HoldError::NotFound => ApiError::NotFound,
        HoldError::Released => ApiError::conflict(error.to_string()),
        HoldError::Store(error) => error.into(),
    })?;
    let mut tx = core.store.snapshot().await?;
    HoldView::of(core, &mut tx, hold)
        .await
        .map(Json)
        .map_err(Into::into)
}
