//! `POST /v1/baseline/{system}/release`: a system's first load has been looked at; from now on it takes part.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_mappings::model::id::{PersonId, SystemId};
use utoipa::ToSchema;

use super::Api;
use super::body::Path;
use super::caller::{As, Operators};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::mutual;
use crate::state::baseline::ReleasedDoc;
use crate::state::record::RecordDoc;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post(
        "/v1/baseline/{system}/release",
        "Notices about the people of a first load may go out; audited",
    )
    .allow::<Operators>()
    .gives::<Released>(200, "Released, now or before")
    .refuses(404, "No such system");
    routes.add(doc, release)
}

/// A released system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Released {
    /// The system.
    pub system: String,
    /// Who released it.
    pub by: String,
    /// When.
    pub at: String,
    /// How many people were looked at for notices; none for a repeat.
    pub persons: usize,
}

async fn release(
    by: As<Operators>,
    State(api): State<Api>,
    Path(system): Path<SystemId>,
) -> Result<Json<Released>, ApiError> {
    let core = api.core();
    core.system(&system).ok_or(ApiError::NotFound)?;
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    if let Some(known) = tx.get::<ReleasedDoc>(system.as_str()).await? {
        return Ok(Json(view(&known, 0)));
    }
    let released = ReleasedDoc {
        system: system.clone(),
        by: by.caller.name().to_owned(),
        at: now,
    };
    tx.put(&released, now).await?;
    let records = tx
        .find::<RecordDoc>("record.system", system.as_str())
        .await?;
    let persons: BTreeSet<PersonId> = records
        .iter()
        .filter(|record| record.is_active())
        .map(|record| record.person_id)
        .collect();
    for person in &persons {
        mutual::evaluate(core, &mut tx, *person, now).await?;
    }
    tx.audit(
        now,
        by.caller.name(),
        "baseline.release",
        system.as_str(),
        "",
    )
    .await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(view(&released, persons.len())))
}

fn view(released: &ReleasedDoc, persons: usize) -> Released {
    Released {
        system: released.system.to_string(),
        by: released.by.clone(),
        at: released.at.to_string(),
        persons,
    }
}
