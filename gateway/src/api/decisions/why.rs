//! `GET /v1/why`: why somebody was told of a person, or was not.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_consent::{Decision, Explanation, Missing, Request};
use tandem_mappings::model::id::{OrganizationId, PersonId};
use utoipa::ToSchema;

use super::labelled::ItemLabels;
use crate::accounting::{Copy, View};
use crate::api::Api;
use crate::api::body::{Query, limit};
use crate::api::caller::{As, Overseers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::config::Labels;
use crate::store::DecisionRow;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/why",
        "Why organisations were told of a person or were not, newest first; answers that repeat are counted; audited",
    )
    .allow::<Overseers>()
    .query("person", "The person's id")
    .query("recipient", "Only what would have been told to this organisation")
    .query("limit", "Most decisions looked at")
    .query("copy", "For whom: staff (the rule), person or parent; a parent's leaves out a minor's own services")
    .gives::<Answers>(200, "The answers in plain words");
    routes.add(doc, show)
}

#[derive(Debug, Deserialize)]
struct Asked {
    person: PersonId,
    recipient: Option<OrganizationId>,
    limit: Option<i64>,
    #[serde(default = "staff")]
    copy: Copy,
}

const fn staff() -> Copy {
    Copy::Staff
}

/// Answers about a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answers {
    /// The answers, newest first.
    pub answers: Vec<Answer>,
}

/// An answer, with how often it was given in a row.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answer {
    /// The newest decision that gave it, for privacy staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// When it was given last.
    pub last_at: String,
    /// When it was given first.
    pub first_at: String,
    /// How often in a row.
    pub count: u32,
    /// Who would be told.
    pub recipient: String,
    /// Action asked for.
    pub action: String,
    /// At which point of a message's way.
    pub stage: String,
    /// For what.
    pub purpose: String,
    /// Outcome.
    pub outcome: String,
    /// What may be told, by category.
    pub told: Vec<String>,
    /// What may not be told, by category.
    pub withheld: Vec<String>,
    /// Plain English.
    pub en: String,
    /// Plain Spanish.
    pub es: String,
    /// What would open what is closed: item, law, and what is needed.
    pub needs: Vec<String>,
    /// What gave items their category and labels, in one line each, for privacy staff.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labelled_by: Vec<String>,
    /// The same in parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<ItemLabels>,
    #[serde(skip)]
    same: (String, Explanation),
}

async fn show(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Json<Answers>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let rows = tx.decisions(Some(asked.person), limit(asked.limit)).await?;
    let (now, person) = (core.clock.now(), asked.person.to_string());
    let view = View::of(&mut tx, asked.person, asked.copy, now).await?;
    looked_at(&mut tx, now, &by.caller, "decision.why", &person).await?;
    tx.commit().await?;
    let meant = |row: &&DecisionRow| {
        let recipient = asked.recipient.as_ref();
        recipient.is_none_or(|one| one.as_str() == row.recipient) && view.shows(core, row)
    };
    let mut answers: Vec<Answer> = Vec::new();
    let labels = &core.loaded.labels;
    for mut answer in rows
        .iter()
        .filter(meant)
        .filter_map(|row| answer(row, labels))
    {
        if asked.copy != Copy::Staff {
            answer.decision = None;
            answer.labels.clear();
            answer.labelled_by.clear();
        }
        match answers.iter_mut().find(|newer| newer.same == answer.same) {
            Some(newer) => {
                newer.count = newer.count.saturating_add(1);
                newer.first_at = answer.first_at;
            }
            None => answers.push(answer),
        }
    }
    Ok(Json(Answers { answers }))
}

fn answer(row: &DecisionRow, labels: &Labels) -> Option<Answer> {
    let part = |name| row.record.get(name).cloned();
    let decision: Decision = serde_json::from_value(part("decision")?).ok()?;
    let request: Request = serde_json::from_value(part("request")?).ok()?;
    let open: Vec<&str> = decision.permitted().collect();
    let (told, withheld): (Vec<_>, Vec<_>) = decision
        .items
        .iter()
        .partition(|item| open.contains(&item.id.as_str()));
    let categories = |items: Vec<&tandem_consent::ItemDecision>| {
        let names = items.into_iter().map(|item| item.category.clone());
        names.collect()
    };
    let key = format!(
        "{} {} {}",
        row.recipient,
        row.action,
        request.purpose.as_str()
    );
    let labels = ItemLabels::of(row, &request, labels);
    Some(Answer {
        labelled_by: labels.iter().map(ItemLabels::line).collect(),
        labels,
        decision: Some(row.id.to_string()),
        last_at: row.decided_at.to_string(),
        first_at: row.decided_at.to_string(),
        count: 1,
        recipient: row.recipient.clone(),
        action: row.action.clone(),
        stage: row.stage.clone(),
        purpose: request.purpose.as_str().to_owned(),
        outcome: row.outcome.clone(),
        told: categories(told),
        withheld: categories(withheld),
        en: decision.explanation.en.clone(),
        es: decision.explanation.es.clone(),
        needs: decision.missing.iter().map(needed).collect(),
        same: (key, decision.explanation),
    })
}

fn needed(missing: &Missing) -> String {
    let needs = serde_json::to_value(missing.needs).unwrap_or_default();
    let needs = needs.as_str().unwrap_or_default();
    let (item, regime) = (&missing.item, &missing.regime);
    format!(
        "{item}, {regime}: {needs} ({})",
        missing.elements.join(", ")
    )
}
