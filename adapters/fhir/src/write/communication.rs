//! Notices that belong to no Task of the recipient, as a Communication (FHIR R4, category
//! `notification`).
//!
//! A Task output cannot exist without a Task, and a CarePlan is no message: so what is only to be
//! told goes as a Communication addressed to the organisation. A plan rides along contained.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::{
    ConsentReminderView, Outbound, OutboundBody, PlanView, RecallView,
};
use tandem_mappings::model::id::MessageId;

use super::element;
use super::strict::{WriteError, checked};
use super::wording;
use crate::config::{FhirConfig, OwnIdentifier};
use crate::terms;

/// The Communication that tells a message.
pub(crate) fn resource(config: &FhirConfig, outbound: &Outbound) -> Result<Value, WriteError> {
    let mut told = frame(config, outbound);
    let added = match &outbound.body {
        OutboundBody::Recall(view) => recall(config, view),
        OutboundBody::ConsentReminder(view) => reminder(config, outbound, view),
        _ => notice(config, outbound)?,
    };
    if let (Some(told), Value::Object(added)) = (told.as_object_mut(), added) {
        told.extend(added);
    }
    checked("Communication", told)
}

/// What every Communication has: nothing in it tells about whom or what it is.
fn frame(config: &FhirConfig, outbound: &Outbound) -> Value {
    let kind = wording::kind(&outbound.body);
    let system = config.own_system(OwnIdentifier::Message);
    json!({
        "resourceType": "Communication",
        "identifier": [element::identifier(&system, &outbound.id.to_string())],
        "status": "completed",
        "category": [element::concept(terms::COMMUNICATION_CATEGORY, "notification", None)],
        "topic": element::own_concept(config, "message-kind", kind, &kind.replace('-', " ")),
        "sent": outbound.created_at.to_string(),
        "recipient": [element::party(config, &outbound.recipient)],
        "sender": element::gateway(config),
        "payload": payload(&outbound.body),
    })
}

fn payload(body: &OutboundBody) -> Vec<Value> {
    let sentences = wording::sentences(body).into_iter();
    sentences
        .map(|text| json!({"contentString": text}))
        .collect()
}

/// A recall names message ids and duties only: no person, no other organisation, and neither effect
/// key nor labels nor notices, which may tell what the message was about.
fn recall(config: &FhirConfig, view: &RecallView) -> Value {
    let about = earlier(config, &view.messages);
    let duties = view.duties.iter().map(|duty| {
        element::own_concept(config, "duty", duty.code(), &duty.code().replace('-', " "))
    });
    json!({"about": about, "reasonCode": duties.collect::<Vec<_>>()})
}

/// References to messages delivered earlier.
fn earlier(config: &FhirConfig, messages: &[MessageId]) -> Vec<Value> {
    let system = config.own_system(OwnIdentifier::Message);
    let one = |id: &MessageId| json!({"identifier": element::identifier(&system, &id.to_string())});
    messages.iter().map(one).collect()
}

/// A reminder that a consent will end names the messages that rest on it, and the person where the recipient knows her or
/// him by an id of its own.
fn reminder(config: &FhirConfig, outbound: &Outbound, view: &ConsentReminderView) -> Value {
    let about = earlier(config, &view.messages);
    let patient = element::known_patient(outbound);
    let mut told = json!({});
    if let Some(fields) = told.as_object_mut() {
        fields.extend((!about.is_empty()).then(|| ("about".to_owned(), json!(about))));
        fields.extend(patient.map(|one| ("subject".to_owned(), json!({"reference": one}))));
    }
    told
}

/// A notice about a person whom the recipient knows, told by its sender.
fn notice(config: &FhirConfig, outbound: &Outbound) -> Result<Value, WriteError> {
    let patient = element::known_patient(outbound).ok_or(WriteError::PatientUnknown)?;
    let system = config.own_system(OwnIdentifier::Message);
    let mut payload = payload(&outbound.body);
    let mut contained = Vec::new();
    if let OutboundBody::Plan(view) = &outbound.body {
        contained = contained_plan(config, outbound, view, &patient)?;
        payload.push(json!({"contentReference": {"reference": "#plan"}}));
    }
    Ok(json!({
        "meta": element::meta(&[], &outbound.labels),
        "contained": contained,
        "identifier": [
            element::identifier(&system, &outbound.id.to_string()),
            element::effect(config, outbound),
        ],
        "subject": {"reference": patient},
        "sender": element::party(config, &outbound.sender),
        "payload": payload,
        "note": super::provenance::notes(outbound),
    }))
}

/// The plan with its goals beside it: contained resources must not contain others.
fn contained_plan(
    config: &FhirConfig,
    outbound: &Outbound,
    view: &PlanView,
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
