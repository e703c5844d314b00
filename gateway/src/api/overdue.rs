//! `GET /v1/referrals/overdue`: open referrals with a deadline that has passed, for the operator. No person is named.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::{As, LaneReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::timers;
use crate::state::referral::ReferralDoc;
use crate::state::timer::ExpiredDoc;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/referrals/overdue",
        "Open referrals with a deadline that has passed, the longest overdue first",
    )
    .allow::<LaneReaders>()
    .gives::<OverdueReferrals>(
        200,
        "Which deadline, since when, and what was done about it",
    );
    routes.add(doc, list)
}

/// Overdue referrals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverdueReferrals {
    /// One entry for each deadline.
    pub referrals: Vec<Overdue>,
}

/// A deadline that has passed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overdue {
    /// The referral.
    pub referral: String,
    /// How it stands.
    pub status: String,
    /// The organisation that refers.
    pub source: String,
    /// The organisation that is asked.
    pub target: String,
    /// Which deadline.
    pub timer: String,
    /// From when it ran.
    pub started: String,
    /// When it was due.
    pub due: String,
    /// Messages that were sent about it.
    pub told: Vec<String>,
    /// The message that was delivered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redelivered: Option<String>,
    /// What an operator should look at.
    pub alerts: Vec<String>,
}

async fn list(
    _as: As<LaneReaders>,
    State(api): State<Api>,
) -> Result<Json<OverdueReferrals>, ApiError> {
    let core = api.core();
    let (now, calendar) = (core.clock.now(), timers::calendar(core));
    let mut tx = core.store.snapshot().await?;
    let mut found = Vec::new();
    for document in tx.all::<ReferralDoc>().await? {
        let expired = timers::expired(&document, &core.loaded.config.timers, &calendar, now);
        if expired.is_empty() {
            continue;
        }
        let id = document.id.to_string();
        let handled = tx.find::<ExpiredDoc>("expired.referral", &id).await?;
        for (name, timer) in expired {
            let done = handled
                .iter()
                .find(|one| one.timer == name && one.started == timer.started);
            found.push((
                timer.due,
                view(&document, name, timer.started, timer.due, done),
            ));
        }
    }
    found.sort_by_key(|(due, _)| *due);
    let referrals = found.into_iter().map(|(_, view)| view).collect();
    Ok(Json(OverdueReferrals { referrals }))
}

fn view(
    document: &ReferralDoc,
    name: &str,
    started: jiff::Timestamp,
    due: jiff::Timestamp,
    done: Option<&ExpiredDoc>,
) -> Overdue {
    let status = document.state.status();
    Overdue {
        referral: document.id.to_string(),
        status: status.map_or_else(String::new, |status| status.code().to_owned()),
        source: document.source_organization.to_string(),
        target: document.target_organization.to_string(),
        timer: name.to_owned(),
        started: started.to_string(),
        due: due.to_string(),
        told: done.map_or_else(Vec::new, |one| {
            one.told.iter().map(ToString::to_string).collect()
        }),
        redelivered: done.and_then(|one| one.redelivered.map(|id| id.to_string())),
        alerts: done.map_or_else(Vec::new, |one| one.alerts.clone()),
    }
}
