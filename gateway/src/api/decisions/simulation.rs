//! `POST /v1/simulations`: what would change for a person if something were signed or taken back.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_consent::Request;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{
    Directive, DirectiveState, Moment, Revocation, SubjectKey,
};
use tandem_mappings::model::id::{DirectiveId, PersonId};
use utoipa::ToSchema;

use super::change::{Change, changes};
use crate::api::Api;
use crate::api::body::JsonBody;
use crate::api::caller::{As, PrivacyOfficers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::judge::Judge;
use crate::pipeline::{family, voices};

/// Decisions about the person that are looked at.
const LOOKED_AT: i64 = 1_000;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post(
        "/v1/simulations",
        "What would change for a person if a consent were signed or taken back; nothing is changed; audited",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Simulation>()
    .gives::<Simulated>(200, "What would be answered differently from now on")
    .refuses(404, "Nothing is known of the person, or no consent has this id")
    .refuses(422, "Neither a consent to add nor one to revoke");
    routes.add(doc, simulate)
}

/// What would happen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Simulation {
    /// The person.
    #[schema(value_type = String)]
    pub person: PersonId,
    /// A consent or refusal that would be signed and verified.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub add: Option<Directive>,
    /// A consent that would be taken back.
    #[serde(default)]
    pub revoke: Option<TakenBack>,
}

/// What would be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TakenBack {
    /// The consent.
    #[schema(value_type = String)]
    pub id: DirectiveId,
    /// The categories; the whole consent when empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub categories: BTreeSet<Category>,
}

/// What would be answered differently.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Simulated {
    /// How many different questions about the person have been asked so far.
    pub questions: usize,
    /// What they would be answered, where it differs.
    pub changes: Vec<Change>,
}

async fn simulate(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<Simulation>,
) -> Result<Json<Simulated>, ApiError> {
    let core = api.core();
    let now = core.clock.now();
    if asked.add.is_none() && asked.revoke.is_none() {
        let reason = "expected `add` or `revoke`".to_owned();
        return Err(ApiError::Invalid(reason));
    }
    let mut tx = core.store.begin().await?;
    let records = family::records_of(&mut tx, asked.person).await?;
    if records.is_empty() {
        return Err(ApiError::NotFound);
    }
    let key = asked.person.to_string();
    looked_at(&mut tx, now, &by.caller, "consent.simulate", &key).await?;
    let subject = SubjectKey::new(key).map_err(|error| ApiError::Internal(error.to_string()))?;
    let before = voices::of(&mut tx, &subject, &records).await?;
    let rows = tx.decisions(Some(asked.person), LOOKED_AT).await?;
    tx.commit().await?;
    let after = changed(&before, &asked, &subject, now)?;
    let questions = questions(rows.into_iter().map(|row| row.record), now);
    let mut all = BTreeSet::new();
    for request in &questions {
        all.extend(differences(&core.judge, request, &before, &after)?);
    }
    Ok(Json(Simulated {
        questions: questions.len(),
        changes: all.into_iter().collect(),
    }))
}

fn differences(
    judge: &Judge,
    request: &Request,
    before: &[Vec<Directive>],
    after: &[Vec<Directive>],
) -> Result<Vec<Change>, ApiError> {
    let (before, after) = (
        judge.stricter(request, before)?,
        judge.stricter(request, after)?,
    );
    Ok(changes(request, &before, &after))
}

/// Every different question that was asked, as if it were asked now.
fn questions(records: impl Iterator<Item = serde_json::Value>, now: Timestamp) -> Vec<Request> {
    let mut seen = BTreeSet::new();
    let asked = records.filter_map(|mut record| {
        let request = record.get_mut("request")?.take();
        let mut request: Request = serde_json::from_value(request).ok()?;
        request.as_of = now;
        request.policy_version = None;
        Some(request)
    });
    asked
        .filter(|request| seen.insert(tandem_consent::canonical_json(request)))
        .collect()
}

/// The directives as they would stand.
fn changed(
    before: &[Vec<Directive>],
    asked: &Simulation,
    subject: &SubjectKey,
    now: Timestamp,
) -> Result<Vec<Vec<Directive>>, ApiError> {
    let mut after = before.to_vec();
    if let Some(back) = &asked.revoke {
        let all = after.iter_mut().flatten();
        let mut found = all.filter(|one| one.id == back.id).peekable();
        found.peek().ok_or(ApiError::NotFound)?;
        found.for_each(|one| revoke(one, &back.categories, now));
    }
    if let Some(new) = &asked.add {
        for voice in &mut after {
            voice.push(in_force(new.clone(), subject, now));
        }
    }
    Ok(after)
}

fn revoke(directive: &mut Directive, categories: &BTreeSet<Category>, now: Timestamp) {
    directive.revocation = Some(Revocation {
        received_at: Moment::Instant(now),
        channel: None,
        categories: categories.clone(),
        recipients: BTreeSet::new(),
        disclosers: BTreeSet::new(),
    });
    if categories.is_empty() {
        directive.state = Some(DirectiveState::Revoked);
    }
}

/// A new directive as it would stand after capture and verification.
fn in_force(mut directive: Directive, subject: &SubjectKey, now: Timestamp) -> Directive {
    directive.subject = subject.clone();
    directive.state = Some(DirectiveState::Active);
    directive.captured_at = Some(Moment::Instant(now));
    directive.captured_by = Some("one".to_owned());
    directive.verified_by = Some("another".to_owned());
    directive.verified_at = Some(Moment::Instant(now));
    directive
}
