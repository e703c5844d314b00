//! `GET /fhir/AuditEvent`: decisions and disclosures of the log, those under broken glass among them, as IHE BALP
//! AuditEvents, for privacy officers and auditors.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::{OrganizationId, PersonId};

use super::audit_view::{self, Side};
use super::{FhirError, config_of, resource};
use crate::accounting::{self, Copy, View};
use crate::api::Api;
use crate::api::body::Query;
use crate::api::caller::{As, Overseers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::state::break_glass::BreakGlassDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::store::{DecisionRow, Logging, StoreError, Tx};

/// Most log entries on one page; a disclosure gives two events.
const MOST: i64 = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/fhir/AuditEvent",
        "Decisions (BALP AuthZconsent) and disclosures, also under broken glass (BALP PrivacyDisclosure), newest first; audited",
    )
    .allow::<Overseers>()
    .query("patient", "Only those about this person")
    .query(
        "copy",
        "For whom, with patient: staff (the rule), person or parent; a parent's leaves out a minor's own services",
    )
    .query("_count", "Most log entries on a page, up to 50")
    .query(
        "_before",
        "From the event before this position of the log on; the `next` link gives it",
    )
    .gives_raw(200, super::FHIR_JSON, "A searchset Bundle");
    routes.add(doc, search)
}

#[derive(Debug, Deserialize)]
struct Criteria {
    patient: Option<PersonId>,
    #[serde(default = "staff")]
    copy: Copy,
    #[serde(rename = "_count")]
    count: Option<i64>,
    #[serde(rename = "_before")]
    before: Option<i64>,
}

const fn staff() -> Copy {
    Copy::Staff
}

impl Criteria {
    fn address(&self, config: &FhirConfig, count: i64, before: Option<i64>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("_count", &count.to_string());
        if let Some(before) = before {
            query.append_pair("_before", &before.to_string());
        }
        if let Some(patient) = self.patient {
            query.append_pair("patient", &patient.to_string());
        }
        if self.copy != Copy::Staff {
            query.append_pair("copy", self.copy.code());
        }
        config.at_gateway(&format!("AuditEvent?{}", query.finish()))
    }
}

async fn search(
    by: As<Overseers>,
    State(api): State<Api>,
    Query(asked): Query<Criteria>,
) -> Result<Response, FhirError> {
    let core = api.core();
    let config = config_of(&api, &core.gateway)?;
    let count = asked.count.unwrap_or(MOST).clamp(1, MOST);
    let mut tx = core.store.begin().await?;
    let now = core.clock.now();
    let view = match asked.patient {
        Some(person) => Some(View::of(&mut tx, person, asked.copy, now).await?),
        None if asked.copy == Copy::Staff => None,
        None => return Err(no_patient().into()),
    };
    let before = asked.before.unwrap_or(i64::MAX);
    let found = tx.logged_before(before, asked.patient, count).await?;
    let mut links =
        vec![json!({"relation": "self", "url": asked.address(&config, count, asked.before)})];
    if let Some((last, _)) = found.last().filter(|_| found.len() as i64 == count) {
        let next = asked.address(&config, count, Some(*last));
        links.push(json!({"relation": "next", "url": next}));
    }
    let mut entries = Vec::new();
    for (position, event) in found {
        let events = events(
            &api,
            &mut tx,
            &config,
            (&asked, view.as_ref()),
            position,
            event,
        )
        .await?;
        entries.extend(events.into_iter().map(|event| {
            let id = event["id"].as_str().unwrap_or_default();
            json!({
                "fullUrl": config.at_gateway(&format!("AuditEvent/{id}")),
                "resource": event,
                "search": {"mode": "match"},
            })
        }));
    }
    looked_at(&mut tx, now, &by.caller, "audit.read", "AuditEvent").await?;
    tx.commit().await?;
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "link": links});
    // FHIR JSON has no empty arrays (FHIR R4, section 2.6.2.2).
    if let (false, Some(fields)) = (entries.is_empty(), bundle.as_object_mut()) {
        fields.insert("entry".to_owned(), Value::Array(entries));
    }
    Ok(resource(StatusCode::OK, &bundle))
}

async fn events(
    api: &Api,
    tx: &mut Tx,
    config: &FhirConfig,
    (asked, view): (&Criteria, Option<&View>),
    position: i64,
    event: Logging,
) -> Result<Vec<Value>, StoreError> {
    let core = api.core();
    match event {
        Logging::Decision(id) => {
            let row = tx.decision(id).await?;
            let shown = row.filter(|row| view.is_none_or(|view| view.shows(core, row)));
            Ok(shown
                .map(|row| audit_view::decision(config, position, &row, asked.copy))
                .into_iter()
                .collect())
        }
        Logging::Delivery(message) => {
            let Some(told) = delivered(tx, &message).await? else {
                return Ok(Vec::new());
            };
            let source = told
                .decision
                .record
                .pointer("/request/requester/organization");
            let source = source.and_then(|id| id.as_str()?.parse().ok());
            let shown = Showing {
                config,
                asked,
                view,
                position,
            };
            Ok(shown.sides(core, &told, ("urn:tandem:message", None), &[source]))
        }
        Logging::Seen(emergency, at) => {
            let known = tx.get::<BreakGlassDoc>(&emergency).await?;
            let told = delivered(tx, &emergency).await?;
            let (Some(known), Some(told)) = (known, told) else {
                return Ok(Vec::new());
            };
            let told = Delivered { at, ..told };
            let holders = accounting::holders(core, &known, asked.copy);
            let holders: Vec<_> = holders.into_iter().map(Some).collect();
            let shown = Showing {
                config,
                asked,
                view,
                position,
            };
            Ok(shown.sides(
                core,
                &told,
                ("urn:tandem:break-glass", Some(&known)),
                &holders,
            ))
        }
    }
}

/// A disclosure with the decision on which it rests.
struct Delivered {
    disclosure: DisclosureDoc,
    decision: DecisionRow,
    at: Timestamp,
}

async fn delivered(tx: &mut Tx, message: &str) -> Result<Option<Delivered>, StoreError> {
    let Some(disclosure) = tx.get::<DisclosureDoc>(message).await? else {
        return Ok(None);
    };
    let Some(decision) = tx.decision(disclosure.decision).await? else {
        return Ok(None);
    };
    let attempts = tx.attempts(disclosure.message).await?;
    let attempt = attempts
        .iter()
        .find(|attempt| attempt.decision == disclosure.decision);
    let at = attempt.map_or(decision.decided_at, |attempt| attempt.ended_at);
    Ok(Some(Delivered {
        disclosure,
        decision,
        at,
    }))
}

/// For whom and from which place of the log events are shown.
struct Showing<'a> {
    config: &'a FhirConfig,
    asked: &'a Criteria,
    view: Option<&'a View>,
    position: i64,
}

impl Showing<'_> {
    /// One event for each person, source and side (BALP: one per patient).
    fn sides(
        &self,
        core: &Core,
        told: &Delivered,
        (kind, seen_by): (&'static str, Option<&BreakGlassDoc>),
        sources: &[Option<OrganizationId>],
    ) -> Vec<Value> {
        if !self
            .view
            .is_none_or(|view| view.shows(core, &told.decision))
        {
            return Vec::new();
        }
        let id = told.disclosure.message.to_string();
        let copy = self.asked.copy;
        let mut events = Vec::new();
        for person in &told.disclosure.people {
            if self.asked.patient.is_some_and(|asked| asked != *person) {
                continue;
            }
            for (number, source) in sources.iter().enumerate() {
                let told = audit_view::Told {
                    object: (kind, &id),
                    at: told.at,
                    decision: &told.decision,
                    source: source.clone(),
                    recipient: core.organization_of(&told.disclosure.holder),
                    seen_by,
                };
                for side in [Side::Source, Side::Recipient] {
                    let (place, about) = ((self.position, number), (*person, copy));
                    let event = audit_view::disclosure(self.config, place, &told, about, side);
                    events.push(event);
                }
            }
        }
        events
    }
}

fn no_patient() -> ApiError {
    ApiError::Invalid("copy: expected a patient with it".to_owned())
}
