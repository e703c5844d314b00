//! `/v1/break-glass` for privacy officers: what was opened, why, and the review of it.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Api;
use crate::api::body::{JsonBody, Path, Query, limit};
use crate::api::caller::{As, Overseers, PrivacyOfficers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::state::break_glass::{BreakGlassDoc, Outcome, Reason, Review};

/// Longest note of a review, in bytes.
const NOTE_LIMIT: usize = 4_000;

pub(super) fn routes(routes: Routes) -> Routes {
    let all = Doc::get(
        "/v1/break-glass",
        "Emergencies by where their review stands; `not_justified` is the list for breach review",
    )
    .allow::<Overseers>()
    .query(
        "standing",
        "waiting (the rule), overdue, justified, not_justified or denied",
    )
    .query("limit", "Most entries")
    .gives::<Emergencies>(200, "What is due first comes first");
    let one = Doc::get(
        "/v1/break-glass/{id}",
        "One emergency with its reason in words; audited",
    )
    .allow::<PrivacyOfficers>()
    .gives::<EmergencyView>(200, "The emergency")
    .refuses(404, "No such emergency");
    let review = Doc::post(
        "/v1/break-glass/{id}/review",
        "Record what the review of an emergency found; audited",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Found>()
    .gives::<EmergencyView>(200, "Recorded")
    .refuses(404, "No such emergency")
    .refuses(409, "Nothing was opened, or it was reviewed");
    routes
        .add(all, list)
        .add(one, show)
        .add(review, record_review)
}

/// Where a review stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    #[default]
    Waiting,
    Overdue,
    Justified,
    NotJustified,
    Denied,
}

impl Standing {
    const fn code(self) -> &'static str {
        match self {
            Self::Waiting | Self::Overdue => "waiting",
            Self::Justified => "justified",
            Self::NotJustified => "not_justified",
            Self::Denied => "denied",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    standing: Standing,
    limit: Option<i64>,
}

/// Emergencies.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Emergencies {
    /// The emergencies.
    pub emergencies: Vec<EmergencyView>,
}

/// One emergency.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EmergencyView {
    /// Its id.
    pub id: String,
    /// When.
    pub at: String,
    /// The system through which it was asked.
    pub system: String,
    /// Who asked, as that system knows him or her.
    pub user: String,
    /// In which role.
    pub role: String,
    /// For what.
    pub purpose: String,
    /// Why.
    pub reason: Reason,
    /// Why, in words; only when one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The decision.
    pub decision: String,
    /// Where its review stands.
    pub standing: &'static str,
    /// Until when it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When its review is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_due: Option<String>,
    /// Whether the review is overdue.
    pub is_overdue: bool,
    /// Who reviewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<String>,
    /// The reviewer's note; only when one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a review found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Found {
    /// The outcome.
    pub outcome: Outcome,
    /// In words.
    pub note: String,
}

impl EmergencyView {
    fn of(document: &BreakGlassDoc, now: Timestamp, with_words: bool) -> Self {
        let grant = document.grant.as_ref();
        let review = grant.and_then(|grant| grant.review.as_ref());
        Self {
            id: document.id.to_string(),
            at: document.at.to_string(),
            system: document.system.to_string(),
            user: document.user.clone(),
            role: document.role.clone(),
            purpose: document.purpose.as_str().to_owned(),
            reason: document.reason,
            text: with_words.then(|| document.text.clone()),
            decision: document.decision.to_string(),
            standing: document.standing(),
            until: grant.map(|grant| grant.until.to_string()),
            review_due: grant.map(|grant| grant.review_due.to_string()),
            is_overdue: document.is_overdue(now),
            reviewed_by: review.map(|review| review.by.clone()),
            reviewed_at: review.map(|review| review.at.to_string()),
            note: review
                .filter(|_| with_words)
                .map(|review| review.note.clone()),
        }
    }
}

async fn list(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Emergencies>, ApiError> {
    let core = api.core();
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let (field, code) = (BreakGlassDoc::STANDING, wanted.standing.code());
    let mut found = tx.find::<BreakGlassDoc>(field, code).await?;
    looked_at(&mut tx, now, &by.caller, "break-glass.list", code).await?;
    tx.commit().await?;
    found.retain(|one| wanted.standing != Standing::Overdue || one.is_overdue(now));
    found.sort_by_key(|one| (one.grant.as_ref().map(|grant| grant.review_due), one.at));
    found.truncate(usize::try_from(limit(wanted.limit)).unwrap_or(100));
    let emergencies = found.iter().map(|one| EmergencyView::of(one, now, false));
    Ok(Json(Emergencies {
        emergencies: emergencies.collect(),
    }))
}

async fn show(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<EmergencyView>, ApiError> {
    let core = api.core();
    let (now, key) = (core.clock.now(), id.to_string());
    let mut tx = core.store.begin().await?;
    let found = tx.get::<BreakGlassDoc>(&key).await?;
    let document = found.ok_or(ApiError::NotFound)?;
    looked_at(&mut tx, now, &by.caller, "break-glass.show", &key).await?;
    tx.commit().await?;
    Ok(Json(EmergencyView::of(&document, now, true)))
}

async fn record_review(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    JsonBody(told): JsonBody<Found>,
) -> Result<Json<EmergencyView>, ApiError> {
    let core = api.core();
    let (now, key) = (core.clock.now(), id.to_string());
    let mut tx = core.store.begin().await?;
    let found = tx.get::<BreakGlassDoc>(&key).await?;
    let mut document = found.ok_or(ApiError::NotFound)?;
    if told.note.trim().is_empty() || told.note.len() > NOTE_LIMIT {
        return Err(ApiError::Invalid(
            "note: expected 1 to 4000 bytes".to_owned(),
        ));
    }
    let Some(grant) = document.grant.as_mut() else {
        return Err(ApiError::conflict("nothing was opened"));
    };
    if grant.review.is_some() {
        return Err(ApiError::conflict("it was reviewed"));
    }
    grant.review = Some(Review {
        outcome: told.outcome,
        note: told.note,
        by: by.caller.name().to_owned(),
        at: now,
    });
    tx.put(&document, now).await?;
    let (actor, detail) = (by.caller.name(), document.standing());
    tx.audit(now, actor, "break-glass.review", &key, detail)
        .await?;
    tx.commit().await?;
    Ok(Json(EmergencyView::of(&document, now, true)))
}
