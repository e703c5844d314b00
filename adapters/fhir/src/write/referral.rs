//! The gateway's own order at a target: ServiceRequest (filler-order) and Task (fulfil).
//!
//! Gravity SDOH Clinical Care 3.0.0, obligations of the Coordination Platform: its own
//! ServiceRequest is based on the source's, its Task is part of the source's.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::{Outbound, ReferralView};

use super::element;
use super::provenance;
use super::strict::{WriteError, checked};
use crate::codes;
use crate::config::{FhirConfig, OwnIdentifier};
use crate::read::reference;
use crate::terms;

/// The ServiceRequest for the target, about `patient` (`Patient/{id}` at the target).
pub(crate) fn service_request(
    config: &FhirConfig,
    outbound: &Outbound,
    view: &ReferralView,
    patient: &str,
) -> Result<Value, WriteError> {
    let category = config.codes.write_category(view.domain);
    let code = config.codes.write_service_code(view.domain);
    let need = view.need.as_deref().unwrap_or(code.display);
    checked(
        "ServiceRequest",
        json!({
            "resourceType": "ServiceRequest",
            "meta": element::meta(&[terms::SERVICE_REQUEST_PROFILE], &outbound.labels),
            "contained": [provenance::contained(config, outbound)],
            "identifier": identifiers(config, outbound, view),
            "basedOn": sources(config, view, "ServiceRequest"),
            "status": "active",
            "intent": "filler-order",
            "category": [
                {"coding": [{"system": terms::US_CORE_CATEGORY, "code": "sdoh"}]},
                {"coding": [
                    {"system": category.system, "code": category.code, "display": category.display},
                    {"system": config.own_codes("domain"), "code": view.domain.code()},
                ]},
            ],
            "priority": codes::write_priority(view.urgency),
            "code": {
                "coding": [{"system": code.system, "code": code.code, "display": code.display}],
                "text": need,
            },
            "orderDetail": contact_prohibited(view),
            "subject": {"reference": patient},
            "authoredOn": view.requested_at.to_string(),
            "requester": element::party(config, &outbound.sender),
            "performer": performer(config, outbound, view),
            "note": notes(outbound, view),
            "relevantHistory": [{"reference": format!("#{}", provenance::LOCAL_ID)}],
        }),
    )
}

/// The Task for the target, with the ServiceRequest at the target as its focus.
pub(crate) fn task(
    config: &FhirConfig,
    outbound: &Outbound,
    view: &ReferralView,
    patient: &str,
    service_request: &str,
) -> Result<Value, WriteError> {
    let authored = view.requested_at.to_string();
    let mut part_of = sources(config, view, "Task");
    if let (true, Some(parent)) = (part_of.is_empty(), &view.part_of) {
        let system = config.own_system(OwnIdentifier::Referral);
        part_of.push(json!({
            "type": "Task",
            "identifier": element::identifier(&system, &parent.to_string()),
        }));
    }
    checked(
        "Task",
        json!({
            "resourceType": "Task",
            "meta": element::meta(&[terms::TASK_PROFILE], &outbound.labels),
            "contained": [provenance::contained(config, outbound)],
            "identifier": identifiers(config, outbound, view),
            "partOf": part_of,
            "status": "requested",
            "intent": "order",
            "priority": codes::write_priority(view.urgency),
            "code": element::concept(terms::TASK_CODE, "fulfill", None),
            "description": view.need,
            "focus": {"reference": service_request},
            "for": {"reference": patient},
            "authoredOn": authored,
            "lastModified": authored,
            "requester": element::gateway(config),
            "owner": element::party(config, &outbound.recipient),
            "note": provenance::notes(outbound),
            "relevantHistory": [{"reference": format!("#{}", provenance::LOCAL_ID)}],
        }),
    )
}

/// An order that stands on the gateway's own server, for a target without one (Gravity 3.0.0,
/// indirect light).
#[derive(Debug, Clone, PartialEq)]
pub struct OwnOrder {
    /// Served as `GET /fhir/ServiceRequest/{referral id}`.
    pub service_request: Value,
    /// Served as `GET /fhir/Task/{referral id}`.
    pub task: Value,
}

/// The order as the gateway serves it itself, in its first version, under the referral's id.
///
/// # Errors
/// [`WriteError`] when the permitted view lacks what the profiles require.
pub fn own_order(
    config: &FhirConfig,
    outbound: &Outbound,
    view: &ReferralView,
) -> Result<OwnOrder, WriteError> {
    let patient = element::known_patient(outbound).ok_or(WriteError::PatientUnknown)?;
    // The person is known by the target's own id, on the target's side.
    let patient = config.at_partner(&patient);
    let focus = format!("ServiceRequest/{}", view.referral);
    let identify = |mut resource: Value| {
        if let Some(fields) = resource.as_object_mut() {
            fields.insert("id".to_owned(), json!(view.referral.to_string()));
        }
        if let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) {
            meta.insert("versionId".to_owned(), json!("1"));
            meta.insert(
                "lastUpdated".to_owned(),
                json!(view.requested_at.to_string()),
            );
        }
        resource
    };
    Ok(OwnOrder {
        service_request: identify(service_request(config, outbound, view, &patient)?),
        task: identify(task(config, outbound, view, &patient, &focus)?),
    })
}

/// The referral, and the effect on which the conditional create rests.
fn identifiers(config: &FhirConfig, outbound: &Outbound, view: &ReferralView) -> Vec<Value> {
    let system = config.own_system(OwnIdentifier::Referral);
    vec![
        element::identifier(&system, &view.referral.to_string()),
        element::effect(config, outbound),
    ]
}

/// References to the source's own resources of a type; absolute unless they are at the target.
fn sources(config: &FhirConfig, view: &ReferralView, kind: &str) -> Vec<Value> {
    let base = config.base.as_str().trim_end_matches('/');
    view.source_resources
        .iter()
        .filter_map(|url| {
            let target = reference::parse(url).filter(|target| target.kind == kind)?;
            let is_local = target.base.is_none_or(|own| own == base);
            Some(if is_local {
                json!({"reference": format!("{kind}/{}", target.id)})
            } else {
                json!({"reference": url})
            })
        })
        .collect()
}

fn contact_prohibited(view: &ReferralView) -> Option<Vec<Value>> {
    let is_prohibited = view
        .safe_contact
        .as_ref()
        .is_some_and(|contact| contact.may_contact == Some(false));
    is_prohibited.then(|| {
        vec![element::concept(
            terms::SDOHCC_CODES,
            "contacting-subject-prohibited",
            None,
        )]
    })
}

fn performer(config: &FhirConfig, outbound: &Outbound, view: &ReferralView) -> Vec<Value> {
    let mut performers = vec![element::party(config, &outbound.recipient)];
    let own_reference = view.service_reference.as_deref().filter(|text| {
        reference::parse(text).is_some_and(|target| target.kind == "HealthcareService")
    });
    let service = match (own_reference, &view.service) {
        (Some(reference), _) => json!({"reference": reference}),
        (None, Some(service)) => {
            let system = config.own_system(OwnIdentifier::Service);
            json!({"type": "HealthcareService", "identifier": element::identifier(&system, service.as_str())})
        }
        (None, None) => return performers,
    };
    performers.push(service);
    performers
}

/// How the client may be contacted, who refers, and the notices.
fn notes(outbound: &Outbound, view: &ReferralView) -> Vec<Value> {
    let mut notes = provenance::notes(outbound);
    if let Some(contact) = &view.safe_contact {
        let interpreter = contact.interpreter == Some(true);
        for (label, text) in [
            ("Contact", contact.how.as_deref()),
            ("Language", contact.language.as_deref()),
            ("Interpreter", interpreter.then_some("needed")),
        ] {
            notes.extend(text.map(|text| json!({"text": format!("{label}: {text}")})));
        }
    }
    if let Some(worker) = &view.worker {
        let parts = [&worker.name, &worker.role, &worker.phone, &worker.email];
        let words: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        if !words.is_empty() {
            notes.push(json!({"text": format!("Referring worker: {}", words.join(", "))}));
        }
    }
    notes
}
