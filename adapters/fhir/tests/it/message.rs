//! Outbound messages of the story.

use serde_json::{Value, json};
use tandem_adapter_port::outbound::Outbound;

pub(crate) const REFERRAL: &str = "0191f2aa-0000-7000-8000-0000000000aa";
pub(crate) const MESSAGE: &str = "0191f2aa-0000-7000-8000-0000000000bb";

/// A message to the clinic with this body, about the mother.
pub(crate) fn message(body: Value) -> Outbound {
    let mother = json!({
        "person": "p-mother", "role": "parent", "given": "Marisol", "middle": null,
        "family": "Demofield", "birth": "1994-05-17", "sex": "female", "cin": "91234567A",
        "address": null, "phone": null,
    });
    let outbound = json!({
        "id": MESSAGE,
        "effect_key": format!("referral/{REFERRAL}/clinic-demo"),
        "decision": "0191f2aa-0000-7000-8000-0000000000cc",
        "basis": ["CW-05"],
        "consent": "C-1",
        "notices": [{"code": "N_827", "text": "Not to be passed on <to others> & kept."}],
        "labels": ["R", "PSY"],
        "created_at": "2026-02-04T16:00:00Z",
        "sender": {"id": "org-cws", "name": "Demo County Child Welfare"},
        "recipient": {"id": "org-clinic", "name": "Demo Clinic"},
        "people": [mother],
        "recipient_case": null,
        "body": body,
    });
    serde_json::from_value(outbound).unwrap()
}

pub(crate) fn referral() -> Outbound {
    message(json!({
        "kind": "referral",
        "referral": REFERRAL,
        "requested_at": "2026-02-04T15:59:00Z",
        "domain": "mental-health",
        "urgency": "urgent",
        "need": "Counselling for the mother",
        "service": null, "service_name": null, "service_reference": "HealthcareService/h-1",
        "worker": {"name": "Wanda Worker", "phone": "555-0100"},
        "safe_contact": {"may_contact": false, "how": "through the worker"},
        "source_resources": ["https://source.example/fhir/Task/s-1", "https://source.example/fhir/ServiceRequest/s-2"],
        "part_of": null, "is_withdrawn": false, "withdrawn_reason": null,
    }))
}

pub(crate) fn withdrawal() -> Outbound {
    let mut outbound = serde_json::to_value(referral()).unwrap();
    outbound["body"]["is_withdrawn"] = json!(true);
    outbound["body"]["withdrawn_reason"] = json!("consent-revoked");
    serde_json::from_value(outbound).unwrap()
}

pub(crate) fn status(status: &str, role: Option<&str>, resources: &[&str]) -> Outbound {
    message(json!({
        "kind": "referral-status",
        "referral": REFERRAL,
        "recipient_ref": null, "recipient_role": role, "domain": "shelter",
        "target": {"id": "org-hmis", "name": "Demo Housing"},
        "status": status, "reason": "service-received", "reason_text": null,
        "sub_status": null, "at": "2026-02-04T16:00:00Z", "outputs": [],
        "recipient_resources": resources,
    }))
}

pub(crate) fn plan(referral: Option<&str>) -> Outbound {
    message(json!({
        "kind": "plan",
        "plan": "plan-7", "plan_type": "child-welfare",
        "owner": {"id": "org-cws", "name": "Demo County Child Welfare"},
        "version": 2, "status": "active",
        "goals": [{"id": "g-1", "domain": "safety", "statement": "A safe home", "lifecycle": "active", "target_date": "2026-08-01"}],
        "activities": [{"id": "a-1", "kind": "appointment", "domain": "mental-health", "name": "Counselling", "goal": "g-1", "starts_at": "2026-02-10T18:00:00Z", "ends_at": "2026-02-10T19:00:00Z", "status": "scheduled"}],
        "fundings": [{"category": "housing", "payer": "org-calworks", "amount": 900}],
        "from": "2026-02-02", "to": null, "updated_at": "2026-02-04T12:00:00Z",
        "referral": referral, "referral_resource": null,
    }))
}

pub(crate) fn participation() -> Outbound {
    message(
        json!({"kind": "participation", "status": "sanctioned", "effective": "2026-02-03", "reason": null}),
    )
}

pub(crate) fn recall() -> Outbound {
    message(
        json!({"kind": "recall", "messages": ["0191f2aa-0000-7000-8000-0000000000dd"], "duties": ["stop-use", "return-or-destroy"]}),
    )
}

pub(crate) fn consent_reminder() -> Outbound {
    message(
        json!({"kind": "consent-reminder", "consent": "consent-7", "last_day": "2026-06-29", "messages": ["0191f2aa-0000-7000-8000-0000000000dd"], "referrals": []}),
    )
}

/// A referral Task of the clinic's own, as its server holds it.
pub(crate) fn clinic_task(status: &str) -> Value {
    json!({
        "resourceType": "Task", "id": "t-9", "meta": {"lastUpdated": "2026-02-04T10:00:00Z"},
        "status": status, "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": "ServiceRequest/sr-9"},
        "for": {"reference": "Patient/p-mother"},
        "authoredOn": "2026-02-04T10:00:00Z",
        "requester": {"reference": "Organization/clinic"},
        "unknownElement": {"kept": true},
    })
}

pub(crate) fn clinic_service_request() -> Value {
    json!({
        "resourceType": "ServiceRequest", "id": "sr-9", "status": "active", "intent": "order",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "710925007"}], "text": "Food"},
        "category": [{"coding": [{"system": "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes", "code": "food-insecurity"}]}],
        "subject": {"reference": "Patient/p-mother"},
    })
}
