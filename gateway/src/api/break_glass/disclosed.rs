//! `GET /v1/break-glass/disclosed`: what was opened of a Part 2 programme's records, so that the programme documents it in
//! the patient's record (42 CFR 2.51(c)): recipient and affiliation, discloser, date and time, nature of the emergency.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::SystemId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Api;
use crate::api::body::Path;
use crate::api::caller::{As, Systems};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::state::break_glass::{BreakGlassDoc, Grant, Opened, Reason};

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/break-glass/disclosed",
        "Emergencies in which Part 2 records of the asking system were opened, to be documented in the patients' records (42 CFR 2.51(c))",
    )
    .allow::<Systems>()
    .gives::<ToDocument>(200, "Those that wait to be documented first");
    let done = Doc::post(
        "/v1/break-glass/{id}/documented",
        "The asking system has documented an emergency in the patient's record; audited",
    )
    .allow::<Systems>()
    .gives::<Documented>(200, "Recorded")
    .refuses(404, "No such emergency of this system's records");
    routes.add(list, show).add(done, document)
}

/// Emergencies to document.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToDocument {
    /// The emergencies.
    pub emergencies: Vec<Disclosure>,
}

/// What must stand in the patient's record.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Disclosure {
    /// The emergency.
    pub id: String,
    /// The patient, by the asking system's own id.
    pub source_person_id: String,
    /// Date and time of the disclosure.
    pub at: String,
    /// The person to whom it was made, with affiliation.
    pub recipient: String,
    /// That person's organisation.
    pub recipient_organization: String,
    /// Who disclosed: the asking system's organisation, through the gateway.
    pub discloser: String,
    /// The nature of the emergency.
    pub nature: Reason,
    /// What was disclosed.
    pub categories: Vec<String>,
    /// When the system documented it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documented_at: Option<String>,
}

/// A documented emergency.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Documented {
    /// The emergency.
    pub id: String,
}

async fn show(by: As<Systems>, State(api): State<Api>) -> Result<Json<ToDocument>, ApiError> {
    let core = api.core();
    let system = by.caller.system()?;
    let mut tx = core.store.begin().await?;
    let field = BreakGlassDoc::SOURCE;
    let mut found = tx.find::<BreakGlassDoc>(field, system.as_str()).await?;
    let now = core.clock.now();
    let (actor, action) = (by.caller.name(), "break-glass.disclosed");
    tx.audit(now, actor, action, system.as_str(), "").await?;
    tx.commit().await?;
    found.sort_by_key(|one| (documented(one, system).is_some(), one.at));
    let emergencies = found.iter().flat_map(|one| views(core, one, system));
    Ok(Json(ToDocument {
        emergencies: emergencies.collect(),
    }))
}

async fn document(
    by: As<Systems>,
    State(api): State<Api>,
    Path(id): Path<Uuid>,
) -> Result<Json<Documented>, ApiError> {
    let core = api.core();
    let system = by.caller.system()?;
    let (now, key) = (core.clock.now(), id.to_string());
    let mut tx = core.store.begin().await?;
    let found = tx.get::<BreakGlassDoc>(&key).await?;
    let mut found = found.ok_or(ApiError::NotFound)?;
    if views(core, &found, system).is_empty() {
        return Err(ApiError::NotFound);
    }
    if let Some(grant) = found.grant.as_mut() {
        grant.documented.entry(system.clone()).or_insert(now);
    }
    tx.put(&found, now).await?;
    let (actor, action) = (by.caller.name(), "break-glass.document");
    tx.audit(now, actor, action, &key, "").await?;
    tx.commit().await?;
    Ok(Json(Documented { id: key }))
}

fn documented(document: &BreakGlassDoc, system: &SystemId) -> Option<jiff::Timestamp> {
    let grant = document.grant.as_ref()?;
    grant.documented.get(system).copied()
}

/// One entry for each Part 2 record of the system that was opened.
fn views(core: &Core, document: &BreakGlassDoc, system: &SystemId) -> Vec<Disclosure> {
    let Some(grant) = &document.grant else {
        return Vec::new();
    };
    let own = grant.records.iter();
    let own = own.filter(|one| one.record.system == *system && is_part2(core, one));
    own.map(|one| view(core, document, grant, one)).collect()
}

/// Whether what was opened is a Part 2 programme's: by its category, or by its holder.
fn is_part2(core: &Core, opened: &Opened) -> bool {
    let organization = core.organization_of(&opened.record.system);
    let known = organization.and_then(|id| core.loaded.registry.organization(&id).cloned());
    let is_program = known.is_some_and(|known| known.facts.part2_program == Some(true));
    let is_labelled = opened.categories.contains(Category::SudPart2.as_str());
    !opened.categories.is_empty() && (is_program || is_labelled)
}

fn view(core: &Core, document: &BreakGlassDoc, grant: &Grant, opened: &Opened) -> Disclosure {
    let name = |system: &SystemId| {
        let organization = core.organization_of(system);
        organization.map_or_else(|| system.to_string(), |one| core.name_of(&one))
    };
    let discloser = &opened.record.system;
    Disclosure {
        id: document.id.to_string(),
        source_person_id: opened.record.person.to_string(),
        at: document.at.to_string(),
        recipient: document.name.clone(),
        recipient_organization: name(&document.system),
        discloser: name(discloser),
        nature: document.reason,
        categories: opened.categories.iter().cloned().collect(),
        documented_at: grant.documented.get(discloser).map(ToString::to_string),
    }
}
