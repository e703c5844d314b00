//! `/v1/break-glass`: opens, in an emergency, what the rules open for exactly that emergency.
//!
//! An agency's system asks for one of its people, who proves to be that person by a one-time code. Denied and unknown
//! look the same, in body and in time: the answer leaves on the quantum of match answers.

mod disclosed;
mod review;
mod users;

use std::collections::BTreeSet;
use std::fmt;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{RecordKey, SourcePersonId, SystemId};
use tandem_mappings::model::person::PersonRecord;
use tandem_mappings::model::purpose::Purpose;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::body::{JsonBody, Path};
use super::caller::{As, Systems};
use super::match_query;
use super::problem::ApiError;
use super::push;
use super::route::{Doc, Routes};
use crate::pipeline::break_glass::factor::{self, Checked};
use crate::pipeline::break_glass::{self, Asked, Granted, Shown};
use crate::pipeline::core::Core;
use crate::state::break_glass::Reason;
use crate::state::second_factor::SecondFactorDoc;
use crate::store::Tx;

/// Fewest and most characters of a reason in words.
const TEXT: std::ops::RangeInclusive<usize> = 10..=2_000;

pub(super) fn routes(routes: Routes) -> Routes {
    let open = Doc::post(
        "/v1/break-glass",
        "Break the glass: in an emergency, with a second factor, see for minutes what the rules open for it; audited, and reviewed by a privacy officer",
    )
    .allow::<Systems>()
    .takes::<Emergency>()
    .gives::<Opened>(200, "What is shown; denied and unknown are the same empty answer")
    .refuses(422, "The code is not accepted, or the request does not hold together");
    let read = Doc::post(
        "/v1/break-glass/{id}/read",
        "What was opened, once more until its end, decided anew; audited",
    )
    .allow::<Systems>()
    .takes::<Reading>()
    .gives::<ReadAgain>(200, "What is still shown")
    .refuses(404, "Not this caller's, another key, or its time is over");
    let routes = routes.add(open, break_glass).add(read, read_again);
    [users::routes, review::routes, disclosed::routes]
        .into_iter()
        .fold(routes, |routes, add| add(routes))
}

/// An emergency.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Emergency {
    /// The person who asks, as the asking system knows him or her and as enrolled.
    pub user: String,
    /// The one-time code of that person's second factor.
    pub code: String,
    /// Purpose code: `BTG`, `ETREAT` or `THREAT`.
    #[schema(value_type = String, example = "ETREAT")]
    pub purpose: Purpose,
    /// Why, as a code.
    pub reason: Reason,
    /// Why, in words: 10 to 2000 characters, for the privacy officer alone.
    pub text: String,
    /// The person asked about, by the asking system's own id.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub own: Option<SourcePersonId>,
    /// Or what is known of the person, in the form of `record.received`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub person: Option<PersonRecord>,
}

impl fmt::Debug for Emergency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emergency([redacted])")
    }
}

/// The answer to an emergency.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Opened {
    /// By what it is read again; absent when nothing is opened.
    pub grant: Option<GrantView>,
    /// What is shown, by holder.
    pub told: Vec<Shown>,
}

/// By what something opened is read again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GrantView {
    /// Its id.
    pub id: String,
    /// Its key, given this once.
    pub key: String,
    /// Until when.
    pub until: String,
    /// What must not be done with what is shown.
    pub refrains: BTreeSet<String>,
}

/// Reads again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// The key that was given when it was opened.
    pub key: String,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading([redacted])")
    }
}

/// What is still shown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadAgain {
    /// By holder.
    pub told: Vec<Shown>,
}

async fn break_glass(
    by: As<Systems>,
    State(api): State<Api>,
    JsonBody(asked): JsonBody<Emergency>,
) -> Result<Json<Opened>, ApiError> {
    let core = api.core();
    let system = by.caller.system()?;
    push::may_enter(core, system)?;
    expect_whole(&asked)?;
    let started = Instant::now();
    let records = meant(core, system, &asked).await?;
    let mut tx = core.store.begin().await?;
    let who = match factor::check(core, &mut tx, system, &asked.user, &asked.code).await? {
        Checked::Taken(who) => who,
        refused => return refuse(core, tx, by.caller.name(), system, &refused).await,
    };
    if !core.loaded.config.break_glass.roles.contains_key(&who.role) {
        let refused = Checked::Refused;
        return refuse(core, tx, by.caller.name(), system, &refused).await;
    }
    let granted = decide(core, &mut tx, by.caller.name(), &who, &records, asked).await?;
    tx.commit().await?;
    core.wake();
    let quantum = core.loaded.config.limits.match_quantum_ms;
    let quantum = std::time::Duration::from_millis(quantum);
    api.pace().leave(started, quantum).await;
    Ok(Json(granted.map_or_else(Opened::default, Opened::from)))
}

async fn decide(
    core: &Core,
    tx: &mut Tx,
    actor: &str,
    who: &SecondFactorDoc,
    records: &[RecordKey],
    asked: Emergency,
) -> Result<Option<Granted>, ApiError> {
    let question = Asked {
        who,
        person: break_glass::found(tx, records).await?,
        purpose: asked.purpose,
        reason: asked.reason,
        text: asked.text,
    };
    let granted = break_glass::open(core, tx, question).await?;
    let (action, object, outcome) = match &granted {
        Some(granted) => ("break-glass.open", granted.id.to_string(), "opened"),
        None => ("break-glass.deny", who.system.to_string(), "denied"),
    };
    let now = core.clock.now();
    tx.audit(now, actor, action, &object, asked.purpose.as_str())
        .await?;
    metrics::counter!("tandem_break_glass_total", "outcome" => outcome).increment(1);
    if let Some(granted) = &granted {
        tracing::warn!(break_glass = %granted.id, "the glass was broken; a privacy officer must review it");
    }
    Ok(granted)
}

/// Refuses a code, and keeps that it was refused.
async fn refuse(
    core: &Core,
    mut tx: Tx,
    actor: &str,
    system: &SystemId,
    refused: &Checked,
) -> Result<Json<Opened>, ApiError> {
    let now = core.clock.now();
    tx.audit(now, actor, "break-glass.refuse", system.as_str(), "")
        .await?;
    tx.commit().await?;
    metrics::counter!("tandem_break_glass_total", "outcome" => "refused").increment(1);
    Err(match refused {
        Checked::Locked(seconds) => ApiError::TooMany(*seconds),
        _ => ApiError::Invalid("code: not accepted; each code counts once".to_owned()),
    })
}

fn expect_whole(asked: &Emergency) -> Result<(), ApiError> {
    let invalid = |text: &str| Err(ApiError::Invalid(text.to_owned()));
    let purposes = [
        Purpose::BreakTheGlass,
        Purpose::EmergencyTreatment,
        Purpose::Threat,
    ];
    if !purposes.contains(&asked.purpose) {
        return invalid("purpose: expected BTG, ETREAT or THREAT");
    }
    if !TEXT.contains(&asked.text.trim().chars().count()) {
        return invalid("text: expected 10 to 2000 characters");
    }
    if asked.own.is_some() == asked.person.is_some() {
        return invalid("expected either own or person");
    }
    Ok(())
}

/// The records that are meant.
async fn meant(
    core: &Core,
    system: &SystemId,
    asked: &Emergency,
) -> Result<Vec<RecordKey>, ApiError> {
    match (&asked.own, &asked.person) {
        (Some(own), _) => Ok(vec![RecordKey {
            system: system.clone(),
            person: own.clone(),
        }]),
        (None, Some(person)) => match_query::candidates(core, system, person).await,
        (None, None) => Ok(Vec::new()),
    }
}

impl From<Granted> for Opened {
    fn from(granted: Granted) -> Self {
        Self {
            grant: Some(GrantView {
                id: granted.id.to_string(),
                key: granted.key.to_string(),
                until: granted.until.to_string(),
                refrains: granted.refrains,
            }),
            told: granted.shown,
        }
    }
}

async fn read_again(
    by: As<Systems>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    JsonBody(asked): JsonBody<Reading>,
) -> Result<Json<ReadAgain>, ApiError> {
    let core = api.core();
    let system = by.caller.system()?;
    let mut tx = core.store.begin().await?;
    let told = break_glass::read(core, &mut tx, id, system, &asked.key).await?;
    let action = match told.as_deref() {
        Some([]) => "break-glass.read-nothing",
        Some(_) => "break-glass.read",
        None => "break-glass.read-refuse",
    };
    let now = core.clock.now();
    tx.audit(now, by.caller.name(), action, &id.to_string(), "")
        .await?;
    tx.commit().await?;
    let told = told.ok_or(ApiError::NotFound)?;
    Ok(Json(ReadAgain { told }))
}
