//! AuditEvents as IHE BALP 1.1 profiles them: `IHE.BasicAudit.AuthZconsent` and
//! `IHE.BasicAudit.PrivacyDisclosure.Source` and `.Recipient`. Ids and codes; no category, no content.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::{OrganizationId, PersonId};

use crate::accounting::Copy;
use crate::state::break_glass::BreakGlassDoc;
use crate::store::DecisionRow;

const PROFILES: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ROLE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleClass";
const ROLE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/extra-security-role-type";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// Purposes that HL7 has no code for (specs consent 3).
const OWN_REASON: &str = "urn:tandem:purpose";

/// Why the glass was broken (docs/BREAK-GLASS.md).
const EMERGENCY_REASON: &str = "urn:tandem:break-glass-reason";

/// A delivered message, or what was seen under broken glass.
#[derive(Debug)]
pub(super) struct Told<'a> {
    /// The message or the emergency: whose id it is, and the id.
    pub object: (&'static str, &'a str),
    /// When it got there.
    pub at: Timestamp,
    /// The decision before the attempt that delivered it.
    pub decision: &'a DecisionRow,
    /// Who told it.
    pub source: Option<OrganizationId>,
    /// Who holds it.
    pub recipient: Option<OrganizationId>,
    /// Who saw it, in an emergency.
    pub seen_by: Option<&'a BreakGlassDoc>,
}

/// Whose view of a disclosure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Recipient,
}

fn coding(system: &str, code: &str) -> Value {
    json!({"system": system, "code": code})
}

fn concept(system: &str, code: &str) -> Value {
    json!({"coding": [coding(system, code)]})
}

fn organization(config: &FhirConfig, id: &str) -> Value {
    json!({"reference": config.at_gateway(&format!("Organization/{id}"))})
}

fn gateway(config: &FhirConfig) -> Value {
    organization(config, tandem_consent::GATEWAY)
}

fn agent(kind: &Value, who: &Value, is_requestor: bool) -> Value {
    json!({"type": kind, "who": who, "requestor": is_requestor})
}

/// The person by the gateway's id; the gateway serves no Patient.
fn patient(person: &str) -> Value {
    json!({
        "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{person}")}},
        "type": coding(ENTITY_TYPE, "1"),
        "role": coding(OBJECT_ROLE, "1"),
    })
}

fn text<'a>(record: &'a Value, pointer: &str) -> Option<&'a str> {
    record.pointer(pointer).and_then(Value::as_str)
}

/// The purpose, and the reason of an emergency where the copy may tell it.
fn purpose(record: &Value, copy: Copy) -> Option<Value> {
    let code = text(record, "/request/purpose")?;
    let system = if code.starts_with("X_") {
        OWN_REASON
    } else {
        REASON
    };
    let reason = text(record, "/request/emergency/reason").filter(|_| copy.shows_reasons());
    let purposes = [concept(system, code)].into_iter();
    let reason = reason.map(|reason| concept(EMERGENCY_REASON, reason));
    Some(purposes.chain(reason).collect())
}

/// The person who saw something, as his or her own system knows him or her.
fn user(emergency: &BreakGlassDoc) -> Value {
    let system = format!("urn:tandem:user:{}", emergency.system);
    let who = json!({
        "identifier": {"system": system, "value": emergency.user},
        "display": emergency.name,
    });
    agent(&concept(ROLE_TYPE, "humanuser"), &who, true)
}

/// The directives that regimes named as what opened or closed an item.
fn consents(record: &Value) -> BTreeSet<&str> {
    let items = record.pointer("/decision/items").and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| item.get("regimes")?.as_array())
        .flatten()
        .filter_map(|regime| regime.get("consent")?.as_str())
        .collect()
}

fn insert(event: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(fields), Some(value)) = (event.as_object_mut(), value) {
        fields.insert(name.to_owned(), value);
    }
}

/// A decision: outcome 0 when anything was permitted, 8 when nothing was.
pub(super) fn decision(config: &FhirConfig, position: i64, row: &DecisionRow, copy: Copy) -> Value {
    let outcome = match row.outcome.as_str() {
        "permit" | "permit_with_redaction" => "0",
        _ => "8",
    };
    let consents = consents(&row.record);
    let mut entities: Vec<Value> = Vec::new();
    entities.extend(row.person.map(|person| patient(&person.to_string())));
    entities.extend(consents.iter().map(|id| {
        json!({
            "what": {"identifier": {"system": "urn:tandem:directive", "value": id}},
            "type": coding("http://hl7.org/fhir/resource-types", "Consent"),
            "role": coding(OBJECT_ROLE, "4"),
        })
    }));
    let requester = text(&row.record, "/request/requester/organization");
    let recipient = organization(config, &row.recipient);
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("log-{position}"),
        "type": coding(DICOM, "110113"),
        "subtype": [coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", "AuthZ-Consent")],
        "action": "E",
        "recorded": row.decided_at.to_string(),
        "outcome": outcome,
        "outcomeDesc": row.outcome,
        "agent": [
            agent(&concept(DICOM, "110150"), &gateway(config), false),
            agent(&concept(PARTICIPATION, "IRCP"), &recipient, true),
            agent(
                &concept(ROLE_CLASS, "PROV"),
                &organization(config, requester.unwrap_or(&row.recipient)),
                false,
            ),
            agent(
                &concept(ROLE_TYPE, "authserver"),
                &gateway(config),
                false,
            ),
        ],
        "source": {"observer": gateway(config)},
    });
    // The profile asks for a patient and at least one consent; a decision on another basis has none to name.
    let is_profiled = row.person.is_some() && !consents.is_empty();
    let profile = json!({"profile": [format!("{PROFILES}AuthZconsent")]});
    insert(&mut event, "meta", is_profiled.then_some(profile));
    insert(&mut event, "purposeOfEvent", purpose(&row.record, copy));
    let entities = (!entities.is_empty()).then_some(Value::Array(entities));
    insert(&mut event, "entity", entities);
    event
}

/// A disclosure of one person's data, as one side sees it. `number` counts those of one event of the log that have several
/// sources.
pub(super) fn disclosure(
    config: &FhirConfig,
    (position, number): (i64, usize),
    told: &Told<'_>,
    (person, copy): (PersonId, Copy),
    side: Side,
) -> Value {
    let (name, code, action) = match side {
        Side::Source => ("Source", "110106", "R"),
        Side::Recipient => ("Recipient", "110107", "C"),
    };
    let record = &told.decision.record;
    let source = told.source.as_ref().map(OrganizationId::as_str);
    let number = if number == 0 {
        String::new()
    } else {
        number.to_string()
    };
    let recipient = told.recipient.as_ref().map(OrganizationId::as_str);
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("log-{position}-{}{number}-{person}", name.to_lowercase()),
        "meta": {"profile": [format!("{PROFILES}PrivacyDisclosure.{name}")]},
        "type": coding(DICOM, code),
        "subtype": [coding("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose")],
        "action": action,
        "recorded": told.at.to_string(),
        "outcome": "0",
        "agent": [
            agent(
                &concept(DICOM, "110153"),
                &organization(config, source.unwrap_or(tandem_consent::GATEWAY)),
                side == Side::Source && told.seen_by.is_none(),
            ),
            agent(
                &concept(DICOM, "110152"),
                &organization(config, recipient.unwrap_or(&told.decision.recipient)),
                side == Side::Recipient && told.seen_by.is_none(),
            ),
            agent(&concept(DICOM, "110150"), &gateway(config), false),
        ],
        "source": {"observer": gateway(config)},
        "entity": [
            patient(&person.to_string()),
            {
                "what": {"identifier": {"system": told.object.0, "value": told.object.1}},
                "type": coding(ENTITY_TYPE, "2"),
                "role": coding(OBJECT_ROLE, "20"),
            },
        ],
    });
    insert(&mut event, "purposeOfEvent", purpose(record, copy));
    if let (Some(emergency), Some(agents)) = (told.seen_by, event["agent"].as_array_mut()) {
        agents.push(user(emergency));
    }
    event
}
