//! Notices that belong to no Task of the recipient, as a Communication (FHIR R4, category
//! `notification`).
//!
//! A Task output cannot exist without a Task, and a CarePlan is no message: so what is only to be
//! told goes as a Communication addressed to the organisation. A plan rides along contained.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::{Outbound, OutboundBody};

use super::element;
use super::strict::{WriteError, checked};
use super::wording;
use crate::config::{FhirConfig, OwnIdentifier};
use crate::terms;

/// The Communication that tells a message. A recall names message ids and duties only: no person, no
/// other organisation.
pub(crate) fn resource(config: &FhirConfig, outbound: &Outbound) -> Result<Value, WriteError> {
    let recall = match &outbound.body {
        OutboundBody::Recall(view) => Some(view),
        _ => None,
    };
    let subject = element::known_patient(outbound).filter(|_| recall.is_none());
    if subject.is_none() && recall.is_none() {
        return Err(WriteError::PatientUnknown);
    }
    let message_system = config.own_system(OwnIdentifier::Message);
    let kind = wording::kind(&outbound.body);
    let mut payload: Vec<Value> = wording::sentences(&outbound.body)
        .into_iter()
        .map(|text| json!({"contentString": text}))
        .collect();
    let mut contained = Vec::new();
    if let (OutboundBody::Plan(view), Some(patient)) = (&outbound.body, &subject) {
        contained.extend(contained_plan(config, outbound, view, patient)?);
        payload.push(json!({"contentReference": {"reference": "#plan"}}));
    }
    let about = recall.map(|view| {
        view.messages
            .iter()
            .map(|id| json!({"identifier": element::identifier(&message_system, &id.to_string())}))
            .collect::<Vec<_>>()
    });
    let duties = recall.map(|view| {
        view.duties
            .iter()
            .map(|duty| {
                let text = duty.code().replace('-', " ");
                element::own_concept(config, "duty", duty.code(), &text)
            })
            .collect::<Vec<_>>()
    });
    let sender = match recall {
        Some(_) => element::gateway(config),
        None => element::party(config, &outbound.sender),
    };
    // The effect key, the labels and the notices of a message may tell what it was about.
    let mut identifiers = vec![element::identifier(
        &message_system,
        &outbound.id.to_string(),
    )];
    let (mut labels, mut notes) = (&[][..], Vec::new());
    if recall.is_none() {
        identifiers.push(element::effect(config, outbound));
        labels = &outbound.labels;
        notes = super::provenance::notes(outbound);
    }
    checked(
        "Communication",
        json!({
            "resourceType": "Communication",
            "meta": element::meta(&[], labels),
            "contained": contained,
            "identifier": identifiers,
            "status": "completed",
            "category": [element::concept(terms::COMMUNICATION_CATEGORY, "notification", None)],
            "topic": element::own_concept(config, "message-kind", kind, &kind.replace('-', " ")),
            "subject": subject.map(|reference| json!({"reference": reference})),
            "about": about,
            "reasonCode": duties,
            "sent": outbound.created_at.to_string(),
            "recipient": [element::party(config, &outbound.recipient)],
            "sender": sender,
            "payload": payload,
            "note": notes,
        }),
    )
}

/// The plan with its goals beside it: contained resources must not contain others.
fn contained_plan(
    config: &FhirConfig,
    outbound: &Outbound,
    view: &tandem_adapter_port::outbound::PlanView,
    patient: &str,
) -> Result<Vec<Value>, WriteError> {
    let mut plan = super::care_plan::resource(config, outbound, view, patient)?;
    let Some(fields) = plan.as_object_mut() else {
        return Ok(Vec::new());
    };
    fields.insert("id".to_owned(), json!("plan"));
    // Contained resources carry no meta labels of their own version or security (dom-4, dom-5).
    fields.remove("meta");
    let mut all = match fields.remove("contained") {
        Some(Value::Array(goals)) => goals,
        _ => Vec::new(),
    };
    all.push(plan);
    Ok(all)
}
